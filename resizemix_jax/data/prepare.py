"""Prepares a dataset once, for training without TensorFlow ever after.

    pip install -r requirements-prepare.txt
    python -m resizemix_jax.data.prepare cifar100 [--data_dir=DIR]

Downloads with TFDS and writes ArrayRecord files to DIR (default: $TFDS_DATA_DIR, or
~/tensorflow_datasets). Exit codes: 0 prepared, or already there; 2 it cannot be prepared.
"""

import argparse
import importlib.util
import sys

from resizemix_jax.data import reading

NAMES = ('cifar10', 'cifar100', 'fashion_mnist')


def main(argv=None):
    """Prepares the dataset that the arguments name; returns the exit code."""
    parser = argparse.ArgumentParser(prog='python -m resizemix_jax.data.prepare')
    parser.add_argument('name', choices=NAMES)
    parser.add_argument('--data_dir', default='', help='default: $TFDS_DATA_DIR, ~/tensorflow_datasets')
    args = parser.parse_args(argv)
    if importlib.util.find_spec('tensorflow') is None:
        sys.stderr.write(
            'Preparing needs TensorFlow (training does not): pip install -r requirements-prepare.txt\n'
        )
        return 2
    import tensorflow_datasets as tfds

    root = reading.data_directory(args.data_dir)
    builder = tfds.builder(args.name, data_dir=str(root), file_format='array_record')
    builder.download_and_prepare()
    print(f'{args.name} is in {builder.data_dir}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
