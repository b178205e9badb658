import jax
import numpy as np

from resizemix_jax import keys


def data(key):
    return tuple(np.asarray(jax.random.key_data(key)).tolist())


def test_keys_are_derived_by_seed_name_and_step():
    derived = {
        data(keys.at_step(keys.stream(keys.root(seed), name), step))
        for seed in (0, 1)
        for name in ('init', 'train')
        for step in (0, 1, 1000)
    }
    assert len(derived) == 12
    again = keys.at_step(keys.stream(keys.root(1), 'train'), 1000)
    assert data(again) in derived


def test_a_traced_step_gives_the_same_key():
    root = keys.root(3)
    assert data(jax.jit(keys.at_step)(root, 7)) == data(keys.at_step(root, 7))
