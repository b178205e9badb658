"""ImageNet (Russakovsky et al., 2015), ILSVRC 2012: 1000 classes, 224 x 224; TFDS `imagenet2012`."""

from resizemix_jax.data.dataset import Dataset
from resizemix_jax.errors import DataError


def imagenet():
    """1,281,167 training images; the 50,000 validation images for evaluation.

    The network sees 224 x 224 crops. What reads them from disk is not built yet, so a row of Table 4
    resolves and builds its network, and stops where it would open the data.
    """
    return Dataset(
        name='imagenet',
        image_shape=(224, 224, 3),
        num_classes=1000,
        train_size=1_281_167,
        eval_size=50_000,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        read=_read,
    )


def _read(split, data_dir):
    raise DataError(
        f'imagenet: the pipeline that streams {split!r} is not built yet. To try the network, its memory and '
        'its speed, use made-up images of the same shape: --config=configs/fake.py:model=resnet50'
    )
