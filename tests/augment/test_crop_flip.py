import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.augment.crop_flip import crop_flip
from resizemix_jax.augment.none import none


def reference(image, y, x, padding, mirror):
    height, width, _ = image.shape
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    crop = padded[y : y + height, x : x + width]
    return crop[:, ::-1] if mirror else crop


@pytest.mark.parametrize('flip', [True, False])
def test_every_output_is_a_crop_and_all_are_drawn_equally(flip, key):
    image = np.arange(1, 5 * 4 + 1, dtype=np.uint8).reshape(5, 4, 1)  # no pixel twice, none black
    known = {
        reference(image, y, x, 1, mirror).tobytes(): (y, x, mirror)
        for y in range(3)
        for x in range(3)
        for mirror in ((False, True) if flip else (False,))
    }
    images = jnp.broadcast_to(image, (9000, *image.shape))
    out = np.asarray(
        jax.jit(crop_flip, static_argnames=('padding', 'flip'))(key, images, padding=1, flip=flip)
    )
    counts = {}
    for one in out:
        drawn = known[one.tobytes()]  # KeyError: not a crop of the padded image
        counts[drawn] = counts.get(drawn, 0) + 1
    expected = 9000 / len(known)
    assert len(counts) == len(known) == (18 if flip else 9)
    assert max(abs(count - expected) for count in counts.values()) < 6 * expected**0.5
    assert out.dtype == np.uint8


@pytest.mark.slow
def test_no_padding_and_no_flip_change_nothing(key):
    images = jax.random.randint(key, (3, 6, 5, 2), 0, 256).astype(jnp.uint8)
    np.testing.assert_array_equal(crop_flip(key, images, padding=0, flip=False), images)
    np.testing.assert_array_equal(none(key, images), images)


def test_bad_padding_is_refused(key):
    with pytest.raises(ValueError, match='padding=-1 must be from 0 to'):
        crop_flip(key, jnp.zeros((1, 4, 4, 1), jnp.uint8), padding=-1)
