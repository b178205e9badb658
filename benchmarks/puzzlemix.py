"""The cost of PuzzleMix: the step with it over the step without, and the shares of its parts.

    python -m benchmarks.puzzlemix [--depth=16 --width=4 --batch=128 --rounds=8]

The cut and the transport are timed on the finest grid, 16 x 16, over the plain step; a batch draws that grid
one time in four, and the other grids take a fraction of its time.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import _timing as timing
from benchmarks._stepping import make_step
from configs import fake
from resizemix_jax import config as configs
from resizemix_jax.mixing._grid import block_means
from resizemix_jax.mixing._transport import arrange
from resizemix_jax.mixing.puzzlemix import source_share

SIDE = 16
STEPS = {
    'plain': {},
    'input gradient, eval mode': dict(mixing='puzzlemix', blocks=(2,), transport=False),
    'puzzlemix': dict(mixing='puzzlemix'),
    'puzzlemix on the finest grid': dict(mixing='puzzlemix', blocks=(SIDE,)),
}


def configure(mixing='none', **mixing_args):
    """A method on synthetic images, guided by the gradient of the input if it takes a map."""
    guided = {} if mixing == 'none' else {'saliency': 'input_gradient', 'saliency_mode': 'eval'}
    keys = {'mixing': mixing, 'mixing_args': mixing_args} | guided
    return configs.complete(configs.assign(fake.get_config(), keys))


def parts(batch):
    """The cut and the transport alone, on images and maps as smooth as photographs."""
    rng = np.random.default_rng(0)
    field = rng.normal(size=(batch, 32, 32, 4))
    for axis in (1, 2) * 3:
        field = (np.roll(field, 1, axis) + field + np.roll(field, -1, axis)) / 3
    field = jnp.asarray(field / field.std(), jnp.float32)
    pixels, maps = 0.5 + 0.25 * field[..., :3], jnp.abs(field[..., 3])
    worth, partner = block_means(maps, SIDE), jnp.roll(jnp.arange(batch), 1)
    numbers = dict(beta=1.2, gamma=0.5, eta=0.2, n_labels=3, neigh=4)
    cut = jax.jit(functools.partial(source_share, **numbers))
    transport = jax.jit(lambda seen, worth: arrange(seen, worth, 0.8))
    share = cut(pixels, worth, partner, 0.4)
    seen = jnp.concatenate([share < 1, share > 0])
    both = jnp.concatenate([worth, worth[partner]])
    return {
        'the cut': lambda: cut(pixels, worth, partner, 0.4),
        'the transport': lambda: transport(seen, both),
    }


def main(argv=None):
    smallest = dict(depth=10, width=1, batch=2, rounds=1)
    args = timing.arguments(__doc__, argv, smallest, depth=16, width=4, batch=128, rounds=8)
    size = args.depth, args.width, args.batch
    functions = {name: make_step(configure(**how), *size) for name, how in STEPS.items()}
    seconds = timing.rounds(functions | parts(args.batch), args.rounds)
    print(f'WRN-{args.depth}-{args.width}, batch {args.batch}, {timing.machine()}, {args.rounds} rounds')
    timing.print_ratios(seconds)


if __name__ == '__main__':
    main()
