"""The whole pipeline of `benchmarks.input`: splits of synthetic files, their speed on two cores, memory."""

import contextlib
import functools
import multiprocessing
import os
import pathlib
import time

import cv2
import numpy as np

from resizemix_jax import checksum
from resizemix_jax.input import jpeg, pipeline, records, tfrecord
from resizemix_jax.input.streams import Stream, View

BATCH, WARM = 32, 3  # batches before the clock starts: those that were ready
REST = 0.7  # seconds in which the workers fill their queues again
MEGABYTE = 1 << 20


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
    shard = records.Shard(file, 0, len(jpegs), len(jpegs))
    if file_format == 'array_record':
        writer = array_record_module.ArrayRecordWriter(file, 'group_size:1')
        for record in encoded:
            writer.write(record)
        writer.close()
        return Stream(file_format, records.ArrayRecords([shard], names), (), 10, view)
    with open(file, 'wb') as opened:
        for record in encoded:
            length = len(record).to_bytes(8, 'little')
            for part in (length, record):
                opened.write(part + checksum.masked(part).to_bytes(4, 'little'))
    found = tfrecord.find_records({file: len(jpegs)}, 'synthetic')
    return Stream(file_format, records.TFRecords([shard], names, *found), (), 10, view)


def decode_alone(jpegs, barrier, rounds):
    """Runs in a process: decodes all of them between two barriers, once a round."""
    cv2.setNumThreads(1)
    for _ in range(rounds):
        barrier.wait()
        for data in jpegs:
            jpeg.decode(data, jpeg.header(data))
        barrier.wait()


@contextlib.contextmanager
def whole(jpegs, scratch, rounds):
    """name -> function that processes len(jpegs) images on 2 cores and returns the seconds by the clock.

    Each must be called `rounds` times.
    """
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
        if number in {1, count // 10, count // 2, count}:
            workers = [process.pid for process in multiprocessing.active_children()]
            sizes = ', '.join(f'{resident(pid) / MEGABYTE:.1f}' for pid in [os.getpid(), *workers])
            print(f'memory of the process and its workers after {number} batches, MB: {sizes}')


def resident(pid):
    """Bytes of private resident memory of a process; Linux only."""
    pages = pathlib.Path(f'/proc/{pid}/statm').read_text().split()
    return (int(pages[1]) - int(pages[2])) * os.sysconf('SC_PAGE_SIZE')
