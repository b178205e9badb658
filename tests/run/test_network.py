import jax
import numpy as np
import pytest

from resizemix_jax import build
from resizemix_jax.devices import parallel
from resizemix_jax.run import network
from resizemix_jax.run.checkpoint import Checkpoints
from tests import tiny


@pytest.mark.slow
def test_the_best_network_is_restored_or_else_the_newest(tmp_path):
    plan = build.plan(tiny.config())
    run = build.open_run(plan)
    assert network.restore(plan, tmp_path) is None and not list(tmp_path.iterdir())
    state = build.initial_state(run)
    with Checkpoints(tmp_path, 1) as checkpoints:
        checkpoints.save(state.replace(step=state.step + 8), 8)
    assert network.restore(plan, tmp_path).step == 8
    doubled = state.replace(step=state.step + 4, params=jax.tree.map(lambda p: 2 * p, state.params))
    with Checkpoints(tmp_path, 1) as checkpoints:
        checkpoints.save_best(doubled, 4)
    best = network.restore(plan, tmp_path)
    assert best.step == 4
    jax.tree.map(np.testing.assert_array_equal, best.params, parallel.to_host(doubled.params))
    images = np.zeros((3, 8, 8, 1), np.float32)
    variables = {'params': doubled.params, 'batch_stats': doubled.batch_stats}
    expected = plan.task.model.apply(variables, images, train=False)
    np.testing.assert_allclose(best.logits(plan.task.model, images), expected, atol=1e-6)
