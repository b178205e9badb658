"""Two layers of RandAugment's operations on the device against Pillow on all cores: images a second.

    python -m benchmarks.augment [--rounds=30]

And what RandAugment(2, 9) adds to a training step of WRN-16-4 with 32 images.

Every image draws two of the fourteen operations, at magnitude 9 of 30. Pillow's processes hold the images
and the draws, and hand back nothing but a word that they are done: no image is copied between processes.
"""

import multiprocessing
import os

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from benchmarks import timing
from benchmarks.stepping import make_step
from configs import fake
from resizemix_jax.augment import _ops as ops

SHAPES = ((256, 32, 32, 3), (64, 224, 224, 3))
LAYERS = 2
LEVEL = 9 / 30


def parameters(side):
    """The fourteen operations and what they take at LEVEL, for images of `side` pixels."""
    moved = float(int(150 / 331 * side * LEVEL))
    return {
        **dict.fromkeys(('Identity', 'AutoContrast', 'Equalize'), 0.0),
        **dict.fromkeys(('Color', 'Contrast', 'Brightness', 'Sharpness'), 1 + 0.9 * LEVEL),
        **dict.fromkeys(('ShearX', 'ShearY'), 0.3 * LEVEL),
        **dict.fromkeys(('TranslateX', 'TranslateY'), moved),
        'Rotate': 30 * LEVEL,
        'Solarize': 256 - 256 * LEVEL,
        'Posterize': float(8 - int(4 * LEVEL)),
    }


def draw(random, side, count):
    """op int32 [LAYERS, count] and value float32 [LAYERS, count]."""
    named = parameters(side)
    chosen = random.integers(0, len(named), (LAYERS, count))
    op = np.array([ops.OPS.index(name) for name in named], np.int32)
    return op[chosen], np.array(list(named.values()), np.float32)[chosen]


def layers(images, op, value):
    for k in range(LAYERS):
        images = ops.apply(images, op[k], value[k])
    return images


def pillow(image, name, value):
    """One operation by Pillow, image to image."""
    warps = {
        'ShearX': (1, value, 0, 0, 1, 0),
        'ShearY': (1, 0, 0, value, 1, 0),
        'TranslateX': (1, 0, value, 0, 1, 0),
        'TranslateY': (1, 0, 0, 0, 1, value),
    }
    if name == 'Identity':
        return image
    if name in warps:
        return image.transform(image.size, Image.Transform.AFFINE, warps[name])
    if name == 'Rotate':
        return image.rotate(value)
    if name in ('AutoContrast', 'Equalize'):
        return getattr(ImageOps, name.lower())(image)
    if name == 'Solarize':
        return ImageOps.solarize(image, value)
    if name == 'Posterize':
        return ImageOps.posterize(image, int(value))
    return getattr(ImageEnhance, name)(image).enhance(value)


def serve(pipe, images):
    """A process of Pillow's: takes the draws of a round, for its share of the images, until there is none."""
    for op, value in iter(pipe.recv, None):
        for image, of, at in zip(images, op.T.tolist(), value.T.tolist(), strict=True):
            made = Image.fromarray(image)
            for code, parameter in zip(of, at, strict=True):
                made = pillow(made, ops.OPS[code], parameter)
            np.asarray(made)
        pipe.send('done')


class Pool:
    """As many processes as cores, each with every n-th image."""

    def __init__(self, images):
        context = multiprocessing.get_context('spawn')
        self.pipes, self.count = [], os.cpu_count()
        for k in range(self.count):
            ours, theirs = context.Pipe()
            share = np.ascontiguousarray(images[k :: self.count])
            context.Process(target=serve, args=(theirs, share), daemon=True).start()
            self.pipes.append(ours)

    def run(self, op, value):
        for k, pipe in enumerate(self.pipes):
            pipe.send((op[:, k :: self.count], value[:, k :: self.count]))
        return [pipe.recv() for pipe in self.pipes]

    def close(self):
        for pipe in self.pipes:
            pipe.send(None)


def measure(shape, rounds):
    random = np.random.default_rng(0)
    smooth = random.integers(0, 256, (shape[0], shape[1] // 8, shape[2] // 8, shape[3]))
    noise = random.integers(-9, 10, shape)
    images = np.clip(smooth.repeat(8, 1).repeat(8, 2) + noise, 0, 255).astype(np.uint8)
    draws = [draw(random, shape[1], shape[0]) for _ in range(rounds + 1)]
    on_device = jnp.asarray(images)
    compiled = jax.jit(layers).lower(on_device, *draws[0]).compile()
    temporary = compiled.memory_analysis().temp_size_in_bytes / images.nbytes
    pool, ours, theirs = Pool(images), iter(draws), iter(draws)
    seconds = timing.rounds(
        {
            'device': lambda: compiled(on_device, *next(ours)),
            'Pillow': lambda: pool.run(*next(theirs)),
        },
        rounds,
    )
    pool.close()
    print(f'\n{list(shape)}, {timing.machine()}, {rounds} rounds, temporaries {temporary:.2f} batches')
    for name, values in seconds.items():
        print(f'{name:8}{shape[0] / np.median(values):10.0f} images/s')
    middle, low, high = timing.ratio(seconds, 'Pillow', 'device')
    print(f'the device is {middle:.2f} times as fast as Pillow; quartiles {low:.2f}-{high:.2f}')


def measure_step(rounds):
    configs = {'plain': fake.get_config(), 'randaugment': fake.get_config()}
    configs['randaugment'].policy = 'randaugment'
    steps = {name: make_step(config, 16, 4, 32) for name, config in configs.items()}
    middle, low, high = timing.ratio(timing.rounds(steps, rounds), 'randaugment', 'plain')
    print(f'\nWRN-16-4, batch 32: the step with RandAugment(2, 9) over the step without: {middle:.3f}')
    print(f'quartiles {low:.3f}-{high:.3f}')


def main():
    rounds = timing.arguments(rounds=30).rounds
    for shape in SHAPES:
        measure(shape, rounds)
    measure_step(min(rounds, 12))


if __name__ == '__main__':
    main()
