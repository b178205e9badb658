"""Any classification dataset of TFDS, streamed: --config.dataset=tfds:food101."""

from resizemix_jax.data import reading, streaming
from resizemix_jax.errors import DataError

EVALUATION = ('validation', 'test')


def tfds(
    *,
    source='',
    train='train',
    eval='',
    image_size=224,
    eval_resize=0,
    resize='linear',
    max_damaged=1e-4,
    data_dir='',
):
    """Of the classes and the sizes that are written in its directory.

    Args:
        source: its name in TFDS.
        train, eval: the names of its splits; '' is the first of `validation` and `test`.
        image_size, eval_resize, resize, max_damaged: see `stream.View`.

    Raises:
        ValueError: no source.
        DataError: it is not prepared, or lacks such splits, an image or a label.
    """
    if not source:
        raise ValueError("dataset='tfds' needs a name: --config.dataset=tfds:NAME, e.g. tfds:food101")
    root = reading.data_directory(data_dir)
    builder = reading.open_builder(source, root, reading.prepare_command(source, root))
    sizes = {name: split.num_examples for name, split in builder.info.splits.items()}
    chosen = {'train': train, 'eval': eval or next((name for name in EVALUATION if name in sizes), 'test')}
    for key, name in chosen.items():
        if name not in sizes:
            raise DataError(
                f'{source}: {builder.data_dir} has no split {name!r}; it has {", ".join(sizes)}. Choose with '
                f'--config.dataset_args.{key}=SPLIT'
            )
    _, label = streaming.features_of(builder, source)
    return streaming.dataset(
        f'tfds:{source}',
        source=source,
        splits={key: (name, sizes[name]) for key, name in chosen.items()},
        num_classes=builder.info.features[label].num_classes,
        view=streaming.View(image_size, eval_resize, resize, max_damaged),
    )
