import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing.cutout import cutout
from tests.mixing import coded

KEYS = jax.random.split(jax.random.key(4), 500)


@pytest.mark.slow
def test_one_clipped_square_an_image():
    images, labels = jnp.ones((8, 32, 32, 1)), jnp.eye(8)
    mixed, mixed_labels = coded.many(functools.partial(cutout, length=16), KEYS, images, labels)
    holes = mixed[..., 0] == 0
    height, width = holes.any(axis=3).sum(axis=2), holes.any(axis=2).sum(axis=2)
    np.testing.assert_array_equal(holes.sum(axis=(2, 3)), height * width)  # a full rectangle
    assert height.max() == width.max() == 16 and height.min() == width.min() == 8
    # Whole where the centre is in rows 8..24 of 0..31, 17 of 32.
    assert (height == 16).mean() == pytest.approx(17 / 32, abs=6 * 0.5 / 4000**0.5)
    assert (mixed[~holes[..., None]] == 1).all()
    np.testing.assert_array_equal(mixed_labels, np.broadcast_to(labels, mixed_labels.shape))


@pytest.mark.slow
def test_every_image_has_its_own_square(key):
    mixed, _ = cutout(key, jnp.ones((8, 32, 32, 1)), jnp.eye(8))
    assert len({np.asarray(image).tobytes() for image in mixed}) > 4


@pytest.mark.slow
def test_bad_length_is_refused(key):
    with pytest.raises(ValueError, match='length=0 must be from 1 to'):
        cutout(key, *coded.batch(2), length=0)
