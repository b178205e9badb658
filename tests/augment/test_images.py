import inspect

import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.augment._images import augmentation, check_images


@augmentation
def double(key, images, *, times=2):
    """Law: doubled."""
    assert isinstance(images, jnp.ndarray)
    return images * times


def test_a_member_keeps_its_signature_and_gets_a_jax_array():
    assert double.__name__ == 'double' and double.__doc__ == 'Law: doubled.'
    assert list(inspect.signature(double).parameters) == ['key', 'images', 'times']
    images = np.ones((1, 2, 3, 1), np.uint8)
    np.testing.assert_array_equal(double(None, images, times=3), 3 * images)
    with pytest.raises(ValueError, match=r'images must be uint8 \[B, H, W, C\]; got float32\[1, 2, 3, 1\]'):
        double(None, images.astype(np.float32))


def test_images_pass_unchanged():
    images = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1)
    np.testing.assert_array_equal(check_images(images), images)
