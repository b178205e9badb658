"""What every row of a table costs: its training step over the baseline's, beside the paper's GPU hours.

    python -m benchmarks.cost [--table=3 --depth=16 --width=4 --batch=64 --rounds=7]

All rows on one network, one batch size and made-up images of CIFAR's size, in turn in one process; --table=0
is configs/related.py. The paper's "Cost" is hours of search or of preparation on its authors' GPUs, so only
the order of the two columns can be compared.
"""

import gc
import importlib

from benchmarks import timing
from benchmarks.stepping import make_step
from configs import fake
from resizemix_jax import tables as common


def configure(row, column):
    """The row's method on made-up images; everything else is equal in all rows."""
    config = fake.get_config()
    config.augment, config.augment_args = 'crop_flip', {'padding': 4, 'flip': True}
    return common.with_row(config, row, column)


def main():
    args = timing.arguments(table=3, depth=16, width=4, batch=64, rounds=7)
    module = importlib.import_module(f'configs.table{args.table}' if args.table else 'configs.related')
    rows = [row for row in module.ROWS if 'refused' not in row]
    base = next((row for row in rows if row['row'] == 'baseline'), rows[0])
    size = args.depth, args.width, args.batch
    print(f'WRN-{args.depth}-{args.width}, batch {args.batch}, {timing.machine()}, {args.rounds} rounds')
    print('| row | step / baseline (quartiles) | paper, GPU hours |\n|---|---|---|')
    for row in rows:
        # Two at a time: the memory of a dozen networks would not do the timing good.
        pair = {'base': base, 'row': row}
        steps = {name: make_step(configure(one, module.COLUMNS[0]), *size) for name, one in pair.items()}
        middle, low, high = timing.ratio(timing.rounds(steps, args.rounds), 'row', 'base')
        cost = row['paper'].get('cost', '')
        print(f'| {row["title"]} | {middle:.2f} ({low:.2f}-{high:.2f}) | {cost} |', flush=True)
        del steps
        gc.collect()


if __name__ == '__main__':
    main()
