"""Draws scenes of garments for detection, in integers alone, so that every machine makes the same bytes.

The law of a scene of S x S pixels, from a generator of its own and the pictures of one split:

    ground       a 6 x 6 grid of integers, uniform in 0..110, enlarged bilinearly to S x S in steps of 1/256,
                 plus for each pixel three uniform integers in -6..6 (standard deviation 6.5); cut to 0..255.
    distractors  0 to 2 (uniform): one of the four quarters of a garment, drawn as below, anywhere inside and
                 without a box.
    garments     1 to `most` (uniform), each a uniform picture of the split with its class. Its side is
                 uniform among SIDES, which are about geometric from 14 to 40; pixel (i, j) is the picture's
                 at (floor(28 i / side), floor(28 j / side)). Its values v become
                 min(255, floor(v g / 256) + o), with g uniform in 154..282 (0.6 to 1.1) and o in 0..40, and
                 cover the ground by min(256, floor(256 v / 40)) / 256: black covers nothing.
    box          the extent of its pixels with v > 20. Its place is uniform where the box is inside the image.
                 A place is drawn again, up to 20 times, while the box is in common with an earlier one by
                 more than a quarter of the smaller box; after that, or if a side of the box is below 6
                 pixels, the garment is left out.
"""

import numpy as np

GRID, DARK, NOISE, PARTS = 6, 110, 6, 3
SIDES = (14, 15, 16, 17, 18, 19, 20, 21, 22, 24, 25, 27, 28, 30, 32, 34, 36, 38, 40)
GAIN, OFFSET = (154, 283), 41
OPAQUE, EXTENT, LEAST = 40, 20, 6
TRIES = 20


def draw(rng, pictures, label, side, most):
    """A scene.

    Args:
        rng: `numpy.random.Generator`.
        pictures: uint8 [N, 28, 28].
        label: int [N].
        side: S.
        most: garments.

    Returns:
        image uint8 [S, S], boxes int64 [n, 4] as (x0, y0, x1, y1), classes int64 [n].
    """
    canvas = _ground(rng, side)
    for _ in range(rng.integers(0, 3)):
        garment, _ = _garment(rng, pictures)
        half = len(garment) // 2
        y, x = rng.integers(0, 2, 2) * half
        quarter = garment[y : y + half, x : x + half]
        y, x = rng.integers(0, side - half + 1, 2)
        _cover(canvas[y : y + half, x : x + half], quarter, rng)
    boxes, classes = [], []
    for _ in range(rng.integers(1, most + 1)):
        garment, row = _garment(rng, pictures)
        place = _place(rng, garment, boxes, side)
        if place is None:
            continue
        (y0, x0, y1, x1), (y, x) = place
        _cover(canvas[y + y0 : y + y1, x + x0 : x + x1], garment[y0:y1, x0:x1], rng)
        boxes.append((x + x0, y + y0, x + x1, y + y1))
        classes.append(label[row])
    return canvas.astype(np.uint8), np.array(boxes, int).reshape(-1, 4), np.array(classes, int)


def _ground(rng, side):
    """int64 [side, side]."""
    grid = rng.integers(0, DARK + 1, (GRID, GRID))
    at = np.arange(side) * (GRID - 1) * 256 // (side - 1)
    low, share = np.minimum(at // 256, GRID - 2), at - np.minimum(at // 256, GRID - 2) * 256
    rows = grid[low] * (256 - share)[:, None] + grid[low + 1] * share[:, None]
    smooth = (rows[:, low] * (256 - share) + rows[:, low + 1] * share) // 65536
    noise = rng.integers(-NOISE, NOISE + 1, (PARTS, side, side)).sum(0)
    return np.clip(smooth + noise, 0, 255)


def _garment(rng, pictures):
    """A picture at a drawn side, int64 [side, side], and its row."""
    row, side = rng.integers(len(pictures)), SIDES[rng.integers(len(SIDES))]
    at = np.arange(side) * pictures.shape[1] // side
    return pictures[row][at][:, at].astype(int), row


def _extent(garment):
    """(y0, x0, y1, x1) of the pixels above EXTENT, or None if there are too few."""
    rows, columns = (np.flatnonzero((garment > EXTENT).any(axis=axis)) for axis in (1, 0))
    if not len(rows) or rows[-1] - rows[0] + 1 < LEAST or columns[-1] - columns[0] + 1 < LEAST:
        return None
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


def _place(rng, garment, boxes, side):
    """The garment's extent, and the offset of its picture in the scene; None if there is no room."""
    extent = _extent(garment)
    if extent is None:
        return None
    y0, x0, y1, x1 = extent
    for _ in range(TRIES):
        top, left = rng.integers(0, side - (y1 - y0) + 1), rng.integers(0, side - (x1 - x0) + 1)
        box = (left, top, left + x1 - x0, top + y1 - y0)
        if not any(_crowd(box, other) for other in boxes):
            return extent, (top - y0, left - x0)
    return None


def _crowd(a, b):
    """Whether two boxes have more than a quarter of the smaller one in common."""
    width, height = (max(min(a[k + 2], b[k + 2]) - max(a[k], b[k]), 0) for k in (0, 1))
    area = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return 4 * width * height > area


def _cover(canvas, garment, rng):
    """Draws a garment over a part of the canvas, in place."""
    gain, offset = rng.integers(*GAIN), rng.integers(OFFSET)
    value = np.minimum(garment * gain // 256 + offset, 255)
    share = np.minimum(garment * 256 // OPAQUE, 256)
    canvas[:] = (canvas * (256 - share) + value * share) // 256
