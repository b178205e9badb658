"""The cost of the saliency pass: the step of a guided method over the same step unguided.

    python -m benchmarks.saliency [--depth=16 --width=4 --batch=32 --rounds=12]

All cut and paste alike, from random regions (no map is computed) or from salient ones.
"""

from benchmarks import _timing as timing
from benchmarks._stepping import make_step
from configs import fake, table1
from resizemix_jax import config as configs

STEPS = {
    'plain': ('random_to_random', 'train'),
    'grad_cam, train mode': ('salient_to_random', 'train'),
    'grad_cam, eval mode': ('salient_to_random', 'eval'),
}


def configure(row, mode):
    """A row of Table 1 on synthetic images."""
    keys = table1.TABLE.row(row).keys | {'saliency_mode': mode}
    return configs.complete(configs.assign(fake.get_config(), keys))


def main(argv=None):
    smallest = dict(depth=10, width=1, batch=2, rounds=1)
    args = timing.arguments(__doc__, argv, smallest, depth=16, width=4, batch=32, rounds=12)
    size = args.depth, args.width, args.batch
    steps = {name: make_step(configure(*how), *size) for name, how in STEPS.items()}
    seconds = timing.rounds(steps, args.rounds)
    print(f'WRN-{args.depth}-{args.width}, batch {args.batch}, {timing.machine()}, {args.rounds} rounds')
    timing.print_ratios(seconds)


if __name__ == '__main__':
    main()
