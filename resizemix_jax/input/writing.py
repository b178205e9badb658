"""Writes directories that TFDS reads, in the ArrayRecord format, without TensorFlow."""

import contextlib
import io
import pathlib
import tempfile

import tensorflow_datasets as tfds
from PIL import Image


def encode_png(image):
    """uint8 [H, W, C], C 1 or 3, as the bytes of a PNG file, at the strongest compression."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, 'PNG', optimize=True)
    return buffer.getvalue()


@contextlib.contextmanager
def whole(directory):
    """A temporary directory that becomes `directory` at the end, and is deleted if anything fails.

    It has that directory's name, in a directory of its own beside it. A process that is killed leaves that,
    under a name that begins with a dot, which nothing reads.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'.{directory.name}.', dir=directory.parent) as scratch:
        part = pathlib.Path(scratch) / directory.name
        part.mkdir()
        yield part
        part.rename(directory)


def write(directory, name, version, features, splits, **info):
    """Writes `splits` to `directory`/`name`/`version`, one shard each.

    Args:
        directory: the data_dir to read it from.
        name, version: of the dataset, e.g. 'cifar10', '3.0.2'.
        features: a `tfds.features.FeaturesDict`.
        splits: split name -> iterable of examples; an image in it is the bytes of a PNG or JPEG.
        **info: further fields of `tfds.core.DatasetInfo` (description, homepage, citation, license).

    Returns:
        The path of the written version.

    Raises:
        FileExistsError: that version exists; nothing is overwritten.
    """
    path = f'{directory}/{name}/{version}'
    pathlib.Path(path).mkdir(parents=True)
    identity = tfds.core.DatasetIdentity(
        name=name, version=tfds.core.Version(version), data_dir=path, module_name=__name__
    )
    ds_info = tfds.core.DatasetInfo(builder=identity, features=features, **info)
    # One shard a split: nothing here is large enough for a second.
    writer = tfds.core.SequentialWriter(ds_info, 1_000_000_000, file_format='array_record')
    writer.initialize_splits(list(splits))
    for split, examples in splits.items():
        writer.add_examples({split: examples})
    writer.close_all()
    return path
