import numpy as np
from PIL import Image

from resizemix_jax.pictures import drawing
from resizemix_jax.pictures.drawing import Cell


def test_heat_runs_from_the_first_colour_to_the_last():
    heat = np.array([[-1.0, 0.0, 0.5, 2.0]])
    made = drawing.colours(heat)
    assert made.dtype == np.uint8 and made.shape == (1, 4, 3)
    assert made[0].tolist()[:2] == [list(drawing.HEAT[0])] * 2 and made[0, 3].tolist() == list(
        drawing.HEAT[-1]
    )
    lightness = drawing.colours(np.linspace(0, 1, 50)[None])[0] @ [0.299, 0.587, 0.114]
    assert (np.diff(lightness) > 0).all()  # so a print without colour keeps the order
    np.testing.assert_array_equal(
        drawing.colours(np.zeros((2, 2))), np.broadcast_to(drawing.HEAT[0], (2, 2, 3))
    )


def test_small_pictures_are_enlarged_pixel_by_pixel_and_large_ones_shrunk():
    small = np.random.default_rng(0).integers(0, 256, (28, 28, 1), np.uint8)
    shown = np.asarray(drawing.render(Cell(small)))
    assert shown.shape == (140, 140, 3)
    np.testing.assert_array_equal(shown[2::5, 2::5, 1], small[..., 0])
    assert drawing.render(Cell(np.zeros((300, 150, 3), np.uint8))).size == (96, 192)


def test_heat_is_laid_over_the_picture():
    picture = np.full((128, 128, 3), 200, np.uint8)
    shown = np.asarray(drawing.render(Cell(picture, heat=np.ones((2, 2)))), float)
    expected = 0.4 * picture + 0.6 * np.array(drawing.HEAT[-1])
    assert abs(shown - expected).max() <= 1


def test_a_grid_holds_every_picture_and_its_words(tmp_path):
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)]
    cells = [
        Cell(np.full((16, 16, 3), c, np.uint8), 'a caption of so many words that it breaks') for c in colours
    ]
    drawing.grid(tmp_path / 'grid.png', 'A title', ['one', 'two'], [cells[:2], cells[2:]])
    page = np.asarray(Image.open(tmp_path / 'grid.png'))
    for colour in colours:
        ys, xs = np.nonzero((page == colour).all(-1))
        assert len(ys) == 128 * 128 and np.ptp(ys) == np.ptp(xs) == 127
        under = page[ys.max() + 1 : ys.max() + 60, xs.min() : xs.max()]
        assert (under.max(-1) < 100).sum() > 50  # ink below it
    # Where nothing was written the page is white.
    assert (page[0] == 255).all() and (page[-1] == 255).all()


def test_further_columns_follow_below(tmp_path):
    cells = [Cell(np.full((128, 128, 3), 9 * i, np.uint8), str(i)) for i in range(5)]
    sizes = {}
    for most in (5, 3):
        drawing.grid(tmp_path / 'grid.png', '', [str(i) for i in range(5)], [cells], most)
        sizes[most] = Image.open(tmp_path / 'grid.png').size
    assert sizes[3][0] == 3 * (128 + drawing.GAP) + drawing.GAP < sizes[5][0]
    assert sizes[3][1] > 2 * 128
