"""Resizing to sizes that are drawn on the device, by the law of `jax.image.resize`."""

import jax.numpy as jnp


def _triangle(x):
    return jnp.maximum(1 - x, 0)


def _cubic(x):
    """Keys' kernel with a = -1/2."""
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return jnp.where(x < 1, near, jnp.where(x < 2, far, 0))


def _lanczos(radius):
    return lambda x: jnp.where(x < radius, jnp.sinc(x) * jnp.sinc(x / radius), 0)


# The weight of a pixel at a distance x >= 0 from the point that is computed.
KERNELS = {'linear': _triangle, 'cubic': _cubic, 'lanczos3': _lanczos(3), 'lanczos5': _lanczos(5)}


def resize(images, size, most, method, antialias):
    """Every image at its own size, in the upper left of an array that holds the largest; zeros beyond.

    Two batched matrix products, rows first. Their forms are those that the CPU compiler does not transpose
    images for, which takes as long as a product.

    Args:
        images: float [B, H, W, C].
        size: (h, w), int32 [B] or [1] each.
        most: (h, w), the largest size, static.
        method: of KERNELS.
        antialias: whether the kernel widens when shrinking.

    Returns:
        [B, most h, most w, C], of the dtype of images.
    """
    batch, height, width, channels = images.shape
    rows, cols = (
        jnp.broadcast_to(weights(n, side, top, method, antialias), (batch, side, top)).astype(images.dtype)
        for n, side, top in zip(size, (height, width), most, strict=True)
    )
    lines = images.reshape(batch, height, width * channels)
    lines = jnp.einsum('byk,byh->bkh', lines, rows, precision='highest')
    lines = lines.reshape(batch, width, channels * most[0])
    patches = jnp.einsum('bxw,bxk->bwk', cols, lines, precision='highest')
    return patches.reshape(batch, most[1], channels, most[0]).transpose(0, 3, 1, 2)


def weights(size, side, most, method, antialias):
    """What each of `side` source pixels gives to each pixel of a line of `size` pixels.

    Args:
        size: int32 [N], <= most.
        side, most: static.
        method, antialias: see `resize`.

    Returns:
        float32 [N, side, most], columns that sum to 1; from `size` on they are 0.
    """
    pixel, source = jnp.arange(most), jnp.arange(side)[:, None]
    kept = pixel < size[:, None, None]
    size = jnp.maximum(size, 1)[:, None, None]
    # The distance of the centres (pixel + 1/2) side / size and source + 1/2, over the kernel's width: whole
    # numbers but for one division, since float32 centres would be off by 1e-5 pixels in large images.
    apart = abs((2 * pixel + 1) * side - (2 * source + 1) * size)
    weight = KERNELS[method](apart / (2 * (jnp.maximum(size, side) if antialias else size)))
    return weight / jnp.where(kept, weight.sum(1, keepdims=True), jnp.inf)
