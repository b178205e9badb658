"""Any image classification dataset of TFDS, streamed: --config.dataset=tfds:NAME or tfds:NAME:TRAIN:EVAL.

NAME is NAME/CONFIG where a dataset has configs. TRAIN and EVAL may be slices, by the law of TFDS:
tfds:food101:train[:90%]:train[90%:].
"""

import re

from resizemix_jax.errors import DataError
from resizemix_jax.input import reading
from resizemix_jax.input.streams import View, streamed

NEEDS = ('source', 'data_dir')
EVALUATION = ('validation', 'test')
_NAME = r'\w[\w.+-]*'
_SPLIT = r'[^:\[\]]+(?:\[[^\[\]]*\][^:\[\]]*)*'  # a colon within brackets belongs to a slice
SOURCE = re.compile(rf'({_NAME}(?:/{_NAME})?)(?::({_SPLIT}):({_SPLIT}))?')


def tfds(
    *, source, data_dir, image_size=224, eval_resize=0, resize='antialias', max_damaged=1e-4, num_classes=0
):
    """A dataset whose classes and sizes are read from its directory.

    Args:
        source: NAME or NAME/CONFIG, in TFDS, or NAME:TRAIN:EVAL with the splits to train and evaluate on; by
            default these are `train` and the first of `validation` and `test`.
        data_dir: see `reading.data_directory`.
        image_size, eval_resize, resize, max_damaged: see `streams.View`.
        num_classes: of labels that are plain integers, 0..num_classes - 1; 0 where the metadata has it.

    Raises:
        ValueError: another form of source, or a value out of range.
        DataError: it is not prepared, or lacks such splits, an image, a class label or the number of classes.
    """
    view = View(image_size, eval_resize, resize, max_damaged)
    form = SOURCE.fullmatch(source)
    if not form:
        raise ValueError(
            f"dataset='tfds:{source}' must be tfds:NAME or tfds:NAME:TRAIN:EVAL, "
            'e.g. tfds:food101:train:validation or tfds:food101:train[:90%]:train[90%:]'
        )
    name, *chosen = form.groups()
    root = reading.data_directory(data_dir)
    builder = reading.open_builder(name, root, reading.prepare_command(name, root))
    splits = chosen if all(chosen) else ('train', _evaluation(builder.info.splits))
    sizes = [reading.split_size(builder, name, split) for split in splits]
    _, label = reading.features_of(builder, name)
    return streamed(
        f'tfds:{source}',
        source=name,
        splits=dict(zip(('train', 'eval'), zip(splits, sizes, strict=True), strict=True)),
        num_classes=_num_classes(reading.num_classes_of(builder, label), num_classes, builder.data_dir),
        view=view,
    )


def _evaluation(splits):
    """The name of the split to evaluate on by default."""
    return next((split for split in EVALUATION if split in splits), 'test')


def _num_classes(stated, given, directory):
    """The number of classes: as the metadata states it, or else as the config gives it."""
    if given < 0 or (stated and given not in (0, stated)):
        raise ValueError(
            f'num_classes={given} must be {stated or "at least 1"}, or 0: as the metadata states'
        )
    if not (stated or given):
        raise DataError(
            f'{directory} does not state the number of classes: its labels are plain integers. Give it with '
            '--config.dataset_args.num_classes=K; the labels are 0..K-1'
        )
    return stated or given
