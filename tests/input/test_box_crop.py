import numpy as np
import pytest

from resizemix_jax.input import box_crop

BOXES = np.array([[30, 20, 60, 70], [80, 10, 110, 40]], float)


def windows(boxes, count=400, height=90, width=120):
    return [box_crop.draw(np.random.default_rng(k), height, width, boxes) for k in range(count)]


def test_half_of_the_pictures_are_expanded_up_to_four_times():
    found = np.array([box_crop.expand(np.random.default_rng(k), 90, 120) for k in range(2000)])
    plain = (found == [0, 0, 90, 120]).all(axis=1)
    assert plain.mean() == pytest.approx(0.5, abs=0.04)
    top, left, tall, wide = found[~plain].T
    ratio = wide / 120
    assert ratio.min() >= 1 and ratio.max() < 4 and ratio.mean() == pytest.approx(2.5, abs=0.1)
    assert np.abs(tall / 90 - ratio).max() < 2 / 90  # the same, to whole pixels
    assert (left + 120 <= wide + 1).all() and (top + 90 <= tall + 1).all()
    room = wide - 120 > 50
    assert (left[room] / (wide - 120)[room]).mean() == pytest.approx(0.5, abs=0.05)


def test_a_seventh_of_the_canvases_is_kept_and_the_others_are_windows_of_it():
    found = [box_crop.crop(np.random.default_rng(k), 90, 120, BOXES) for k in range(2000)]
    whole = np.mean([window.tolist() == [0, 0, 120, 90] for window in found])
    # modes that need the two boxes whole are given up for another: so more than 1 / 7
    assert 1 / 7 < whole < 1 / 2
    for x0, y0, x1, y1 in found:
        assert 0 <= x0 < x1 <= 120 and 0 <= y0 < y1 <= 90
        assert (
            0.4 < (y1 - y0) / (x1 - x0) < 2.2
        )  # of the sides before they were cut to whole pixels: 0.5 to 2
        assert x1 - x0 >= 0.3 * 120 - 1 and y1 - y0 >= 0.3 * 90 - 1


def test_a_window_has_the_centre_of_a_box_and_overlaps_each_by_the_mode(monkeypatch):
    monkeypatch.setattr(box_crop, 'MODES', (0.3,))
    for seed in range(50):
        window = box_crop.crop(np.random.default_rng(seed), 90, 120, BOXES[:1])
        (x0, y0, x1, y1), box = window, BOXES[0]
        shared = (min(x1, box[2]) - max(x0, box[0])) * (min(y1, box[3]) - max(y0, box[1]))
        union = (x1 - x0) * (y1 - y0) + 30 * 50 - shared
        assert shared / union >= 0.3 and box_crop.centred(BOXES[:1], window).all()


def test_every_box_overlaps_the_window_by_the_mode(monkeypatch):
    """Also the small one, which Caffe's rule would not ask for."""
    monkeypatch.setattr(box_crop, 'MODES', (0.2,))
    boxes = np.array([[5, 5, 115, 85], [40, 30, 75, 60]], float)
    for seed in range(50):
        x0, y0, x1, y1 = box_crop.crop(np.random.default_rng(seed), 90, 120, boxes)
        for box in boxes:
            shared = (min(x1, box[2]) - max(x0, box[0])) * (min(y1, box[3]) - max(y0, box[1]))
            union = (x1 - x0) * (y1 - y0) + (box[2] - box[0]) * (box[3] - box[1]) - shared
            assert shared / union >= 0.2


def test_a_window_never_begins_at_the_first_pixel_where_there_is_room(monkeypatch):
    monkeypatch.setattr(box_crop, 'MODES', (0.0,))
    found = np.array([box_crop.crop(np.random.default_rng(k), 90, 120, BOXES) for k in range(400)])
    for low, side in ((0, 120), (1, 90)):
        room = found[:, low + 2] - found[:, low] < side - 3
        assert found[room, low].min() == 1


def test_without_boxes_any_window_is_taken():
    assert len({tuple(window) for window in windows(np.zeros((0, 4)), 50)}) > 30


def test_windows_are_in_the_picture_s_pixels():
    """A window of an expanded picture may begin before its first pixel; it always has a box's centre."""
    found = windows(BOXES)
    assert any(window[0] < 0 for window in found) and any(window[2] > 120 for window in found)
    assert all(box_crop.centred(BOXES, window).any() for window in found)


def test_a_centre_on_the_border_is_outside():
    assert box_crop.centred(np.array([[0, 0, 4, 4], [2, 2, 6, 6]]), np.array([2, 2, 9, 9])).tolist() == [
        False,
        True,
    ]
