"""The streamed input: decoding and cropping a JPEG, the whole pipeline, and its memory.

    python -m benchmarks.input [--rounds=15] [--images=400] [--tf_python=PYTHON] [--memory_batches=10000]
        [--torch_python=PYTHON] [--parts=one_core,whole,memory]

JPEGs of ImageNet's sizes are made of the photographs in docs/photos, with noise, so that a file is as long
as ImageNet's are. `--tf_python` is a Python that has TensorFlow, for the comparison with tf.data;
`--torch_python` one that has torchvision; without them, those comparisons are left out. Functions that run in
one thread are timed in processor seconds, the others by the clock, in paired rounds.
"""

import contextlib
import functools
import io
import os
import pathlib
import pickle
import statistics
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np
from PIL import Image

from benchmarks import _timing as timing
from benchmarks._jpegs import make
from benchmarks._whole_input import memory, whole
from resizemix_jax.input import decoding, jpeg, pillow

OTHERS = 'Pillow', 'linear', 'area'
LIBRARIES = {'tf': 'tensorflow', 'torch': 'torchvision'}


def one_core(jpegs):
    """name -> function that decodes all of them in this thread."""

    def all_of(function):
        return lambda: [function(data, np.random.default_rng((0, i))) for i, data in enumerate(jpegs)]

    return {
        'decode': all_of(lambda data, rng: jpeg.decode(data, jpeg.header(data))),
        'decode, Pillow': all_of(lambda data, rng: pillow.decode(data)),
        'decode+crop': all_of(lambda data, rng: decoding.train_image(data, 224, rng)),
        'decode+crop, linear': all_of(lambda data, rng: decoding.train_image(data, 224, rng, 'linear')),
        'decode+crop, area': all_of(lambda data, rng: decoding.train_image(data, 224, rng, 'area')),
        'decode+crop, Pillow': all_of(crop_by_pillow),
        'evaluation': all_of(lambda data, rng: decoding.eval_image(data, 224, 256)),
        'evaluation, Pillow': all_of(middle_by_pillow),
    }


def crop_by_pillow(data, rng):
    """The crop of training as torchvision computes it."""
    image = Image.open(io.BytesIO(data)).convert('RGB')
    y, x, h, w = decoding.random_box(image.height, image.width, rng)
    flip, image = rng.random() < 0.5, image.crop((x, y, x + w, y + h)).resize((224, 224), Image.BILINEAR)
    return np.asarray(image.transpose(Image.FLIP_LEFT_RIGHT) if flip else image)


def middle_by_pillow(data, rng):
    """The crop of evaluation as torchvision computes it."""
    del rng
    image = Image.open(io.BytesIO(data)).convert('RGB')
    shorter = min(image.size)
    w, h = (256 * side // shorter for side in image.size)
    x, y = round((w - 224) / 2), round((h - 224) / 2)
    return np.asarray(image.resize((w, h), Image.BILINEAR).crop((x, y, x + 224, y + 224)))


def check_python(python, library):
    """Ends with a sentence and exit code 2 unless `python` is '' or has the library."""
    if not python:
        return
    try:
        done = subprocess.run([python, '-c', f'import {LIBRARIES[library]}'], capture_output=True, text=True)
        reason = (done.stderr.strip().splitlines() or ['no message'])[-1] if done.returncode else ''
    except OSError as error:
        reason = str(error)
    if reason:
        print(f'--{library}_python={python} must be a Python with {LIBRARIES[library]}: {reason}')
        sys.exit(2)


@contextlib.contextmanager
def elsewhere(python, library, names, jpegs, scratch):
    """name -> function that runs another library in a Python that has it, and returns the seconds.

    Args:
        python: its path; '': yields {}.
        library: 'tf' or 'torch', of _decode_<library>.py.
        names: what that script is asked to time.
    """
    if not python:
        yield {}
        return
    file = pathlib.Path(scratch, 'jpegs')
    file.write_bytes(pickle.dumps(jpegs))
    command = [python, str(pathlib.Path(__file__).with_name(f'_decode_{library}.py')), str(file)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(name):
        print(name, file=process.stdin, flush=True)
        return float(process.stdout.readline())

    try:
        yield {f'{library} {name}': functools.partial(ask, name) for name in names}
    finally:
        process.stdin.close()
        process.wait()


def measure(functions, count, rounds):
    """Calls each once a round; prints images a second; name -> seconds of each round, without the first."""
    seconds = {name: [] for name in functions}
    for _ in range(rounds + 1):
        for name, function in functions.items():
            start = time.process_time()
            took = function()
            seconds[name].append(took if isinstance(took, float) else time.process_time() - start)
    seconds = {name: values[1:] for name, values in seconds.items()}
    for name, values in seconds.items():
        print(f'{name}: {count / statistics.median(values):,.0f} images/s')
    return seconds


def print_speeds(seconds, pairs):
    """Prints the speed of the first of each pair over that of the second."""
    for name, base in pairs:
        if base in seconds:
            low, middle, high = timing.quartiles(
                [b / a for a, b in zip(seconds[name], seconds[base], strict=True)]
            )
            print(f'speed of {name} / {base}: {middle:.2f} (quartiles {low:.2f}-{high:.2f})')


def measure_one_core(jpegs, scratch, args):
    both = 'decode', 'decode+crop'
    with (
        elsewhere(args.tf_python, 'tf', both, jpegs, scratch) as tf,
        elsewhere(args.torch_python, 'torch', both[1:], jpegs, scratch) as torch,
    ):
        seconds = measure(one_core(jpegs) | tf | torch, len(jpegs), args.rounds)
    bases = *tf, *torch, 'decode', *(f'decode+crop, {name}' for name in OTHERS)
    print_speeds(seconds, [('decode+crop', name) for name in bases])
    print_speeds(seconds, [('decode+crop, linear', name) for name in (*tf, *torch)])
    print_speeds(seconds, [('decode', 'decode, Pillow'), ('evaluation', 'evaluation, Pillow')])


def measure_whole(jpegs, scratch, args):
    with (
        whole(jpegs, scratch, args.rounds + 1) as ours,
        elsewhere(args.torch_python, 'torch', ('loader',), jpegs, scratch) as torch,
    ):
        seconds = measure(ours | torch, len(jpegs), args.rounds)
    print_speeds(seconds, [(name, next(iter(seconds))) for name in list(seconds)[1:]])


def main(argv=None):
    args = timing.arguments(
        __doc__, argv, dict(rounds=1, images=32, memory_batches=10),
        rounds=15, images=400, memory_batches=10_000, tf_python='', torch_python='',
        parts='one_core,whole,memory',
    )  # fmt: skip
    check_python(args.tf_python, 'tf')
    check_python(args.torch_python, 'torch')
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    jpegs = make(args.images)
    size = statistics.mean(map(len, jpegs)) / 1e3
    print(f'{len(jpegs)} JPEGs, {size:.0f} kB on average; {os.cpu_count()} cores')
    with tempfile.TemporaryDirectory() as scratch:
        if 'one_core' in args.parts:
            measure_one_core(jpegs, scratch, args)
        if 'whole' in args.parts:
            measure_whole(jpegs, scratch, args)
        if 'memory' in args.parts:
            memory(args.memory_batches, scratch)
    cv2.setNumThreads(threads)


if __name__ == '__main__':
    main()
