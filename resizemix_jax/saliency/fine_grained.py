"""Saliency of an image alone, without a network: `<name>(images) -> maps`.

Shared contract:
    images  uint8 [B, H, W, C], C 1 (gray) or 3 (red, green, blue).
    maps    float32 [B, H, W], higher is more salient.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

REACHES = (12, 24, 48, 28, 56, 112)  # pixels from the centre to the window's ends
GRAY = (9798, 19235, 3735)  # of red, green and blue, in 2**15ths
GRAY_BITS = 15


def fine_grained(images: Array | np.ndarray) -> Array:
    """Fine-grained saliency (Montabone and Soto, 2010) as OpenCV computes it: contrast with the surroundings.

    Law:
        gray     (9798 R + 19235 G + 3735 B + 2**14) >> 15; one channel is gray already.
        smooth   twice by the outer product of [1, 2, 1] / 4, rounded half up; borders are reflected without
                 their edge (BORDER_REFLECT_101).
        mean     for each n in REACHES, of the rows y - n + 1 .. y + n and columns x - n + 1 .. x + n inside
                 the image, without the pixel itself.
        on, off  the sums over n of floor(max(gray - mean, 0)) and of floor(max(mean - gray, 0)).
        map      on and off, each scaled so that its highest pixel of the image is 255, floored, and added.
                 An image without any contrast is 0 everywhere.

    Source: StaticSaliencyFineGrained of opencv_contrib, which returns the map / 255. Version 5.0.0 gives the
    same numbers in images of up to 65,793 pixels; beyond that its sums round. Its last sum is a byte, which
    would wrap above 255; no tested image reaches that. It expects blue first, so its map of images[..., ::-1]
    is the map of images here. The code of SaliencyMix passes red first, and normalised floats, whose bytes
    OpenCV reads as pixels, so that its map is unrelated to the image.

    Args:
        images: see the contract of this module.

    Returns:
        float32 [B, H, W], whole numbers.

    Raises:
        ValueError: images of another rank, dtype or number of channels.
    """
    if images.ndim != 4 or images.dtype != jnp.uint8 or images.shape[-1] not in (1, 3):
        raise ValueError(
            f'images must be uint8 [B, H, W, 1 or 3]; got {images.dtype}{list(images.shape)}. '
            'Convert normalised images first, with resizemix_jax.normalize.denormalize'
        )
    gray = _smooth(_smooth(_gray(images.astype(jnp.int32))))
    total = jnp.cumsum(jnp.cumsum(jnp.pad(gray, ((0, 0), (1, 0), (1, 0))), axis=1), axis=2)
    on = off = jnp.zeros((), jnp.int32)
    for reach in REACHES:
        contrast = _contrast(total, gray, reach)
        on += jnp.maximum(contrast, 0)
        off += jnp.maximum(-contrast, 0)
    return (_to_bytes(on) + _to_bytes(off)).astype(jnp.float32)


METHODS = {'fine_grained': fine_grained}


def _gray(images):
    if images.shape[-1] == 1:
        return images[..., 0]
    weighed = sum(weight * images[..., channel] for channel, weight in enumerate(GRAY))
    return (weighed + (1 << (GRAY_BITS - 1))) >> GRAY_BITS


def _smooth(gray):
    # Slices, which a compiler fuses; gathering the neighbours takes ten times as long (2-core CPU).
    wide = jnp.pad(gray, ((0, 0), (1, 1), (1, 1)), mode='reflect')
    lines = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    return (lines[:, :, :-2] + 2 * lines[:, :, 1:-1] + lines[:, :, 2:] + 8) >> 4


def _contrast(total, gray, reach):
    """Each pixel minus the mean of the others in its window, truncated: int32 [B, H, W].

    Args:
        total: int32 [B, H + 1, W + 1], the integral image. Its differences are correct even if it overflows.
        gray: int32 [B, H, W].
        reach: of the window.
    """
    window, sides = total, []
    for axis, size in ((1, gray.shape[1]), (2, gray.shape[2])):
        at = np.arange(size)
        begin, end = np.maximum(at - reach + 1, 0), np.minimum(at + reach + 1, size)
        window = jnp.take(window, end, axis=axis) - jnp.take(window, begin, axis=axis)
        sides.append(end - begin)
    others = jnp.array(sides[0][:, None] * sides[1] - 1, jnp.int32)
    # In integers, since compilers turn a float division by a constant into a product that rounds.
    return lax.div(gray * others - (window - gray), jnp.broadcast_to(jnp.maximum(others, 1), gray.shape))


def _to_bytes(level):
    """floor(255 * level / its maximum in each image)."""
    return 255 * level // jnp.maximum(jnp.max(level, axis=(1, 2), keepdims=True), 1)
