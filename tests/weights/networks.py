"""Networks with the weights of tests/reference/make_weights.py."""

import functools

import jax
import numpy as np

from resizemix_jax.find import find
from resizemix_jax.run.leaves import named
from resizemix_jax.weights.torch_layout import Layout, Network
from tests.reference.make_weights import NETWORKS, inputs


def shapes_of(network, image_shape):
    """The variables of a network as shapes."""
    images = np.zeros((1, *image_shape), np.float32)
    return jax.eval_shape(functools.partial(network.init, train=False), jax.random.key(0), images)


def network(name):
    """The module of one of `NETWORKS`."""
    model, args, classes, *_ = NETWORKS[name]
    return find('models', model)(classes, **args)


def layout_and_shapes(name):
    """(Layout, template, torch name -> shape) of one of `NETWORKS`."""
    model, args, _, image_shape, _ = NETWORKS[name]
    layout = Layout(model, {'variant': 'original'} | args if model == 'wide_resnet' else args)
    variables = shapes_of(network(name), image_shape)
    shapes = Network(named(variables['params']), named(variables.get('batch_stats', {})))
    zeros = Network(
        *({path: np.zeros(leaf.shape, np.float32) for path, leaf in part.items()} for part in shapes)
    )
    return layout, shapes, {key: value.shape for key, value in layout.to_torch(zeros).items()}


def state_dict(name, network):
    """(state_dict, images, variables) of `inputs` for one of `NETWORKS`."""
    layout, shapes, torch_shapes = layout_and_shapes(name)
    weights, images = inputs(torch_shapes, NETWORKS[name][3])
    found = layout.from_torch(weights, shapes, name)
    return weights, images, found.put_into(shapes_of(network, NETWORKS[name][3]))


def apply(network, variables, images):
    """The logits as evaluation runs the network."""
    return np.asarray(jax.jit(functools.partial(network.apply, train=False))(variables, images))
