"""Half the resolution, in the three ways that Table 6 compares; H // 2 x W // 2 pixels are left.

Source: arXiv:2012.11101, section 5.3.1, which does not name the interpolation.
"""

import jax
import jax.numpy as jnp


def random_crop(key, images):
    """A window of half the side, its corner uniform over the places that are inside, for every image.

    Args:
        key: typed JAX key.
        images: uint8 [B, H, W, C].

    Returns:
        uint8 [B, H // 2, W // 2, C].
    """
    batch, height, width, _ = images.shape
    key_y, key_x = jax.random.split(key)
    y = jax.random.randint(key_y, (batch,), 0, height - height // 2 + 1)
    x = jax.random.randint(key_x, (batch,), 0, width - width // 2 + 1)
    rows, columns = y[:, None] + jnp.arange(height // 2), x[:, None] + jnp.arange(width // 2)
    return images[jnp.arange(batch)[:, None, None], rows[:, :, None], columns[:, None, :]]


def center_crop(key, images):
    """The window in the middle; of two middles the upper left one. Shapes as in `random_crop`."""
    del key
    _, height, width, _ = images.shape
    h, w = height // 2, width // 2
    y, x = (height - h) // 2, (width - w) // 2
    return images[:, y : y + h, x : x + w]


def resize(key, images):
    """The whole image: bilinear with antialiasing, as Pillow and so torchvision resize an image.

    Rounded to uint8, at most one level off Pillow, which rounds between the two axes too. Shapes as in
    `random_crop`.
    """
    del key
    batch, height, width, channels = images.shape
    shape = (batch, height // 2, width // 2, channels)
    small = jax.image.resize(images.astype(jnp.float32), shape, 'linear', antialias=True)
    return jnp.clip(jnp.round(small), 0, 255).astype(jnp.uint8)


def full(key, images):
    """The image as it is: no halving."""
    del key
    return images


METHODS = {'full': full, 'random_crop': random_crop, 'center_crop': center_crop, 'resize': resize}
WITHOUT_DRAW = ('full', 'center_crop', 'resize')  # what evaluation may do
