"""What the extra pass of a method guided by saliency costs: the step with it over the step without.

    python -m benchmarks.saliency [--depth=16 --width=4 --batch=32 --rounds=12]

The same cut and paste in all, with random regions (no map is made) and with salient ones.
"""

from benchmarks import timing
from benchmarks.stepping import make_step
from configs import fake, table1
from resizemix_jax import tables as common

STEPS = {
    'plain': ('random_to_random', 'train'),
    'grad_cam, train mode': ('salient_to_random', 'train'),
    'grad_cam, eval mode': ('salient_to_random', 'eval'),
}


def configure(row, mode):
    """A row of Table 1 on made-up images."""
    config = common.with_row(fake.get_config(), common.named(table1.ROWS, row))
    config.saliency_mode = mode
    return config


def main():
    args = timing.arguments(depth=16, width=4, batch=32, rounds=12)
    size = args.depth, args.width, args.batch
    steps = {name: make_step(configure(*how), *size) for name, how in STEPS.items()}
    seconds = timing.rounds(steps, args.rounds)
    print(f'WRN-{args.depth}-{args.width}, batch {args.batch}, {timing.machine()}, {args.rounds} rounds')
    timing.print_ratios(seconds)


if __name__ == '__main__':
    main()
