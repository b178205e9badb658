"""Two layers of RandAugment's operations on the device against Pillow on all cores: images a second.

    python -m benchmarks.augment [--rounds=30] [--shapes=256x32x32x3,64x224x224x3]

And what RandAugment(2, 9) adds to a training step of WRN-16-4 with 32 images.

Every image draws two of the fourteen operations, at magnitude 9 of 30. The processes that use Pillow hold the
images and receive the draws; they return a word when they are done, so no image is copied between processes.
"""

import multiprocessing
import os

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from benchmarks import _timing as timing
from benchmarks._stepping import make_step
from configs import fake
from resizemix_jax import config as configs
from resizemix_jax.augment import _ops as ops

LAYERS = 2
LEVEL = 9 / 30


def parameters(side):
    """Operation -> its parameter at LEVEL, for images of `side` pixels."""
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


def draw(rng, side, count):
    """op int32 [LAYERS, count] and value float32 [LAYERS, count]."""
    named = parameters(side)
    chosen = rng.integers(0, len(named), (LAYERS, count))
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
    """Runs in a process: applies every round's draws to its share of the images, until it receives None."""
    for op, value in iter(pipe.recv, None):
        for image, codes, values in zip(images, op.T.tolist(), value.T.tolist(), strict=True):
            result = Image.fromarray(image)
            for code, parameter in zip(codes, values, strict=True):
                result = pillow(result, ops.OPS[code], parameter)
            np.asarray(result)
        pipe.send('done')


class Pool:
    """One process a core, each with every n-th image."""

    def __init__(self, images):
        context = multiprocessing.get_context('spawn')
        self.pipes, self.count = [], os.cpu_count()
        for k in range(self.count):
            here, there = context.Pipe()
            share = np.ascontiguousarray(images[k :: self.count])
            context.Process(target=serve, args=(there, share), daemon=True).start()
            self.pipes.append(here)

    def run(self, op, value):
        for k, pipe in enumerate(self.pipes):
            pipe.send((op[:, k :: self.count], value[:, k :: self.count]))
        return [pipe.recv() for pipe in self.pipes]

    def close(self):
        for pipe in self.pipes:
            pipe.send(None)


def measure(shape, rounds):
    rng = np.random.default_rng(0)
    smooth = rng.integers(0, 256, (shape[0], shape[1] // 8, shape[2] // 8, shape[3]))
    noise = rng.integers(-9, 10, shape)
    images = np.clip(smooth.repeat(8, 1).repeat(8, 2) + noise, 0, 255).astype(np.uint8)
    draws = [draw(rng, shape[1], shape[0]) for _ in range(rounds + 1)]
    on_device = jnp.asarray(images)
    compiled = jax.jit(layers).lower(on_device, *draws[0]).compile()
    temporary = compiled.memory_analysis().temp_size_in_bytes / images.nbytes
    pool, device_draws, pillow_draws = Pool(images), iter(draws), iter(draws)
    seconds = timing.rounds(
        {
            'device': lambda: compiled(on_device, *next(device_draws)),
            'Pillow': lambda: pool.run(*next(pillow_draws)),
        },
        rounds,
    )
    pool.close()
    print(f'\n{list(shape)}, {timing.machine()}, {rounds} rounds, temporaries {temporary:.2f} batches')
    for name, values in seconds.items():
        print(f'{name:8}{shape[0] / np.median(values):10.0f} images/s')
    middle, low, high = timing.ratio(seconds, 'Pillow', 'device')
    print(f'the device is {middle:.2f} times as fast as Pillow; quartiles {low:.2f}-{high:.2f}')


def measure_step(depth, width, batch, rounds):
    with_policy = configs.override(fake.get_config(), {'policy': 'randaugment'})
    pair = {'plain': fake.get_config(), 'randaugment': with_policy}
    steps = {name: make_step(config, depth, width, batch) for name, config in pair.items()}
    middle, low, high = timing.ratio(timing.rounds(steps, rounds), 'randaugment', 'plain')
    print(
        f'\nWRN-{depth}-{width}, batch {batch}: the step with RandAugment(2, 9) over the step without:',
        end=' ',
    )
    print(f'{middle:.3f} (quartiles {low:.3f}-{high:.3f})')


def main(argv=None):
    smallest = dict(rounds=1, shapes='4x16x16x3', depth=10, width=1, batch=2)
    shapes = '256x32x32x3,64x224x224x3'
    args = timing.arguments(__doc__, argv, smallest, rounds=30, shapes=shapes, depth=16, width=4, batch=32)
    for shape in args.shapes.split(','):
        measure(tuple(map(int, shape.split('x'))), args.rounds)
    measure_step(args.depth, args.width, args.batch, min(args.rounds, 12))


if __name__ == '__main__':
    main()
