"""Random changes of an image's colours, for training SSD, on the device."""

import jax
import jax.numpy as jnp
from jax import Array

EPSILON = jnp.finfo(jnp.float32).eps
BRIGHTNESS, CONTRAST, HUE = 32.0, (0.5, 1.5), 18.0  # levels of 255, factors, degrees


def distort(key: Array, images: Array) -> Array:
    """Every image with brightness, contrast, saturation, hue and channels changed at random, not clipped.

    Law, each image with draws of its own and each change with probability 1/2, in this order:
        brightness  + U(-32, 32);
        contrast    x U(0.5, 1.5), here or after the hue, with probability 1/2 each;
        saturation  x U(0.5, 1.5) of S in HSV;
        hue         + U(-18, 18) degrees, around the circle;
        channels    a uniform permutation.
    HSV is that of OpenCV for float images, see `to_hsv`.

    Source: PhotoMetricDistortion of MMDetection. Its version 2.6 distorts before the picture is expanded, so
    the ground beyond it keeps its colour; from 2.14 on it distorts last, ground included, as is done here.

    Args:
        key: typed JAX key.
        images: float32 or uint8 [B, H, W, 3], levels in 0..255, red first.

    Returns:
        float32 [B, H, W, 3].
    """
    return jax.vmap(_distort)(jax.random.split(key, len(images)), images.astype(jnp.float32))


def _distort(key, image):
    keys = jax.random.split(key, 7)
    brightness, contrast, saturation, hue, permute, early = jax.random.bernoulli(keys[0], 0.5, (6,))

    def uniform(k, low, high):
        return jax.random.uniform(keys[k], (), minval=low, maxval=high)

    factor = jnp.where(contrast, uniform(2, *CONTRAST), 1.0)
    image = image + jnp.where(brightness, uniform(1, -BRIGHTNESS, BRIGHTNESS), 0.0)
    image = image * jnp.where(early, factor, 1.0)
    h, s, v = to_hsv(image)
    s = s * jnp.where(saturation, uniform(3, *CONTRAST), 1.0)
    h = h + jnp.where(hue, uniform(4, -HUE, HUE), 0.0)
    h = jnp.where(h > 360, h - 360, jnp.where(h < 0, h + 360, h))
    image = to_rgb(h, s, v) * jnp.where(early, 1.0, factor)
    order = jnp.where(permute, jax.random.permutation(keys[5], 3), jnp.arange(3))
    return jnp.take(image, order, axis=-1)


def to_hsv(image: Array) -> tuple[Array, Array, Array]:
    """Hue in [0, 360), saturation and value, float32 [...]; cv2.cvtColor's COLOR_RGB2HSV of float images.

    Law: v the largest of r, g, b and d its distance from the smallest; s = d / (|v| + e) with e the epsilon
    of float32; h = 60 (g - b) / (d + e) where v is r, else 120 + 60 (b - r) / (d + e) where it is g, else
    240 + 60 (r - g) / (d + e); 360 more where that is below 0. v may be negative.

    Args:
        image: float32 [..., 3].
    """
    r, g, b = jnp.moveaxis(image, -1, 0)
    v = jnp.max(image, axis=-1)
    d = v - jnp.min(image, axis=-1)
    unit = 60 / (d + EPSILON)
    h = jnp.where(v == r, (g - b) * unit, jnp.where(v == g, 120 + (b - r) * unit, 240 + (r - g) * unit))
    return jnp.where(h < 0, h + 360, h), d / (jnp.abs(v) + EPSILON), v


def to_rgb(h: Array, s: Array, v: Array) -> Array:
    """The inverse of `to_hsv`, float32 [..., 3]; cv2.cvtColor's COLOR_HSV2RGB. h is in [0, 360]."""
    sixth = jnp.where(h >= 360, 0.0, h / 60)
    sector = jnp.floor(sixth)
    part = sixth - sector
    low, falling, rising = v * (1 - s), v * (1 - s * part), v * (1 - s * (1 - part))
    red = jnp.select([sector == k for k in range(6)], [v, falling, low, low, rising, v])
    green = jnp.select([sector == k for k in range(6)], [rising, v, v, falling, low, low])
    blue = jnp.select([sector == k for k in range(6)], [low, low, rising, v, v, falling])
    return jnp.stack([red, green, blue], axis=-1)
