import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.detectors.faster_rcnn import enlarge, faster_rcnn


def size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


@pytest.mark.slow
def test_the_parameters_of_the_published_network():
    model = faster_rcnn(80)
    images = jax.ShapeDtypeStruct((1, 64, 96, 3), jnp.float32)
    variables = jax.eval_shape(model.init, jax.random.key(0), images)
    parts = {name: size(part) for name, part in variables['params'].items()}
    # ResNet-50 without its last layer; laterals and outputs of 256 channels; 3 anchors; two hidden layers
    assert parts['backbone'] == 25_557_032 - 2048 * 1000 - 1000
    assert parts['fpn'] == sum((c + 1) * 256 for c in (256, 512, 1024, 2048)) + 4 * (9 * 256 + 1) * 256
    assert parts['rpn'] == (9 * 256 + 1) * 256 + 257 * (3 + 12)
    assert parts['roi_head'] == (49 * 256 + 1) * 1024 + 1025 * 1024 + 1025 * (81 + 320)
    backbone = variables['params']['backbone']
    frozen = [backbone[name] for name in backbone if name.startswith(('stem', 'stage1'))]
    assert round((sum(parts.values()) - size(frozen)) / 1e6, 2) == 41.53  # as MMDetection counts what trains


def test_levels_of_any_size():
    model = faster_rcnn(3, depth=14, width=4, channels=8, hidden=16)
    images = jax.ShapeDtypeStruct((2, 64, 96, 3), jnp.float32)

    def parts(images):
        variables = model.init(jax.random.key(0), images)
        levels = model.apply(variables, images, method='pyramid')
        boxes = model.apply(variables, jnp.zeros((5, 7, 7, 8)), method='classify')
        return levels, boxes, model.apply(variables, levels, method='propose')

    levels, (logits, offsets), (proposed, moves) = jax.eval_shape(parts, images)
    assert [level.shape[1:3] for level in levels] == [(16, 24), (8, 12), (4, 6), (2, 3), (1, 2)]
    assert (logits.shape, offsets.shape) == ((5, 4), (5, 3, 4))
    assert [level.shape for level in proposed] == [(2, 3 * h * w) for _, h, w, _ in (m.shape for m in levels)]
    assert [level.shape for level in moves] == [(*level.shape, 4) for level in proposed]


def test_enlarging_repeats_the_nearest_cell():
    x = np.arange(6.0).reshape(1, 2, 3, 1)
    found = enlarge(jnp.asarray(x), (4, 5))[0, :, :, 0]
    assert found.tolist() == [[0, 0, 1, 1, 2]] * 2 + [[3, 3, 4, 4, 5]] * 2


@pytest.mark.slow
def test_the_head_reads_channels_before_places():
    """As torch flattens [C, 7, 7], so that its weights fit."""
    model = faster_rcnn(1, depth=14, width=4, channels=2, hidden=1)
    images = jnp.zeros((1, 32, 32, 3))
    variables = jax.jit(model.init)(jax.random.key(0), images)
    kernel = variables['params']['roi_head']['hidden1']['kernel']
    features = np.zeros((1, 7, 7, 2), np.float32)
    features[0, 2, 3, 1] = 1.0
    head = variables['params']['roi_head']
    hidden = max(float(kernel[49 + 2 * 7 + 3, 0]), 0.0)
    second = max(hidden * float(head['hidden2']['kernel'][0, 0]), 0.0)
    logits, _ = model.apply(variables, features, method='classify')
    np.testing.assert_allclose(logits[0], second * head['logits']['kernel'][0], rtol=1e-5)
