"""Any image classification dataset of TFDS, streamed: --config.dataset=tfds:NAME or tfds:NAME:TRAIN:EVAL."""

from resizemix_jax.errors import DataError
from resizemix_jax.input import reading
from resizemix_jax.input.streams import View, streamed

NEEDS = ('source', 'data_dir')
EVALUATION = ('validation', 'test')


def tfds(*, source, data_dir, image_size=224, eval_resize=0, resize='antialias', max_damaged=1e-4):
    """A dataset whose classes and sizes are read from its directory.

    Args:
        source: NAME, in TFDS, or NAME:TRAIN:EVAL with the splits to train and evaluate on; by default these
            are `train` and the first of `validation` and `test`.
        data_dir: see `reading.data_directory`.
        image_size, eval_resize, resize, max_damaged: see `streams.View`.

    Raises:
        ValueError: another form of source, or a value out of range.
        DataError: it is not prepared, or lacks such splits, an image or a class label.
    """
    view = View(image_size, eval_resize, resize, max_damaged)
    name, *chosen = source.split(':')
    if not name or len(chosen) not in (0, 2) or '/' in name:
        raise ValueError(
            f"dataset='tfds:{source}' must be tfds:NAME or tfds:NAME:TRAIN:EVAL, "
            'e.g. tfds:food101:train:validation'
        )
    root = reading.data_directory(data_dir)
    builder = reading.open_builder(name, root, reading.prepare_command(name, root))
    sizes = {split: info.num_examples for split, info in builder.info.splits.items()}
    train, evaluation = chosen or ('train', next((split for split in EVALUATION if split in sizes), 'test'))
    for split in (train, evaluation):
        if split not in sizes:
            raise DataError(
                f'{name}: {builder.data_dir} has no split {split!r}; it has {", ".join(sizes)}. '
                f'Choose two with --config.dataset=tfds:{name}:TRAIN:EVAL'
            )
    _, label = reading.features_of(builder, name)
    return streamed(
        f'tfds:{source}',
        source=name,
        splits={'train': (train, sizes[train]), 'eval': (evaluation, sizes[evaluation])},
        num_classes=builder.info.features[label].num_classes,
        view=view,
    )
