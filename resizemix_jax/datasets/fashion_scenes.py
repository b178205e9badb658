"""Small scenes of garments with their boxes, made from the embedded pictures: detection on any machine."""

import numpy as np

from resizemix_jax.datasets import _scenes
from resizemix_jax.datasets.fashion_mnist_10k import fashion_mnist_10k
from resizemix_jax.input.boxes import BoxSplit, arrays
from resizemix_jax.input.dataset import Dataset
from resizemix_jax.ranges import Whole

SEEDS = {'train': 1, 'eval': 2}
MEAN, STD = (0.288,), (0.201,)  # of the scenes at the defaults
LARGEST = 256  # pixels of a side


def fashion_scenes(*, side=64, train_size=3000, eval_size=500, most=4):
    """Scenes of 1 to `most` garments of ten classes; nothing to prepare. The law is in `_scenes`.

    Scene i of a split is drawn from numpy.random.default_rng((seed, i)), seed 1 for training and 2 for
    evaluation, with pictures of that split of `fashion_mnist_10k` alone. So a larger size adds scenes and
    changes none.

    Args:
        side: pixels, 40 to 256.
        train_size, eval_size: scenes, 1 to 100,000.
        most: garments in a scene, 1 to 16.

    Raises:
        ValueError: a number out of range.
    """
    Whole(max(_scenes.SIDES), LARGEST).check(side=side)
    Whole(1, 100_000).check(train_size=train_size, eval_size=eval_size)
    Whole(1, 16).check(most=most)
    sizes = {'train': train_size, 'eval': eval_size}
    garments = fashion_mnist_10k()

    def read(split, data_dir):
        found = garments.read(split, data_dir)
        pictures, label = found.images[..., 0], found.label
        drawn = [
            _scenes.draw(np.random.default_rng((SEEDS[split], i)), pictures, label, side, most)
            for i in range(sizes[split])
        ]
        images = np.stack([image for image, _, _ in drawn])[..., None]
        examples = [(boxes.astype(np.float32), classes) for _, boxes, classes in drawn]
        return BoxSplit(images, examples, most, found.names, found.files)

    return Dataset(
        name='fashion_scenes',
        buckets=(arrays((side, side, 1), most),),
        num_classes=garments.num_classes,
        sizes=sizes,
        mean=MEAN,
        std=STD,
        reader=read,
        undivided='an image of several classes cannot be held out by its class; set held_out=0',
    )
