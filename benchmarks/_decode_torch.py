"""torchvision for benchmarks/input.py, run by a Python that has torchvision and perhaps nothing else.

Reads names from standard input and prints seconds for each: `decode+crop`, processor seconds for all JPEGs in
one thread; `loader`, seconds by the clock for as many images from a DataLoader with 2 workers.
"""

import io
import itertools
import pickle
import sys
import time

import torch
from PIL import Image
from torchvision import transforms

BATCH, WARM = 32, 3

crop = transforms.Compose(
    [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.PILToTensor()]
)


class Pictures(torch.utils.data.Dataset):
    """The JPEGs, decoded and cropped, repeated without end."""

    def __init__(self, jpegs):
        self.jpegs = jpegs

    def __len__(self):
        return 10**6

    def __getitem__(self, index):
        return crop(Image.open(io.BytesIO(self.jpegs[index % len(self.jpegs)])).convert('RGB'))


def main():
    torch.set_num_threads(1)
    with open(sys.argv[1], 'rb') as file:
        jpegs = pickle.load(file)
    pictures, batches = Pictures(jpegs), None
    for line in sys.stdin:
        if line.strip() == 'decode+crop':
            start = time.process_time()
            for index in range(len(jpegs)):
                pictures[index]
            print(time.process_time() - start, flush=True)
            continue
        batches = batches or iter(torch.utils.data.DataLoader(pictures, BATCH, num_workers=2))
        for _ in itertools.islice(batches, WARM):
            pass
        start, count = time.perf_counter(), len(jpegs) // BATCH
        for _ in itertools.islice(batches, count):
            pass
        took = time.perf_counter() - start
        time.sleep(0.7)  # as in _whole_input.py: the workers fill their queues and then use no processor
        print(took * len(jpegs) / (count * BATCH), flush=True)


if __name__ == '__main__':
    main()
