"""CIFAR-10-C and CIFAR-100-C as published: the test images under 19 corruptions at five severities.

--config.dataset=cifar_c:/path/CIFAR-10-C is the published folder of .npy files (zenodo.org/records/2535967;
for CIFAR-100-C 3555552); --config.dataset=cifar_c is TFDS's cifar10_corrupted/NAME_SEVERITY, prepared as any
other.
"""

import os
import pathlib

import numpy as np

from resizemix_jax.datasets.cifar10 import MEAN, STD
from resizemix_jax.errors import DataError, nearest
from resizemix_jax.input import reading
from resizemix_jax.input.dataset import Dataset, ImageSplit, image_arrays
from resizemix_jax.ranges import Choice, Whole

NEEDS = ('source',)
SEVERITIES = 5
LABELS = 'labels'  # the file that holds the labels, not images
CLASSES = 'airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'
CORRUPTIONS = (
    'brightness', 'contrast', 'defocus_blur', 'elastic_transform', 'fog', 'frost', 'gaussian_blur',
    'gaussian_noise', 'glass_blur', 'impulse_noise', 'jpeg_compression', 'motion_blur', 'pixelate',
    'saturate', 'shot_noise', 'snow', 'spatter', 'speckle_noise', 'zoom_blur',
)  # fmt: skip
IN_TFDS = {'glass_blur': 'frosted_glass_blur', 'elastic_transform': 'elastic'}


def cifar_c(*, source, corruption='gaussian_noise', severity=0, num_classes=10):
    """One corruption, to evaluate on; `train` is the same images, and not to be trained on.

    They have the constants of CIFAR's normalisation, so a network that was trained on CIFAR sees them as it
    should (`tfds:cifar10_corrupted/...` would resize them and take ImageNet's).

    Args:
        source: the folder of .npy files, or '' for TFDS, which has CIFAR-10-C alone.
        corruption: the name of a file in the folder, without .npy.
        severity: 1 to 5, or 0 for all of them, one after the other (50,000 images); TFDS has one at a time.
        num_classes: 10 or 100.

    Raises:
        ValueError: a value out of range.
        DataError: the folder lacks these files, or they are of another kind.
    """
    Choice(*CORRUPTIONS).check('dataset_args.', corruption=corruption)
    Whole(0 if source else 1, SEVERITIES).check('dataset_args.', severity=severity)
    if num_classes not in ((10, 100) if source else (10,)):
        raise ValueError(
            f'dataset_args.num_classes={num_classes} must be 10 or 100; 100 only with a folder, '
            '--config.dataset=cifar_c:/path/CIFAR-100-C'
        )
    if not source:
        name = f'cifar10_corrupted/{IN_TFDS.get(corruption, corruption)}_{severity}'
        splits = dict.fromkeys(('train', 'eval'), ('test', 10_000))
        return reading.in_memory(
            'cifar_c', source=name, splits=splits, image_shape=(32, 32, 3), num_classes=10, mean=MEAN, std=STD
        )
    folder = pathlib.Path(os.path.expanduser(source))
    images, label, files = _arrays(folder, corruption, num_classes)
    part = len(label) // SEVERITIES
    rows = slice((severity - 1) * part, severity * part) if severity else slice(None)
    split = ImageSplit(images[rows], label[rows], CLASSES if num_classes == 10 else (), files)
    return Dataset(
        name=f'cifar_c:{source}',
        buckets=image_arrays(images.shape[1:]),
        num_classes=num_classes,
        sizes={'train': split.size, 'eval': split.size},
        mean=MEAN,
        std=STD,
        reader=lambda name, data_dir: split,
    )


def _arrays(folder, corruption, num_classes):
    """(images uint8 [N, H, W, 3], mapped and not read; label int32 [N]; names and sizes of both files)."""
    paths = [folder / f'{name}.npy' for name in (corruption, LABELS)]
    images, label = map(_load, paths)
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise DataError(f'{paths[0]} holds {images.dtype}{list(images.shape)}, not uint8 images [N, H, W, 3]')
    if label.shape != images.shape[:1] or len(label) % SEVERITIES or not len(label):
        raise DataError(
            f'{paths[1]} has the shape {list(label.shape)}, and {paths[0].name} has {len(images)} images: '
            f'there must be a label each, and as many of each of the {SEVERITIES} severities'
        )
    if not 0 <= label.min() <= label.max() < num_classes:
        raise DataError(
            f'{paths[1]} has labels in {label.min()}..{label.max()}, not 0..{num_classes - 1}; CIFAR-100-C '
            'needs --config.dataset_args.num_classes=100'
        )
    return images, np.asarray(label, np.int32), tuple((p.name, p.stat().st_size) for p in paths)


def _load(path):
    try:
        return np.load(path, mmap_mode='r')
    except FileNotFoundError as error:
        there = sorted(p.stem for p in path.parent.glob('*.npy'))
        raise DataError(
            f'there is no {path}; the folder has: {", ".join(there) or "no .npy files"}'
            f'{nearest(path.stem, there)}. Name the unpacked CIFAR-10-C: --config.dataset=cifar_c:/path'
        ) from error
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f'{path} cannot be read: {error}; unpack it again') from error
