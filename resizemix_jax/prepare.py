"""Prepares a dataset of TFDS once; training then needs no TensorFlow.

    pip install 'resizemix-jax[prepare]'
    python -m resizemix_jax.prepare cifar100 [--data_dir=DIR] [--dry_run]

Downloads with TFDS and writes ArrayRecord files to DIR (default: $TFDS_DATA_DIR, or ~/tensorflow_datasets).
An existing copy is used, in TFRecord files, too. imagenet2012 has no public download: put
ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar into DIR/downloads/manual, or name their directory with
--manual_dir.

mnist, fashion_mnist and kmnist are also prepared, without TensorFlow and without a network, from the files in
which they were published (train-images-idx3-ubyte.gz, ...), in the directory that --manual_dir names:

    apt-get install dataset-fashion-mnist
    python -m resizemix_jax.prepare fashion_mnist --manual_dir=/usr/share/datasets/fashion-mnist

Exit codes: 0: prepared, already prepared, or could be prepared (--dry_run); 2: it cannot be prepared.
"""

import argparse
import contextlib
import difflib
import importlib.util
import shutil
import sys

from resizemix_jax.errors import DataError, RunError, local
from resizemix_jax.input import idx, reading, writing

# The organisers' files, bytes. The test images, which have no labels, are not needed.
ARCHIVES = {
    'imagenet2012': {'ILSVRC2012_img_train.tar': 147_897_477_120, 'ILSVRC2012_img_val.tar': 6_744_924_160}
}
# Those that are published as IDX files.
IDX = ('mnist', 'fashion_mnist', 'kmnist')
# TFDS sorts all examples into temporary files before it writes the final ones.
COPIES = 2


def main(argv=None):
    """Prepares the dataset named by the arguments; returns the exit code."""
    parser = argparse.ArgumentParser(prog='python -m resizemix_jax.prepare')
    parser.add_argument('name', help='the dataset in TFDS, e.g. cifar100, imagenette/full-size-v2')
    parser.add_argument(
        '--data_dir', default='', help='where to write it; default: $TFDS_DATA_DIR, or ~/tensorflow_datasets'
    )
    parser.add_argument(
        '--manual_dir', default='', help='directory of archives; default: DATA_DIR/downloads/manual'
    )
    parser.add_argument('--dry_run', action='store_true', help='report what is needed, and prepare nothing')
    args = parser.parse_args(argv)
    try:
        root = reading.data_directory(args.data_dir, '--data_dir')
        manual = local(args.manual_dir or root / 'downloads' / 'manual', '--manual_dir').expanduser()
        if args.manual_dir and args.name in IDX:
            return _prepare_idx(args.name, root, manual, args.dry_run)
        return _prepare(args.name, root, manual, args.dry_run)
    except RunError as error:
        sys.stderr.write(f'{error}\n')
    except OSError as error:  # of the network and the disk
        sys.stderr.write(f'{args.name} cannot be prepared: {error}\n')
    return 2


def _prepare(name, root, manual, dry_run):
    if _is_prepared(name, root):
        return 0
    builder = _builder(name, root)
    name = builder.name + (f'/{builder.builder_config.name}' if builder.builder_config else '')
    if _is_prepared(name, root):  # under the config that is the default
        return 0
    archives = _check_archives(name, builder, manual)
    _check_disk(name, builder, root, archives)
    if importlib.util.find_spec('tensorflow') is None:
        raise DataError(
            'Preparing needs TensorFlow (training does not). In an environment of its own: pip install '
            "'resizemix-jax[prepare]'"
        )
    if dry_run:
        print(f'{name} can be prepared; nothing was done (--dry_run)')
        return 0
    import tensorflow_datasets as tfds

    config = tfds.download.DownloadConfig(manual_dir=manual if manual.is_dir() else None)
    with _reported(name):
        builder.download_and_prepare(download_config=config)
    print(f'{name} is in {builder.data_dir}')
    return 0


def _prepare_idx(name, root, manual, dry_run):
    if _is_prepared(name, root):
        return 0
    builder = _builder(name, root)
    if (root / name).is_dir() and any((root / name).iterdir()):
        raise DataError(f'{root / name} holds no prepared version; delete it, or choose another --data_dir')
    info, features = builder.info, builder.info.features
    shape = features['image'].shape[:2]
    read = {split: idx.read_split(manual, split, features['label'].num_classes) for split in idx.PREFIXES}
    for split, (images, _) in read.items():
        print(f'{manual}: {len(images)} examples of {split!r}')
        if images.shape[1:] != shape:
            raise DataError(f'{name}: its images are {shape}, and those of {split!r} {images.shape[1:]}')
    if dry_run:
        print(f'{name} can be prepared; nothing was done (--dry_run)')
        return 0
    splits = {
        split: (
            {'image': writing.encode_png(image[..., None]), 'label': int(label)}
            for image, label in zip(*arrays, strict=True)
        )
        for split, arrays in read.items()
    }
    texts = {key: getattr(info, key) for key in ('description', 'homepage', 'citation')}
    with writing.whole(root / name) as part:
        writing.write(part.parent, name, str(builder.version), features, splits, **texts)
    print(f'{name} is in {root / name / str(builder.version)}')
    return 0


def _builder(name, root):
    import tensorflow_datasets as tfds

    known = tfds.list_builders(with_community_datasets=False)
    if name.partition('/')[0] not in known:
        close = ', '.join(difflib.get_close_matches(name, known, cutoff=0.5)) or 'none'
        raise DataError(f'TFDS has no dataset {name}; similar names: {close}')
    with _reported(name):
        return tfds.builder(name, data_dir=str(root), file_format='array_record')


@contextlib.contextmanager
def _reported(name):
    """Turns what the code of a dataset raises into a DataError; an OSError stays."""
    try:
        yield
    except (OSError, RunError):
        raise
    except ImportError as error:
        raise DataError(
            f'{name} needs a module to be prepared ({error}). Install it; TensorFlow is in '
            "the extra: pip install 'resizemix-jax[prepare]'"
        ) from error
    except Exception as error:  # each dataset has code of its own
        raise DataError(f'TFDS cannot prepare {name}: {type(error).__name__}: {error}') from error


def _is_prepared(name, root):
    """Whether there is an existing copy, which is printed; raises DataError if it is incomplete."""
    if not reading.versions(root / name):
        return False
    builder = reading.open_builder(name, root, reading.prepare_command(name, root))
    for split in builder.info.splits:
        reading.open_split(name, split, root)
    print(f'{name} is in {builder.data_dir}')
    return True


def _check_archives(name, builder, manual):
    """The size of the required archives, bytes; raises DataError if they are missing."""
    wanted = ARCHIVES.get(name, {})
    wrong = []
    for file, size in wanted.items():
        path = manual / file
        there = path.stat().st_size if path.is_file() else 0
        print(f'{path}: {_gigabytes(there)} of {_gigabytes(size)}')
        if there != size:
            wrong.append(f'{file} is missing' if not there else f'{file} has {there} bytes, not {size}')
    if wrong:
        raise DataError(
            f'{name}: {"; ".join(wrong)}. Get the archives from image-net.org (an account is needed) and put '
            f'them, still packed, into {manual}, or name their directory with --manual_dir=DIR'
        )
    if not wanted and builder.MANUAL_DOWNLOAD_INSTRUCTIONS and not manual.is_dir():
        raise DataError(
            f'{name} has to be downloaded by hand. TFDS says:\n{builder.MANUAL_DOWNLOAD_INSTRUCTIONS}\n'
            f'Create {manual}, or name another directory with --manual_dir=DIR'
        )
    return sum(wanted.values())


def _check_disk(name, builder, root, archives):
    """Prints the space needed; raises DataError if the disk is too small."""
    download = 0 if archives else sum(info.size or 0 for info in builder.url_infos.values())
    size = archives or download
    free = shutil.disk_usage(next(p for p in (root, *root.absolute().parents) if p.exists())).free
    needed = download + COPIES * size
    print(f'{name}: {_gigabytes(download)} to download, about {_gigabytes(size)} when prepared')
    print(f'{root}: {_gigabytes(free)} are free, about {_gigabytes(needed)} are needed while preparing')
    if not size:
        print('(TFDS does not know its size)')
    if free < needed:
        raise DataError(
            f'{name}: about {_gigabytes(needed)} are needed in {root}, and {_gigabytes(free)} are free; free '
            'some space, or name another disk with --data_dir=DIR'
        )


def _gigabytes(count):
    return f'{count / 1e9:.1f} GB'


if __name__ == '__main__':
    sys.exit(main())
