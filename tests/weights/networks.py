"""Networks with the weights of tests/reference/make_weights.py."""

import functools

import jax
import numpy as np

from resizemix_jax.find import find
from resizemix_jax.run.leaves import named
from resizemix_jax.weights.torch_layout import Layout, Network
from tests.reference.make_weights import NETWORKS, inputs


def template(network, image_shape):
    """The paths and shapes of a network, a `Network`."""
    variables = jax.eval_shape(
        functools.partial(network.init, train=False),
        jax.random.key(0),
        np.zeros((1, *image_shape), np.float32),
    )
    return Network(named(variables['params']), named(variables.get('batch_stats', {})))


def layout_and_shapes(name):
    """(Layout, template, torch name -> shape) of one of `NETWORKS`."""
    model, args, classes, image_shape, _ = NETWORKS[name]
    function = find('models', model)
    layout = Layout(model, {'variant': 'original'} | args if model == 'wide_resnet' else args)
    shapes = template(function(classes, **args), image_shape)
    zeros = Network(
        *({path: np.zeros(leaf.shape, np.float32) for path, leaf in part.items()} for part in shapes)
    )
    return layout, shapes, {key: value.shape for key, value in layout.to_torch(zeros).items()}


def state_dict(name, network):
    """(state_dict, images, variables) of `inputs` for one of `NETWORKS`."""
    layout, shapes, torch_shapes = layout_and_shapes(name)
    weights, images = inputs(torch_shapes, NETWORKS[name][3])
    found = layout.from_torch(weights, shapes, name)
    return weights, images, _nested(found)


def apply(network, variables, images):
    """The logits as evaluation runs the network."""
    return np.asarray(jax.jit(functools.partial(network.apply, train=False))(variables, images))


def _nested(network):
    variables = {}
    for field, part in zip(('params', 'batch_stats'), network, strict=True):
        for path, array in part.items():
            *parents, leaf = (field, *path.split('/'))
            functools.reduce(lambda tree, key: tree.setdefault(key, {}), parents, variables)[leaf] = array
    return variables
