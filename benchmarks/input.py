"""The streamed input: decoding and cropping a JPEG, the whole pipeline, and its memory.

    python -m benchmarks.input [--rounds=15] [--images=400] [--tf_python=PYTHON] [--memory_batches=10000]
        [--torch_python=PYTHON] [--parts=one_core,whole,memory]

JPEGs of ImageNet's sizes are made of the photographs in docs/photos, with noise, so that a file is as long
as ImageNet's are. `--tf_python` is a Python that has TensorFlow, for the comparison with tf.data;
`--torch_python` one that has torchvision; without them those are left out. What runs in one thread is timed
in seconds of the processor, the rest by the clock, in paired rounds.
"""

import argparse
import contextlib
import functools
import io
import multiprocessing
import os
import pathlib
import pickle
import statistics
import subprocess
import tempfile
import time

import cv2
import numpy as np
from PIL import Image

from benchmarks.jpegs import make
from resizemix_jax.data import decode, jpeg, pipeline, records, tfrecord
from resizemix_jax.data.stream import Stream, View

BATCH, WARM = 32, 3  # batches before the clock starts: those that were ready
REST = 0.7  # seconds, in which the processes make such batches anew
MEGABYTE = 1 << 20
OTHERS = 'Pillow', 'area'


def one_core(jpegs):
    """name -> function that decodes all of them in this thread."""

    def all_of(function):
        return lambda: [function(data, np.random.default_rng((0, i))) for i, data in enumerate(jpegs)]

    return {
        'decode': all_of(lambda data, rng: jpeg.decode(data, jpeg.header(data))),
        'decode, OpenCV': all_of(lambda data, rng: cv2.imdecode(np.frombuffer(data, np.uint8), 1)),
        'decode+crop': all_of(lambda data, rng: decode.train_image(data, 224, rng)),
        'decode+crop, area': all_of(lambda data, rng: decode.train_image(data, 224, rng, 'area')),
        'decode+crop, Pillow': all_of(pillow),
    }


def pillow(data, rng):
    """What torchvision does."""
    image = Image.open(io.BytesIO(data)).convert('RGB')
    y, x, h, w = decode.random_box(image.height, image.width, rng)
    return np.asarray(image.crop((x, y, x + w, y + h)).resize((224, 224), Image.BILINEAR))


@contextlib.contextmanager
def elsewhere(python, library, names, jpegs, scratch):
    """name -> function that has another library do it, in a Python that has it, and returns the seconds.

    Args:
        python: its path; without one, the answer is {}.
        library: 'tf' or 'torch', of input_<library>.py.
        names: what it can do.
    """
    if not python:
        yield {}
        return
    file = pathlib.Path(scratch, 'jpegs')
    file.write_bytes(pickle.dumps(jpegs))
    command = [python, str(pathlib.Path(__file__).with_name(f'input_{library}.py')), str(file)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(name):
        print(name, file=process.stdin, flush=True)
        return float(process.stdout.readline())

    try:
        yield {f'{library} {name}': functools.partial(ask, name) for name in names}
    finally:
        process.stdin.close()
        process.wait()


def write_split(jpegs, directory, file_format, image_size=224):
    """A Stream of them, in files of one of the formats."""
    import tensorflow_datasets as tfds
    from array_record.python import array_record_module

    features = tfds.features.FeaturesDict(
        {'image': tfds.features.Image(), 'label': tfds.features.ClassLabel(num_classes=10)}
    )
    file = str(pathlib.Path(directory, file_format))
    encoded = [features.serialize_example(features.encode_example({'image': d, 'label': 1})) for d in jpegs]
    view, names = View(image_size, 0, 'linear', 0.0).checked(), ('image', 'label')
    if file_format == 'array_record':
        writer = array_record_module.ArrayRecordWriter(file, 'group_size:1')
        for record in encoded:
            writer.write(record)
        writer.close()
        return Stream(file_format, records.ArrayRecords([file], [len(jpegs)], names), (), 10, view)
    with open(file, 'wb') as opened:
        for record in encoded:
            length = np.frombuffer(len(record).to_bytes(8, 'little'), np.uint8)
            crc = tfrecord.masked_crc(length[None])[0].astype('<u4').tobytes()
            opened.write(b''.join((length.tobytes(), crc, record, bytes(4))))  # nobody looks at the last ones
    found = tfrecord.find_records([file], [len(jpegs)], 'made_up')
    return Stream(file_format, records.TFRecords([file], [len(jpegs)], names, *found), (), 10, view)


def decode_alone(jpegs, barrier, rounds):
    """In a process of its own: decodes all of them between two meetings, again and again."""
    cv2.setNumThreads(1)
    for _ in range(rounds):
        barrier.wait()
        for data in jpegs:
            jpeg.decode(data, jpeg.header(data))
        barrier.wait()


@contextlib.contextmanager
def whole(jpegs, scratch, rounds):
    """name -> function that handles len(jpegs) images on 2 cores, by the clock, and returns the seconds."""
    splits = {name: write_split(jpegs, scratch, name) for name in ('tfrecord', 'array_record')}
    context = multiprocessing.get_context('spawn')
    barrier = context.Barrier(3)
    halves = jpegs[::2], jpegs[1::2]
    alone = [
        context.Process(target=decode_alone, args=(half, barrier, rounds), daemon=True) for half in halves
    ]
    for process in alone:
        process.start()

    def decode_on_two():
        barrier.wait()
        start = time.perf_counter()
        barrier.wait()
        return time.perf_counter() - start

    def take(batches):
        for _ in range(WARM):
            next(batches)
        start = time.perf_counter()
        for _ in range(len(jpegs) // BATCH):
            next(batches)
        took = (time.perf_counter() - start) * len(jpegs) / (len(jpegs) // BATCH * BATCH)
        time.sleep(REST)
        return took

    functions = {'decode alone, 2 processes': decode_on_two}
    with contextlib.ExitStack() as stack:
        for name, split in splits.items():
            for workers in (0, 1, 2) if name == 'tfrecord' else (2,):
                batches = pipeline.train_batches(split, BATCH, 0, 0, 10**6, workers=workers)
                if workers:
                    stack.enter_context(contextlib.closing(batches))
                functions[f'pipeline, {name}, {workers} workers'] = functools.partial(take, batches)
        yield functions


def memory(count, scratch):
    """Prints the memory of this process and its workers in the course of `count` small batches."""
    jpegs = [cv2.imencode('.jpg', np.full((64, 64, 3), i, np.uint8))[1].tobytes() for i in range(256)]
    split = write_split(jpegs, scratch, 'array_record', image_size=32)
    batches = pipeline.train_batches(split, 8, 0, 0, count, workers=2)
    for number, _ in enumerate(batches, 1):
        if number in (1, count // 10, count // 2, count):
            workers = [process.pid for process in multiprocessing.active_children()]
            sizes = ', '.join(f'{resident(pid) / MEGABYTE:.1f}' for pid in [os.getpid(), *workers])
            print(f'memory after {number} batches, MB, of the process and its workers: {sizes}')


def resident(pid):
    """Bytes of memory that a process has for itself, of Linux."""
    pages = pathlib.Path(f'/proc/{pid}/statm').read_text().split()
    return (int(pages[1]) - int(pages[2])) * os.sysconf('SC_PAGE_SIZE')


def measure(functions, count, rounds):
    """Calls each once a round; prints images a second; name -> seconds of each round, without the first."""
    seconds = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.process_time()
            took = function()
            seconds[name].append(took if isinstance(took, float) else time.process_time() - start)
    seconds = {name: values[1:] for name, values in seconds.items()}
    for name, values in seconds.items():
        print(f'{name}: {count / statistics.median(values):,.0f} images/s')
    return seconds


def print_speeds(seconds, pairs):
    """Prints how often as fast the first of each pair is as the second."""
    for name, base in pairs:
        if base in seconds:
            ratios = [b / a for a, b in zip(seconds[name], seconds[base], strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            print(f'speed of {name} / {base}: {middle:.2f} (quartiles {low:.2f}-{high:.2f})')


def main():
    parser = argparse.ArgumentParser()
    for name, default in dict(rounds=15, images=400, memory_batches=10_000).items():
        parser.add_argument(f'--{name}', type=int, default=default)
    parser.add_argument('--tf_python', default='')
    parser.add_argument('--torch_python', default='')
    parser.add_argument('--parts', default='one_core,whole,memory')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    jpegs = make(args.images)
    size = statistics.mean(map(len, jpegs)) / 1e3
    print(f'{len(jpegs)} JPEGs, {size:.0f} kB on average; {os.cpu_count()} cores')
    with tempfile.TemporaryDirectory() as scratch:
        if 'one_core' in args.parts:
            both = 'decode', 'decode+crop'
            with (
                elsewhere(args.tf_python, 'tf', both, jpegs, scratch) as tf,
                elsewhere(args.torch_python, 'torch', both[1:], jpegs, scratch) as torch,
            ):
                seconds = measure(one_core(jpegs) | tf | torch, len(jpegs), args.rounds)
            bases = *tf, *torch, 'decode', *(f'decode+crop, {n}' for n in OTHERS)
            print_speeds(seconds, [('decode+crop', name) for name in bases])
            print_speeds(seconds, [('decode', 'decode, OpenCV')])
        if 'whole' in args.parts:
            with (
                whole(jpegs, scratch, args.rounds) as ours,
                elsewhere(args.torch_python, 'torch', ('loader',), jpegs, scratch) as torch,
            ):
                seconds = measure(ours | torch, len(jpegs), args.rounds)
            print_speeds(seconds, [(name, next(iter(seconds))) for name in list(seconds)[1:]])
        if 'memory' in args.parts:
            memory(args.memory_batches, scratch)


if __name__ == '__main__':
    main()
