"""The small scale of every network: what `scale=small` trains in its place, in minutes on a CPU."""

from collections.abc import Callable
from typing import NamedTuple

from resizemix_jax import recipes


class Small(NamedTuple):
    """A small scale, not the paper's: minutes on a CPU, to see that a row runs, whatever its data are.

    Attributes:
        name: of the network and the data, in the names of directories.
        keys: function from the recipe to the keys of the config.
    """

    name: str
    keys: Callable


def _wrn10_1(recipe):
    """A Wide ResNet 10-1, 6 epochs of batch 32 on the 10,000 embedded images; else as `recipes.wrn28_10`."""
    keys = recipes.wrn28_10(recipe)
    keys['model_args'] |= dict(depth=10, width=1)
    return keys | dict(dataset='fashion_mnist_10k', batch_size=32, epochs=6, log_every_steps=104)


def _resnet14(recipe):
    """A ResNet-14 of width 16 on the same images enlarged to 64 pixels; else as `_wrn10_1`."""
    model = dict(model='resnet', model_args=dict(depth=14, width=16))
    return _wrn10_1(recipe) | model | dict(dataset_args=dict(image_size=64))


def _scenes(recipe):
    """A detector on the embedded scenes of 64 pixels: 15 epochs of batch 32, lr 0.03, cosine."""
    del recipe
    return dict(
        dataset='fashion_scenes',
        batch_size=32,
        epochs=15,
        optimizer_args=dict(nesterov=False, weight_decay=5e-4),
        schedule_args=dict(lr=0.03),
    )


def _ssd64(recipe):
    """SSD on the ResNet-14."""
    return _scenes(recipe) | dict(task='detect_ssd', model='ssd64')


def _small_rcnn(recipe):
    """Faster R-CNN on the ResNet-14, with few proposals and squares of 16 to 256 pixels."""
    task_args = dict(
        frozen_stages=0, anchor_scale=4.0, candidates=128, eval_candidates=128, proposals=32, rpn_sample=64,
        head_sample=16,
    )  # fmt: skip
    model_args = dict(depth=14, width=16, channels=64, hidden=128, backbone_norm='train')
    model = dict(model='faster_rcnn', model_args=model_args)
    return _scenes(recipe) | dict(task='detect_rcnn', task_args=task_args) | model


def small(network):
    """The `Small` of a key of `recipes.NETWORKS`: a ResNet's is a ResNet, a detector's a detector.

    All others' are one Wide ResNet.
    """
    if network.startswith('ssd300'):
        return Small('ssd64_fashion_scenes', _ssd64)
    if network.startswith('faster_rcnn'):
        return Small('faster_rcnn_fashion_scenes', _small_rcnn)
    if network.startswith('resnet'):
        return Small('resnet14_fashion_mnist_10k', _resnet14)
    return Small('wrn10_1_fashion_mnist_10k', _wrn10_1)


def fit_small(config):
    """Fits a row to the images of `small`: Cutout's square covers the share that it covers of CIFAR's."""
    if config.mixing == 'cutout':
        config.mixing_args.length = (
            config.mixing_args.length * config.dataset_args.get('image_size', 28) // 32
        )
