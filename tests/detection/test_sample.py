import functools

import jax
import numpy as np
import pytest

from resizemix_jax.detection import sample as module
from resizemix_jax.detection.assign import BACKGROUND, IGNORED
from resizemix_jax.detection.sample import sample

SAMPLE = jax.jit(sample, static_argnames=('size', 'positive_share'))


def assigned(positive, background, ignored):
    array = np.repeat([2, BACKGROUND, IGNORED], (positive, background, ignored)).astype(np.int32)
    return np.random.RandomState(0).permutation(array)


@pytest.mark.parametrize(
    ('members', 'counts'),
    [
        ((200, 1000, 50), (128, 128)),  # as many as there may be of both
        ((20, 1000, 50), (20, 236)),  # background fills up
        ((200, 30, 50), (128, 30)),  # scarce background is not replaced
        ((0, 10, 5), (0, 10)),
        ((3, 0, 300), (3, 0)),
        ((0, 0, 4), (0, 0)),
    ],
)
def test_how_many_are_drawn(key, members, counts):
    array = assigned(*members)
    found = SAMPLE(key, array, **module.RPN)
    assert found.rows.shape == found.positive.shape == found.valid.shape == (256,)
    index, positive, valid = map(np.asarray, found)
    assert (positive.sum(), (valid & ~positive).sum()) == counts
    assert len({*index[valid]}) == sum(counts)
    assert (array[index[positive]] == 2).all() and (array[index[valid & ~positive]] == BACKGROUND).all()
    assert (index[~valid] == 0).all() and not positive[~valid].any()


def test_every_member_is_drawn_equally_often(key):
    """128 of 200 positives: the share of draws is .64 for each."""
    array = assigned(200, 1000, 50)
    draw = jax.jit(jax.vmap(functools.partial(sample, **module.RPN), (0, None)))
    found = draw(jax.random.split(key, 400), array)
    often = np.zeros(len(array))
    np.add.at(often, np.asarray(found.rows)[np.asarray(found.valid)], 1)
    for member, share in ((2, 0.64), (BACKGROUND, 0.128)):
        deviation = np.sqrt(share * (1 - share) / 400)
        assert abs(often[array == member] / 400 - share).max() < 4.5 * deviation


def test_more_padding_changes_no_draw(key):
    array = assigned(20, 60, 5)
    few = SAMPLE(key, array, size=32, positive_share=0.25)
    more = SAMPLE(key, np.append(array, np.full(40, IGNORED, np.int32)), size=32, positive_share=0.25)
    for a, b in zip(few, more, strict=True):
        np.testing.assert_array_equal(a, b)


def test_numbers_out_of_range(key):
    with pytest.raises(ValueError, match='size=0 must be'):
        sample(key, assigned(1, 1, 1), size=0, positive_share=0.5)
    with pytest.raises(ValueError, match='positive_share=2 must be'):
        sample(key, assigned(1, 1, 1), size=4, positive_share=2)
