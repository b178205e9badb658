"""The checksum of a TFRecord file's record, in time of decoding and cropping its picture, on one core.

python -m benchmarks.checksum [--images=100] [--rounds=20]
"""

import cv2
import numpy as np

from benchmarks import _jpegs
from benchmarks import _timing as timing
from resizemix_jax import checksum
from resizemix_jax.input import decoding, resizing


def main(argv=None):
    args = timing.arguments(__doc__, argv, dict(images=2, rounds=1), images=100, rounds=20)
    cv2.setNumThreads(1)
    pictures = _jpegs.make(args.images)

    def decode(resize):
        rng = np.random.default_rng(0)
        for data in pictures:
            decoding.train_image(data, 224, rng, resize)

    def check():
        for data in pictures:
            checksum.masked(data)

    functions = {f'decode and crop, {name}': lambda name=name: decode(name) for name in resizing.RESIZE}
    seconds = timing.rounds(functions | {'checksum': check}, args.rounds)
    for name in functions:
        middle, low, high = timing.ratio(seconds, 'checksum', name)
        print(f'checksum / {name}: {middle:.3f} (quartiles {low:.3f}-{high:.3f})')
    size = sum(map(len, pictures)) / len(pictures)
    best = min(seconds['checksum']) / len(pictures)
    print(f'{size / 1e3:.0f} kB a picture; at best {1e6 * best:.0f} us a checksum; {timing.machine()}')


if __name__ == '__main__':
    main()
