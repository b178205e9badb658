import jax
import numpy as np
import pytest

from resizemix_jax import perturbations
from resizemix_jax.errors import ConfigError
from tests import toy

IMAGES = np.full((6, 28, 32, 3), 200, np.uint8)


def test_names_are_chosen_or_refused():
    assert [one.name for one in perturbations.choose(['half', 'fgsm', 'half'])] == ['half', 'fgsm']
    everything = [one.name for one in perturbations.choose(['all'])]
    assert everything[:3] == ['fgsm', 'occlusion', 'half'] and perturbations.choose([]) == ()
    with pytest.raises(ConfigError, match='--robustness=fsgm must be of: all, .*; did you mean fgsm?'):
        perturbations.choose(['fsgm'])
    with pytest.raises(ConfigError, match='--robustness=frost: its law pastes photographs'):
        perturbations.choose(['frost'])


@pytest.mark.parametrize('percent', perturbations.PERCENT)
@pytest.mark.slow
def test_so_many_cells_are_black(percent):
    made = perturbations.occlude(perturbations.row_keys('a', np.arange(6)), IMAGES, percent)
    black = (np.asarray(made) == 0).all(-1)
    assert ((np.asarray(made) == 200).all(-1) ^ black).all()
    corners = (np.arange(14) * 28 // 14)[:, None], -(-np.arange(14) * 32 // 14)  # a pixel of every cell
    assert (black[:, *corners].sum((1, 2)) == percent * 196 // 100).all()
    assert len({image.tobytes() for image in black}) == 6  # each image has draws of its own
    assert perturbations.occlude(perturbations.row_keys('a', np.arange(2)), IMAGES[:2, :5, :3], percent).any()


@pytest.mark.slow
def test_draws_are_of_the_row_alone():
    keys = perturbations.row_keys('a', np.arange(6))
    whole = perturbations.occlude(keys, IMAGES, 50)
    part = perturbations.occlude(perturbations.row_keys('a', np.array([4, 2])), IMAGES[:2], 50)
    np.testing.assert_array_equal(part, whole[np.array([4, 2])])
    other = perturbations.occlude(perturbations.row_keys('b', np.arange(6)), IMAGES, 50)
    assert (np.asarray(other) != whole).any()


@pytest.mark.slow
def test_fgsm_follows_the_sign_of_the_gradient_and_raises_the_loss():
    task = toy.task()
    state, batch = toy.state(task), toy.batch(16) | {'valid': np.ones(16, np.float32)}
    batch['images'][0] = 255
    moved = perturbations.fgsm(task, state, batch, 4)
    labels = np.eye(4)[batch['label']]
    flat = (batch['images'].reshape(16, -1) / 255 - task.dataset.mean[0]) / task.dataset.std[0]
    kernel, bias = state.params['Dense_0']['kernel'], state.params['Dense_0']['bias']
    slope = (jax.nn.softmax(flat @ kernel + bias) - labels) @ kernel.T
    expected = np.clip(batch['images'] + 4 * np.sign(slope).reshape(batch['images'].shape), 0, 255)
    np.testing.assert_array_equal(moved, expected)
    assert moved.dtype == np.uint8

    def loss(images):
        return task.measure(state.params, {}, batch | {'images': images})[0]['loss']

    assert loss(moved) > loss(batch['images'])
