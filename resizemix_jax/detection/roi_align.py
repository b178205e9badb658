"""RoIAlign: the features of a box, averaged in a fixed number of bins."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, lax

from resizemix_jax.detection.boxes import area
from resizemix_jax.ranges import Whole


def level_of(boxes: Array, *, levels: int = 4, finest: float = 56) -> Array:
    """The level of the feature pyramid that each box is pooled from, int32 [...], 0 the finest.

    Law: floor(log2(sqrt(w h) / finest + 1e-6)), clipped to 0 .. levels - 1; by comparisons, since a logarithm
    of 8 need not be 3 in float32.

    Source: SingleRoIExtractor of MMDetection. torchvision's LevelMapper adds the 1e-6 after the logarithm.

    Args:
        boxes: [..., 4].
        levels: how many.
        finest: sqrt(w h), in pixels, below twice of which a box is of level 0.
    """
    Whole(1).check(levels=levels)
    side = jnp.sqrt(jnp.maximum(area(boxes), 0)) / finest + 1e-6
    bounds = jnp.array([2.0**k for k in range(1, levels)], jnp.float32)
    return jnp.sum(side[..., None] >= bounds, axis=-1, dtype=jnp.int32)


def roi_align(
    levels: Sequence[Array],
    boxes: Array,
    level: Array,
    *,
    strides: Sequence[int],
    bins: int = 7,
    ratio: int = 0,
    aligned: bool = True,
    largest: int = 8,
    at_once: int = 32,
) -> Array:
    """Every box's features in `bins` x `bins` parts of it, [R, bins, bins, C], of the features' dtype.

    Law: the box over the stride of its level, less 1/2 if `aligned` (else a side is at least 1), is divided
    into bins x bins equal parts; each is the mean of n_y x n_x bilinear samples at the centres of as many
    equal parts of it. With ratio=0 n = ceil(side / bins) along each axis, so that samples are at most a cell
    apart; else n = ratio. A sample beyond -1 or beyond the number of cells is 0; else it is moved to the
    centres of the outer cells. An empty box is 0 with ratio=0.

    Source: roi_align of torchvision and mmcv, sampling_ratio = ratio; MMDetection's configurations have 0 and
    aligned. `largest` is this function's own, for a static shape: a part of more than `largest` cells takes
    (largest + 1) // 2 samples along that axis instead of ceil. With 7 bins, 8 cells and the level of
    `level_of`, those are of boxes longer than 4 times their width, or longer than 1792 pixels.

    The boxes are constants to the gradient, as they are there.

    Bilinear interpolation and its mean are separable, borders included, so each axis has its weights of the
    cells that it touches, at most largest + 1 a bin (2 ratio with a fixed ratio), and these are gathered:
    the temporaries are at_once * (bins * (largest + 1))^2 * C numbers. The sums are in float32.

    Args:
        levels: [h_l, w_l, C] each.
        boxes: [R, 4], pixels of the image.
        level: int32 [R], index of the level of each box, e.g. `level_of(boxes)`.
        strides: of the levels, in pixels.
        bins: along each axis.
        ratio: samples of a bin along each axis, 0: adaptive.
        aligned: see the law.
        largest: cells, see above; of no effect with a fixed ratio.
        at_once: how many boxes are computed at once; the others wait in a loop.

    Raises:
        ValueError: a number out of range; as many strides as levels are needed.
    """
    Whole(1).check(bins=bins, largest=largest, at_once=at_once)
    Whole(0).check(ratio=ratio)
    if len(strides) != len(levels):
        raise ValueError(f'{len(levels)} levels need as many strides; got {len(strides)}')
    shapes = jnp.array([features.shape[:2] for features in levels], jnp.int32)
    maps = [jnp.asarray(f, jnp.float32).reshape(-1, f.shape[-1]) for f in levels]
    scale = 1 / jnp.array(strides, jnp.float32)
    taps = dict(bins=bins, ratio=ratio, aligned=aligned, largest=largest)

    def one(inputs):
        box, k = inputs
        height, width = shapes[k, 0], shapes[k, 1]
        row, row_weight = _taps(box[1] * scale[k], box[3] * scale[k], height, **taps)
        column, column_weight = _taps(box[0] * scale[k], box[2] * scale[k], width, **taps)
        index = row.reshape(-1, 1) * width + column.reshape(-1)
        # One axis after the other: arrays of small last dimensions are padded on TPU.
        found = _gathered(maps, k, index.reshape(-1)).reshape(*row.shape, column.size, -1)
        half = jnp.einsum('ir,irxc->ixc', row_weight, found, precision='highest')
        half = half.reshape(bins, *column.shape, -1)
        return jnp.einsum('jq,ijqc->ijc', column_weight, half, precision='highest').astype(levels[0].dtype)

    return lax.map(one, lax.stop_gradient((boxes, level)), batch_size=min(at_once, boxes.shape[0]))


def _gathered(maps, level, index):
    """Rows of the map of a level, float32 [n, C].

    Every map is asked, but with an index beyond its end unless it is the one, which reads nothing, and adds
    nothing to the gradient. One array of all maps would be a copy of them, 91 MB an image at COCO's size.
    """
    found = 0.0
    for k, features in enumerate(maps):
        own = index if len(maps) == 1 else jnp.where(level == k, index, features.shape[0])
        found += features.at[own].get(mode='fill', fill_value=0)
    return found


def _taps(low, high, cells, *, bins, ratio, aligned, largest):
    """Cells along an axis, and their weights, (int32, float32) [bins, taps], for a box from low to high."""
    low, high = (low - 0.5, high - 0.5) if aligned else (low, high)
    side = high - low if aligned else jnp.maximum(high - low, 1.0)
    if ratio:
        return _pairs(low, side / bins, jnp.float32(ratio), cells, bins, ratio)
    count = _ceil_of_quotient(side, bins)
    window = _window(low, side / bins, count, cells, bins, largest)
    fewer = (largest + 1) // 2
    pairs = _pairs(low, side / bins, jnp.float32(fewer), cells, bins, fewer)
    missing = largest + 1 - 2 * fewer
    pairs = [jnp.pad(a, ((0, 0), (0, missing))) for a in pairs]
    return tuple(jnp.where(count <= largest, w, p) for w, p in zip(window, pairs, strict=True))


def _ceil_of_quotient(side, bins):
    """ceil(side / bins), exactly: XLA multiplies by 1 / bins, by which 42 / 7 is more than 6."""
    count = jnp.floor(side / bins)
    count -= count * bins >= side
    return count + (count * bins < side)


def _samples(low, step, count, cells, bins, most):
    """The two cells of each sample and their weights: (lower, upper, weight of each), [bins, most].

    `count` of the `most` samples have a weight, which is their share of the mean.
    """
    at = jnp.arange(most, dtype=jnp.float32)
    bin_ = jnp.arange(bins, dtype=jnp.float32)[:, None]
    place = low + bin_ * step + (at + 0.5) * step / jnp.maximum(count, 1)
    counts = (place >= -1) & (place <= cells) & (at < count)
    place = jnp.maximum(place, 0)
    lower = jnp.minimum(jnp.floor(place).astype(jnp.int32), cells - 1)
    upper = jnp.minimum(lower + 1, cells - 1)
    part = jnp.where(lower < cells - 1, place - lower, 0.0)
    share = jnp.where(counts, 1 / jnp.maximum(count, 1), 0.0)
    return lower, upper, (1 - part) * share, part * share


def _pairs(low, step, count, cells, bins, most):
    """Taps of samples that may be far apart: two each, [bins, 2 most]."""
    lower, upper, *weights = _samples(low, step, count, cells, bins, most)
    return jnp.concatenate([lower, upper], axis=-1), jnp.concatenate(weights, axis=-1)


def _window(low, step, count, cells, bins, most):
    """Taps of `count` <= `most` samples at most a cell apart: count + 1 cells in a row, [bins, most + 1]."""
    lower, upper, *weights = _samples(low, step, count, cells, bins, most)
    cell = jnp.arange(most + 1)
    index = jnp.minimum(lower[:, :1] + cell, cells - 1)
    weight = 0.0
    for end, share in zip((lower, upper), weights, strict=True):
        hit = end[:, :, None] == lower[:, :1, None] + cell
        weight += jnp.sum(jnp.where(hit, share[:, :, None], 0.0), axis=1)
    return index, weight
