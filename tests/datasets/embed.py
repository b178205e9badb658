"""Makes the embedded dataset out of the original Fashion-MNIST files; kept for the record.

    python -m tests.datasets.embed SOURCE DIRECTORY

SOURCE holds the four *-ubyte.gz files (Debian's package dataset-fashion-mnist puts them in
/usr/share/datasets/fashion-mnist); resizemix_jax/datasets/embedded/ was made from those.
"""

import sys

import numpy as np
import tensorflow_datasets as tfds

from resizemix_jax.input import idx, writing

CLASSES = (
    'T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat',
    'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot',
)  # fmt: skip
LICENSE = """Copyright 2017 Zalando SE, https://tech.zalando.com (MIT License)

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE
USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
PER_CLASS = {'train': 1000, 'test': 200}


def balanced(labels, per_class):
    """The indices of the first `per_class` examples of every class, in their original order."""
    return np.sort(np.concatenate([np.flatnonzero(labels == k)[:per_class] for k in range(len(CLASSES))]))


def examples(source, split):
    """The chosen examples of a split, images as PNG bytes."""
    images, labels = idx.read_split(source, split, len(CLASSES))
    for i in balanced(labels, PER_CLASS[split]):
        yield {'image': writing.encode_png(images[i, ..., None]), 'label': int(labels[i])}


def main(source, directory):
    """Writes the dataset below `directory`."""
    features = tfds.features.FeaturesDict(
        {
            'image': tfds.features.Image(shape=(28, 28, 1), encoding_format='png'),
            'label': tfds.features.ClassLabel(names=CLASSES),
        }
    )
    path = writing.write(
        directory,
        'fashion_mnist_10k',
        '1.0.0',
        features,
        {split: examples(source, split) for split in PER_CLASS},
        description='The first 1000 training and 200 test images of every class of Fashion-MNIST.',
        homepage='https://github.com/zalandoresearch/fashion-mnist',
        license=LICENSE,
        citation='Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv:1708.07747',
    )
    print(f'wrote {path}')


if __name__ == '__main__':
    main(*sys.argv[1:])
