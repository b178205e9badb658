"""A set made by --mode=generate: training images and their mixtures, labelled by a teacher.

It is a TFDS directory, DATA_DIR/generated/1.0.0, whose metadata.json holds sizes, classes and normalisation.
"""

import json
import pathlib

from resizemix_jax.errors import DataError
from resizemix_jax.input import reading
from resizemix_jax.ranges import POSITIVE, Number, Several, Whole

NEEDS = ('data_dir',)
NAME, VERSION = 'generated', '1.0.0'
COMMAND = 'python main.py --mode=generate --config=FILE --workdir=TEACHER_RUN --output=DIR'
UNDIVIDED = 'it holds mixtures of its own images, and what is held out would be in them; set held_out=0'
ABOUT = {
    'train_size': Whole(1),
    'eval_size': Whole(1),
    'image_shape': Several(Whole(1), 3),
    'num_classes': Whole(2),
    'mean': Several(Number()),
    'std': Several(POSITIVE),
}  # of metadata.json
DESCRIPTION = (
    'train: the original training images, then mixtures of them (SuperMix), each labelled with the class '
    'that a teacher predicts for the mixture. test: the original images.'
)


def generated(*, data_dir):
    """A dataset whose sizes, classes and normalisation are read from its directory.

    Args:
        data_dir: the directory that --mode=generate wrote.

    Raises:
        DataError: `data_dir` holds no such set.
    """
    root = reading.data_directory(data_dir)
    file = root / NAME / VERSION / 'metadata.json'
    if not file.is_file():
        raise DataError(
            f'{root} holds no generated set. Name the directory of one with --config.data_dir=DIR, or make '
            f'one from the training images and a trained network:\n    {COMMAND}'
        )
    about = _about(file)
    made = reading.in_memory(
        NAME,
        splits={'train': ('train', about['train_size']), 'eval': ('test', about['eval_size'])},
        image_shape=tuple(about['image_shape']),
        num_classes=about['num_classes'],
        mean=tuple(about['mean']),
        std=tuple(about['std']),
        directory=str(root),
        command=COMMAND,
    )
    return made._replace(undivided=UNDIVIDED)


def _about(file):
    """What metadata.json says; raises DataError if it says not all."""
    try:
        about = json.loads(file.read_bytes())
        for name, allowed in ABOUT.items():
            allowed.check(**{name: about[name]})
    except (OSError, KeyError, TypeError, ValueError) as error:
        reason = f'it has no {error}' if isinstance(error, KeyError) else str(error)
        raise DataError(f'{file} is damaged: {reason}. Generate the set again:\n    {COMMAND}') from error
    return about


def write(directory, dataset, train, evaluation, **origin):
    """Writes such a set; `directory` appears only when it is complete.

    Args:
        directory: the data_dir to read it from; must not exist.
        dataset: the `Dataset` of the images.
        train, evaluation: `ImageSplit`s of 1 or 3 channels.
        **origin: further metadata.
    """
    import tensorflow_datasets as tfds

    from resizemix_jax.input import writing

    label = dict(names=train.names) if train.names else dict(num_classes=dataset.num_classes)
    features = tfds.features.FeaturesDict(
        {
            'image': tfds.features.Image(shape=dataset.image_shape, encoding_format='png'),
            'label': tfds.features.ClassLabel(**label),
        }
    )
    about = dict(
        origin, image_shape=dataset.image_shape, num_classes=dataset.num_classes, mean=dataset.mean,
        std=dataset.std, train_size=train.size, eval_size=evaluation.size,
    )  # fmt: skip
    splits = {'train': _examples(writing, train), 'test': _examples(writing, evaluation)}
    with writing.whole(pathlib.Path(directory)) as part:
        writing.write(
            part, NAME, VERSION, features, splits,
            description=DESCRIPTION, metadata=tfds.core.MetadataDict(about),
        )  # fmt: skip


def _examples(writing, split):
    for image, label in zip(split.images, split.label, strict=True):
        yield {'image': writing.encode_png(image), 'label': int(label)}
