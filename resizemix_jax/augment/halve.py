"""Half the resolution, in the three ways that Table 6 compares."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from resizemix_jax.augment._images import augmentation
from resizemix_jax.ranges import Choice

WITHOUT_DRAW = ('full', 'center_crop', 'resize')  # methods that draw nothing, so evaluation may use them


@augmentation
def halve(key: Array | None, images: Array | np.ndarray, *, method: str = 'resize') -> Array:
    """Halves both sides of every image; an odd side loses a pixel first.

    Law, by `method`:
        full         the images as they are.
        random_crop  a window of half the side, its corner uniform over the places inside, independently per
                     image.
        center_crop  the central window, rounded to the upper left.
        resize       the whole image: bilinear with antialiasing, as Pillow and so torchvision resize,
                     rounded; within one level of Pillow, which also rounds between the two axes.

    Source: arXiv:2012.11101, section 5.3.1, which does not name the interpolation.

    Args:
        key: typed JAX key; may be None for a method of WITHOUT_DRAW.
        images: uint8 [B, H, W, C].
        method: one of METHODS.

    Returns:
        uint8 [B, H // 2, W // 2, C]; for 'full' [B, H, W, C].

    Raises:
        ValueError: an unknown method, or 'random_crop' without a key.
    """
    Choice(*METHODS).check(method=method)
    if key is None and method not in WITHOUT_DRAW:
        raise ValueError(
            f'method={method!r} draws and needs a key; these methods need none: {", ".join(WITHOUT_DRAW)}'
        )
    if method != 'full' and min(images.shape[1:3]) < 2:
        raise ValueError(f'images of {images.shape[1]} x {images.shape[2]} pixels cannot be halved')
    return METHODS[method](key, images)


def random_crop(key: Array, images: Array) -> Array:
    """See `halve`."""
    batch, height, width, _ = images.shape
    key_y, key_x = jax.random.split(key)
    y = jax.random.randint(key_y, (batch,), 0, height - height // 2 + 1)
    x = jax.random.randint(key_x, (batch,), 0, width - width // 2 + 1)
    rows, columns = y[:, None] + jnp.arange(height // 2), x[:, None] + jnp.arange(width // 2)
    return images[jnp.arange(batch)[:, None, None], rows[:, :, None], columns[:, None, :]]


def center_crop(key: Array | None, images: Array) -> Array:
    """See `halve`."""
    del key
    _, height, width, _ = images.shape
    h, w = height // 2, width // 2
    y, x = (height - h) // 2, (width - w) // 2
    return images[:, y : y + h, x : x + w]


def resize(key: Array | None, images: Array) -> Array:
    """See `halve`."""
    del key
    batch, height, width, channels = images.shape
    shape = (batch, height // 2, width // 2, channels)
    small = jax.image.resize(images.astype(jnp.float32), shape, 'linear', antialias=True)
    return jnp.clip(jnp.round(small), 0, 255).astype(jnp.uint8)


def full(key: Array | None, images: Array) -> Array:
    """See `halve`."""
    del key
    return images


METHODS: dict[str, Callable[..., Array]] = {
    'full': full,
    'random_crop': random_crop,
    'center_crop': center_crop,
    'resize': resize,
}
