"""What the extra pass of a method guided by saliency costs: the step with it over the step without.

    python -m benchmarks.saliency [--depth=16 --width=4 --batch=32 --rounds=12]

The same cut and paste in all, with random regions (no map is made) and with salient ones.
"""

import argparse

import jax

from benchmarks import timing
from configs import common, fake, table1
from resizemix_jax import build, keys, parallel
from resizemix_jax.data import pipeline

STEPS = {
    'plain': ('random_to_random', 'train'),
    'grad_cam, train mode': ('salient_to_random', 'train'),
    'grad_cam, eval mode': ('salient_to_random', 'eval'),
}


def make_step(row, mode, depth, width, batch):
    """A function that takes one whole training step, forward, backward and update."""
    config = fake.get_config()
    by_name = {row['row']: row for row in table1.ROWS}
    common.with_row(config, by_name[row])
    config.saliency_mode = mode
    config.model_args.depth, config.model_args.width = depth, width
    config.batch_size, config.steps, config.num_devices = batch, 1000, 1
    run = build.open_run(build.plan(config))
    state, step = build.initial_state(run), build.train_step(run)
    key = parallel.place(keys.root(0), run.plan.devices)
    examples = parallel.shard(pipeline.train_batch(run.train, batch, 0, 0), run.plan.devices)

    def once():
        nonlocal state
        state, metrics = step(state, examples, key)
        return jax.block_until_ready(metrics)

    return once


def main():
    parser = argparse.ArgumentParser()
    for name, default in {'depth': 16, 'width': 4, 'batch': 32, 'rounds': 12}.items():
        parser.add_argument(f'--{name}', type=int, default=default)
    args = parser.parse_args()
    steps = {name: make_step(*how, args.depth, args.width, args.batch) for name, how in STEPS.items()}
    seconds = timing.rounds(steps, args.rounds)
    print(f'WRN-{args.depth}-{args.width}, batch {args.batch}, {timing.machine()}, {args.rounds} rounds')
    for name in list(STEPS)[1:]:
        middle, low, high = timing.ratio(seconds, name, 'plain')
        print(f'{name} / plain: {middle:.2f} (quartiles {low:.2f}-{high:.2f})')


if __name__ == '__main__':
    main()
