import jax
import numpy as np
import pytest

from resizemix_jax.errors import DataError
from resizemix_jax.input.dataset import ImageSplit
from resizemix_jax.pictures import pairs
from tests import toy


def split(labels, names=()):
    label = np.array(labels, np.int32)
    images = np.random.default_rng(0).integers(0, 256, (len(label), 6, 5, 1), np.uint8)
    return ImageSplit(images, label, names)


def test_pairs_are_of_different_classes_and_no_image_is_in_two():
    data = split([0] * 20 + [1] * 5 + [2] * 5)
    chosen = pairs.choose_pairs(data, seed=0)
    assert len(chosen.label) == 2 * pairs.PAIRS
    assert (chosen.label[::2] != chosen.label[1::2]).all()
    assert len({image.tobytes() for image in chosen.images}) == 2 * pairs.PAIRS
    again, other = pairs.choose_pairs(data, seed=0), pairs.choose_pairs(data, seed=1)
    np.testing.assert_array_equal(chosen.images, again.images)
    assert (chosen.images != other.images).any()


def test_pictures_are_paired_in_their_order():
    data = split([0, 1, 2, 3, 4], ('a', 'b_c', 'd', 'e', 'f'))
    chosen = pairs.choose_pairs(data, seed=0, pictures=True)
    np.testing.assert_array_equal(chosen.images, data.images[:4])
    assert [chosen.name(i) for i in range(4)] == ['a', 'b c', 'd', 'e']


def test_one_class_makes_no_pair():
    with pytest.raises(DataError, match='two images of different classes are needed'):
        pairs.choose_pairs(split([3, 3, 3]), seed=0)


@pytest.mark.slow
def test_a_pair_is_mixed_by_the_task_until_it_can_be_seen():
    chosen = pairs.choose_pairs(split(list(range(4)) * 4), seed=0)
    images, lam = pairs.mix_pairs(toy.task(mixing='mixup'), chosen, None, seed=0)
    assert ((lam >= 0.1) & (lam <= 0.9)).all() and len(set(lam)) == pairs.PAIRS
    view = (chosen.images / 255 - 0.5) / 0.25
    expected = (1 - lam)[:, None, None, None] * view[::2] + lam[:, None, None, None] * view[1::2]
    np.testing.assert_allclose(images, expected, atol=1e-5)


@pytest.mark.slow
def test_what_never_mixes_keeps_its_first_draw():
    chosen = pairs.choose_pairs(split(list(range(4)) * 4), seed=0)
    images, lam = pairs.mix_pairs(toy.task(mixing='cutout', length=2), chosen, None, seed=0)
    view = (chosen.images[::2] / 255 - 0.5) / 0.25
    assert (lam == 0).all() and ((images == 0).sum(axis=(1, 2, 3)) >= 1).all()
    np.testing.assert_allclose(images[images != 0], view[images != 0], atol=1e-5)
    again, _ = pairs.mix_pairs(toy.task(mixing='cutout', length=2), chosen, None, seed=0)
    np.testing.assert_array_equal(images, again)


@pytest.mark.slow
def test_augmentation_is_the_same_for_every_method():
    chosen = pairs.choose_pairs(split(list(range(4)) * 4), seed=0)
    plain, _ = pairs.mix_pairs(toy.task(augment='crop_flip'), chosen, None, seed=0)
    cut, _ = pairs.mix_pairs(toy.task(augment='crop_flip', mixing='cutout', length=2), chosen, None, seed=0)
    np.testing.assert_allclose(cut[cut != 0], plain[cut != 0], atol=1e-6)
    assert jax.tree.leaves(plain)[0].shape == (pairs.PAIRS, 6, 5, 1)
