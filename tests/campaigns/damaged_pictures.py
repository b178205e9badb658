"""Damages pictures at random and counts what is not noticed, what differs from Pillow, and what crashes.

    python -m tests.campaigns.damaged_pictures [--jpegs=500] [--others=50] [--seed=0]

Half of the JPEGs are baseline, half progressive; the others are PNG, WebP, BMP, GIF, TIFF and PPM. Each is
damaged in one of the ways of WAYS and then read as training (three crops), evaluation, the sets in memory and
the gallery read it, each twice, in a process of its own whose death is counted. Pillow is asked apart, with
LOAD_TRUNCATED_IMAGES off. Counted are, for each kind of file:

    refused     by Pillow
    undetected  refused by Pillow, and read here by any of these paths
    too strict  read by Pillow, and refused here
    other       read by both, and of other pixels
    not same    read twice, with two results
    crashes     of the process

Exit code 1 if any but the first is not 0.
"""

import argparse
import collections
import concurrent.futures
import io
import multiprocessing
import pathlib
import sys

import numpy as np
from PIL import Image

from resizemix_jax.input import decoding, pillow

PHOTOS = sorted((pathlib.Path(__file__).parents[2] / 'docs' / 'photos').glob('*.jpg'))
OTHERS = 'PNG', 'WEBP', 'BMP', 'GIF', 'TIFF', 'PPM'
COLUMNS = 'files', 'refused', 'undetected', 'too strict', 'other', 'not same', 'crashes'
SIDE = 160  # of the square pictures, so that evaluation at this size shows every pixel


def _overwrite(count):
    def damage(data, rng):
        at = int(rng.integers(2, max(3, len(data) - count)))
        return data[:at] + rng.bytes(count) + data[at + count :]

    return damage


def _cut(data, rng):
    return data[: int(rng.integers(len(data)))]


def _lose(data, rng):
    at, count = int(rng.integers(2, len(data))), int(rng.integers(1, 600))
    return data[:at] + data[at + count :]


def _zero(data, rng):
    at = int(rng.integers(2, len(data)))
    return data[:at] + bytes(min(512, len(data) - at)) + data[at + 512 :]


# Other bytes, a missing end, or all of it but the marker, a block of zeros (a torn disk), lost bytes.
WAYS = {
    '1 byte': _overwrite(1),
    '8 bytes': _overwrite(8),
    '16 bytes': _overwrite(16),
    '512 bytes': _overwrite(512),
    'cut': _cut,
    'cut, with an end marker': lambda data, rng: _cut(data, rng) + data[-2:],
    'zeros': _zero,
    'lost bytes': _lose,
}


def jpeg(kind, rng):
    """A random JPEG of a photograph, 'baseline' or 'progressive'."""
    image = _photograph(rng).convert('L' if rng.random() < 0.1 else 'RGB')
    options = dict(quality=int(rng.integers(60, 97)), progressive=kind == 'progressive')
    if image.mode == 'RGB':
        options['subsampling'] = int(rng.integers(3))
    if rng.random() < 0.2:
        options['restart_marker_blocks'] = int(rng.integers(1, 30))
    return _saved(image, 'JPEG', **options)


def other(kind, rng):
    """A random picture of another format."""
    mode = rng.choice({'PNG': ['L', 'P', 'RGB', 'RGBA'], 'GIF': ['L', 'P']}.get(kind, ['L', 'RGB']))
    return _saved(_photograph(rng).convert(str(mode)), kind)


def judge(data, seed):
    """What becomes of a damaged picture: a dict of COLUMNS without `files` and `crashes`."""
    try:
        expected = np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))
    except Exception:
        expected = None
    crops = [
        lambda data, resize=resize, k=k: decoding.train_image(
            data, 64, np.random.default_rng(seed + k), resize
        )
        for resize in ('antialias', 'linear')
        for k in range(3)
    ]
    paths = [_whole, lambda data: decoding.eval_image(data, 56, 64, 'linear'), pillow.stored, *crops]
    first, again = ([_result(path, data, byte) for path in paths] for byte in (17, 201))
    read = [image for image in first if image is not None]
    square = expected is not None and expected.shape == (SIDE, SIDE, 3)
    found = {
        'refused': expected is None,
        'undetected': expected is None and read,
        'too strict': expected is not None and len(read) < len(paths),
        'other': square and not np.array_equal(first[0], expected),
        'not same': any(not np.array_equal(a, b) for a, b in zip(first, again, strict=True)),
    }
    return {name: int(bool(value)) for name, value in found.items()}


def cases(jpegs, others, seed):
    """(kind, a damaged file) of every one."""
    kinds = [(kind, jpeg, jpegs // 2) for kind in ('baseline', 'progressive')]
    kinds += [(kind, other, -(-(others - i) // len(OTHERS))) for i, kind in enumerate(OTHERS)]
    for number, (kind, make, files) in enumerate(kinds):
        for k in range(files):
            rng = np.random.default_rng((seed, number, k))
            yield kind, list(WAYS.values())[k % len(WAYS)](make(kind, rng), rng)


def count(files):
    """kind -> Counter of COLUMNS, over all (kind, file)."""
    found, pool = collections.defaultdict(collections.Counter), None
    for k, (kind, data) in enumerate(files):
        pool = pool or concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context('spawn'))
        found[kind]['files'] += 1
        try:
            found[kind].update(pool.submit(judge, data, k).result())
        except concurrent.futures.process.BrokenProcessPool:
            found[kind]['crashes'] += 1
            pool = None
    if pool:
        pool.shutdown()
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in dict(jpegs=500, others=50, seed=0).items():
        parser.add_argument(f'--{name}', type=int, default=default, help=f'default: {default}')
    found = count(cases(**vars(parser.parse_args(argv))))
    total = sum(found.values(), collections.Counter())
    print(f'{"":12}', *(f'{name:>10}' for name in COLUMNS))
    for kind, counted in (*found.items(), ('all', total)):
        print(f'{kind:12}', *(f'{counted[name]:10}' for name in COLUMNS))
    sys.exit(any(total[name] for name in COLUMNS[2:]))


def _photograph(rng):
    """A square of a photograph, with noise."""
    image = np.asarray(Image.open(PHOTOS[rng.integers(len(PHOTOS))]).convert('RGB')).astype(np.float32)
    y, x = rng.integers(256 - SIDE + 1, size=2)
    image = image[y : y + SIDE, x : x + SIDE] + rng.normal(0, rng.uniform(0, 12), (SIDE, SIDE, 1))
    return Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))


def _saved(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _whole(data):
    return decoding.eval_image(data, SIDE, SIDE)


def _result(path, data, byte):
    for size in (56, 64, SIDE):  # what the memory holds that the next of these pictures is given
        np.full(size * size * 3, byte, np.uint8)
    try:
        return path(data)
    except ValueError:
        return None


if __name__ == '__main__':
    main()
