"""The random window of a picture that SSD is trained on: expanded, then cropped around its boxes.

The laws are MMDetection 2.6's Expand and MinIoURandomCrop, in this order, drawn from a NumPy generator:

    expand   with probability 1/2 the picture lies on a canvas r times as high and wide, cut to whole pixels,
             r ~ U(1, 4), its corner at whole pixels, uniform where it fits.
    crop     a mode is drawn from: keep, 0.1, 0.3, 0.5, 0.7, 0.9, 0. 'keep' takes the whole canvas. Else up to
             50 windows are drawn, w ~ U(0.3, 1) times the canvas' width and h likewise, each with its left
             edge between 1 and the canvas' width - w (NumPy's uniform(low) has high = 1, and there it is
             called so), the top edge likewise, all cut to whole pixels. A window is taken if h / w is in
             [0.5, 2], every box overlaps it with an IoU of at least the mode, boxes to be ignored, too, and
             the centre of a box lies inside. After 50 another mode is drawn. A canvas without boxes takes
             the first window of that shape.
    boxes    those whose centre is inside stay, cut at the window.
"""

import numpy as np

LARGEST = 4
MODES = (None, 0.1, 0.3, 0.5, 0.7, 0.9, 0.0)
TRIES, LEAST, RATIO = 50, 0.3, (0.5, 2.0)


def draw(rng, height, width, boxes):
    """The window (x0, y0, x1, y1) of a picture, int64 [4], in its pixels; it may reach beyond the picture.

    Args:
        rng: NumPy generator.
        height, width: of the picture.
        boxes: [n, 4], all that it has.
    """
    top, left, tall, wide = expand(rng, height, width)
    found = crop(rng, tall, wide, np.asarray(boxes, float).reshape(-1, 4) + [left, top] * 2)
    return found - [left, top] * 2


def expand(rng, height, width):
    """(top, left, height, width): the picture's corner on the canvas, and the canvas' size."""
    if rng.integers(2):
        return 0, 0, height, width
    ratio = rng.uniform(1, LARGEST)
    left, top = (int(rng.uniform(0, side * ratio - side)) for side in (width, height))
    return top, left, int(height * ratio), int(width * ratio)


def crop(rng, height, width, boxes):
    """The window (x0, y0, x1, y1) of a canvas, int64 [4]."""
    while True:
        mode = MODES[rng.integers(len(MODES))]
        if mode is None:
            return np.array([0, 0, width, height])
        windows = _windows(rng, height, width)  # all at once: one after another takes longer than decoding
        fitting = windows[_fits(windows, boxes, mode)]
        if len(fitting):
            return fitting[0]


def _windows(rng, height, width):
    """Those of TRIES windows that have the shape that is asked for, int64 [<= TRIES, 4], in their order."""
    sides, drawn = np.array([[width], [height]]), rng.random((4, TRIES))
    size = sides * (LEAST + (1 - LEAST) * drawn[:2])
    corner = 1 + (sides - size - 1) * drawn[2:]  # with less room than 1: from the room to 1
    windows = np.concatenate([corner, corner + size]).T.astype(int)
    shape = size[1] / size[0]
    return windows[(shape >= RATIO[0]) & (shape <= RATIO[1])]


def _fits(windows, boxes, mode):
    """Which windows may be taken, bool [k]: windows [k, 4], boxes [n, 4]."""
    proper = (windows[:, :2] < windows[:, 2:]).all(axis=1)
    if not len(boxes):
        return proper
    each = windows[:, None]
    low, high = np.maximum(boxes[:, :2], each[..., :2]), np.minimum(boxes[:, 2:], each[..., 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1) + np.prod(each[..., 2:] - each[..., :2], axis=-1)
    overlap = shared / np.maximum(areas - shared, 1e-6)
    return proper & (overlap.min(axis=1) >= mode) & centred(boxes, each).any(axis=1)


def centred(boxes, window):
    """Which boxes have their centre inside a window, bool [..., n]; window [4] or [..., 1, 4]."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return ((centre > window[..., :2]) & (centre < window[..., 2:])).all(axis=-1)
