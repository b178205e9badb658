"""JPEG's losses."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from resizemix_jax.corruptions._images import corruption, numbers

# The quantisation of luma and chroma at quality 50: ITU-T T.81, tables K.1 and K.2.
LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, *(99,) * 32,
)  # fmt: skip
BLOCK = 8
TO_YCC = ((0.299, 0.587, 0.114), (-0.168735892, -0.331264108, 0.5), (0.5, -0.418687589, -0.081312411))


@corruption
def jpeg(key: Array | None, images: Array, *, severity: int = 1) -> Array:
    """What is left of an image after JPEG at a low quality.

    Law: to YCbCr (JFIF), chroma at half the resolution (means of 2 x 2 pixels), both rounded to levels; the
    cosine transform of blocks of 8 x 8, rounded to multiples of the tables of ITU-T T.81 at that quality;
    back, rounded; chroma enlarged by linear interpolation; to RGB. A channel alone is luma. The image is
    continued by its last pixels to whole blocks. Huffman coding loses nothing and is left out.

    Quality: 32 pixels 80, 65, 58, 50, 40; 224 pixels 25, 18, 15, 10, 7. Nothing is drawn. The original is
    libjpeg, whose transforms are in integers: on the images of the tests 96 % of the values, or more, are
    within a level of Pillow's (libjpeg-turbo), and all within 6.
    """
    del key
    quality = numbers(images, severity, (80, 65, 58, 50, 40), (25, 18, 15, 10, 7))
    batch, height, width, channels = images.shape
    whole = 2 * BLOCK
    pads = (0, 0), (0, -height % whole), (0, -width % whole), (0, 0)
    levels = jnp.pad(jnp.round(255 * images), pads, 'edge')
    if channels == 1:
        return _coded(levels, LUMA, quality)[:, :height, :width] / 255
    exact = jax.lax.Precision.HIGHEST
    matrix = np.array(TO_YCC)
    offset = jnp.array([0, 128, 128], images.dtype)
    ycc = jnp.matmul(levels, jnp.asarray(matrix.T, images.dtype), precision=exact) + offset
    ycc = jnp.clip(jnp.round(ycc), 0, 255)
    coded = _coded(ycc[..., :1], LUMA, quality)[:, :height, :width]
    chroma = _coded(_halved(ycc[..., 1:]), CHROMA, quality)
    chroma = _doubled(chroma[:, : (height + 1) // 2, : (width + 1) // 2])[:, :height, :width]
    ycc = jnp.concatenate([coded, chroma], axis=3) - offset
    rgb = jnp.matmul(ycc, jnp.asarray(np.linalg.inv(matrix).T, images.dtype), precision=exact)
    return jnp.clip(jnp.round(rgb), 0, 255) / 255


def table(base: tuple, quality: int) -> np.ndarray:
    """The quantisation of a quality, as libjpeg scales it: float64 [8, 8]."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((np.array(base) * scale + 50) // 100, 1, 255).reshape(BLOCK, BLOCK).astype(float)


def _coded(levels: Array, base: tuple, quality: int) -> Array:
    """A channel after its cosine transform was rounded; sides are multiples of 8."""
    batch, height, width, channels = levels.shape
    exact = jax.lax.Precision.HIGHEST
    blocks = levels.reshape(batch, height // BLOCK, BLOCK, width // BLOCK, BLOCK, channels) - 128
    k, n = np.arange(BLOCK)[:, None], np.arange(BLOCK)
    waves = np.cos((2 * n + 1) * k * np.pi / 16) * np.where(k, 0.5, np.sqrt(1 / 8))
    cosines = jnp.asarray(waves, levels.dtype)
    steps = jnp.asarray(table(base, quality), levels.dtype)[:, None, :, None]
    spectrum = jnp.einsum('up,bypxqc,vq->byuxvc', cosines, blocks, cosines, precision=exact)
    eighths = jnp.round(8 * spectrum)  # as libjpeg's transform gives them; a half is rounded away from 0
    spectrum = jnp.sign(eighths) * jnp.floor((jnp.abs(eighths) + 4 * steps) / (8 * steps)) * steps
    blocks = jnp.einsum('up,byuxvc,vq->bypxqc', cosines, spectrum, cosines, precision=exact)
    return jnp.clip(jnp.round(blocks + 128), 0, 255).reshape(levels.shape)


def _halved(levels: Array) -> Array:
    """The means of 2 x 2 pixels; a half is rounded down in even columns, up in odd ones, as libjpeg does."""
    batch, height, width, channels = levels.shape
    total = levels.reshape(batch, height // 2, 2, width // 2, 2, channels).sum((2, 4))
    return jnp.floor((total + 1 + jnp.arange(width // 2)[:, None] % 2) / 4)


def _doubled(levels: Array) -> Array:
    """Twice as many pixels an axis: three quarters of the nearer and a quarter of the farther one.

    Sixteenths are rounded with 8 added in even columns, 7 in odd ones, as libjpeg does.
    """
    wider = 16 * _longer(_longer(levels, 1), 2)
    return jnp.floor((wider + 8 - jnp.arange(wider.shape[2])[:, None] % 2) / 16)


def _longer(x: Array, axis: int) -> Array:
    size = x.shape[axis]
    before = jnp.take(x, jnp.maximum(jnp.arange(size) - 1, 0), axis=axis)
    after = jnp.take(x, jnp.minimum(jnp.arange(size) + 1, size - 1), axis=axis)
    pairs = jnp.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis=axis + 1)
    return pairs.reshape(*x.shape[:axis], 2 * size, *x.shape[axis + 1 :])
