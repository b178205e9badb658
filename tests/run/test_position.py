import numpy as np
import pytest

from resizemix_jax.errors import ConfigError
from resizemix_jax.input.dataset import Split
from resizemix_jax.run import position


class Made(Split):
    """67 examples: 4 batches of 16, 2 of 32, 8 of 8, 2 of 24 with 19 left out."""

    def __init__(self, size=67):
        self.size = size


class Alternating(Made):
    """Its batches are not the beginning of one order, as those of buckets are not."""

    def order(self, seed, epoch, batch):
        return super().order(seed, epoch, batch)[::-1]


@pytest.mark.parametrize(
    ('place', 'before', 'after', 'expected'),
    [
        (8, 16, 32, 4),  # the end of the second epoch
        (4, 32, 16, 8),
        (6, 16, 32, 3),  # half an epoch
        (5, 16, 8, 10),
        (5, 16, 32, None),  # half a batch
        (7, 16, 24, 4),  # 48 examples: all that batches of 24 have of an epoch
        (7, 16, 48, 2),
        (6, 16, 64, None),
        (0, 16, 64, 0),
        (3, 16, 16, 3),
    ],
)
def test_the_place_has_seen_the_same_examples(place, before, after, expected):
    split = Made()
    assert position.new_place([split], 5, place, before, after) == expected
    if expected is not None:
        seen = np.concatenate(
            [split.order(5, epoch, before).ravel() for epoch in range(3)]
        )[: place * before]  # fmt: skip
        if split.steps(before) * before == split.steps(after) * after:
            again = np.concatenate([split.order(5, epoch, after).ravel() for epoch in range(3)])
            np.testing.assert_array_equal(seen, again[: expected * after])


def test_within_an_epoch_the_orders_must_begin_alike():
    assert position.new_place([Alternating()], 5, 8, 16, 32) == 4
    assert position.new_place([Alternating()], 5, 6, 16, 32) is None
    assert position.new_place([Made()], 5, 8, 16, 32, same_data=False) == 4
    assert position.new_place([Made()], 5, 6, 16, 32, same_data=False) is None


def test_all_splits_must_agree():
    assert position.new_place([Made(), Made()], 5, 6, 16, 32) == 3
    assert position.new_place([Made(64), Made(96)], 5, 4, 16, 32) == 2
    assert position.new_place([Made(64), Made(80)], 5, 4, 16, 32) == 2  # within the second one's first epoch
    assert position.new_place([Made(64), Made(80)], 5, 8, 16, 32) is None  # 48 and 64 examples of epoch 1


def test_the_offset_keeps_the_steps_taken_and_moves_the_place():
    offset = position.change([Made()], 5, 8, 0, 16, 32)
    assert 8 - offset == 4  # the end of epoch 2 of 2 steps each
    again = position.change([Made()], 5, 10, offset, 32, 8)  # a whole epoch later
    assert 10 - again == 24
    with pytest.raises(
        ConfigError, match=r'batch_size=64 .* at step 9.*16 examples.*until step 12, or'
    ) as error:
        position.change([Made()], 5, 9, 0, 16, 64)
    assert error.value.exit_code == 2
    with pytest.raises(ConfigError, match='until step 14, or'):  # the offset is 4 here
        position.change([Made()], 5, 13, 4, 16, 32)


def test_a_run_cannot_become_shorter_than_it_is():
    position.check_length(8, 8, 4)
    with pytest.raises(ConfigError, match='is at epoch 2.25 and would have ended at epoch 2;'):
        position.check_length(9, 8, 4)


def test_what_a_change_does_is_said():
    text = position.described([('batch_size', 16, 32), ('epochs', 3, 4)], 8, 4, 8, 2)
    assert text.startswith(
        'batch_size: 16 -> 32, epochs: 3 -> 4. The run continues after step 8, at epoch 2 of 4'
    )
    assert text.endswith('from its step 4 of 8')
