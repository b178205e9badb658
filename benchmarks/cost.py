"""The cost of every row of a table: its training step over the baseline's, beside the paper's GPU hours.

    python -m benchmarks.cost [--table=table3 --depth=16 --width=4 --batch=64 --rounds=7] [--rows=NAME,NAME]

All rows on one network, one batch size and synthetic images of CIFAR's size, in turn in one process. The
paper's "Cost" is hours of search or preparation on its authors' GPUs, so compare only the order of the two
columns.
"""

import gc
import importlib

from benchmarks import _timing as timing
from benchmarks._stepping import make_step
from configs import fake
from resizemix_jax import config as configs


def methods(table):
    """Row name -> its config on synthetic images; everything but the method is equal in all rows."""
    config = configs.assign(fake.get_config('mixing=none'), {'column': table.columns[0].name})
    rows = [row.name for row in table.rows if not row.refused]
    return dict(zip(rows, (variant for _, variant in table.variants(config)), strict=True))


def main(argv=None):
    smallest = dict(table='table1', depth=10, width=1, batch=2, rounds=1, rows='random_to_random')
    args = timing.arguments(
        __doc__, argv, smallest, table='table3', depth=16, width=4, batch=64, rounds=7, rows=''
    )
    table = importlib.import_module(f'configs.{args.table}').TABLE
    made = methods(table)
    base = made.get('baseline', next(iter(made.values())))
    size = args.depth, args.width, args.batch
    print(f'WRN-{args.depth}-{args.width}, batch {args.batch}, {timing.machine()}, {args.rounds} rounds')
    print('| row | step / baseline (quartiles) | paper, GPU hours |\n|---|---|---|')
    for name in args.rows.split(',') if args.rows else made:
        # Two networks at a time: a dozen in memory would disturb the timing.
        pair = {'base': base.copy_and_resolve_references(), 'row': made[name]}
        steps = {which: make_step(config, *size) for which, config in pair.items()}
        middle, low, high = timing.ratio(timing.rounds(steps, args.rounds), 'row', 'base')
        row = table.row(name)
        print(
            f'| {row.title} | {middle:.2f} ({low:.2f}-{high:.2f}) | {row.paper.get("cost", "")} |', flush=True
        )
        del steps
        gc.collect()


if __name__ == '__main__':
    main()
