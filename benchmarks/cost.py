"""The cost of every row of a table: its training step over the baseline's, beside the paper's GPU hours.

    python -m benchmarks.cost [--table=3 --depth=16 --width=4 --batch=64 --rounds=7 --rows=cutmix,resizemix]

All rows on one network, one batch size and synthetic images of CIFAR's size, in turn in one process;
--table=0 is configs/related.py. The paper's "Cost" is hours of search or preparation on its authors' GPUs, so
compare only the order of the two columns. --rows names some rows.
"""

import gc
import importlib

from benchmarks import _timing as timing
from benchmarks._stepping import make_step
from configs import fake
from resizemix_jax import tables as common


def configure(row, column):
    """The row's method on synthetic images; everything else is equal in all rows."""
    config = fake.get_config()
    config.augment, config.augment_args = 'crop_flip', {'padding': 4, 'flip': True}
    return common.with_row(config, row, column)


def main(argv=None):
    smallest = dict(table=1, depth=10, width=1, batch=2, rounds=1, rows='random_to_random')
    args = timing.arguments(__doc__, argv, smallest, table=3, depth=16, width=4, batch=64, rounds=7, rows='')
    module = importlib.import_module(f'configs.table{args.table}' if args.table else 'configs.related')
    rows = [row for row in module.ROWS if 'refused' not in row]
    base = next((row for row in rows if row['row'] == 'baseline'), rows[0])
    size = args.depth, args.width, args.batch
    print(f'WRN-{args.depth}-{args.width}, batch {args.batch}, {timing.machine()}, {args.rounds} rounds')
    print('| row | step / baseline (quartiles) | paper, GPU hours |\n|---|---|---|')
    for row in (row for row in rows if not args.rows or row['row'] in args.rows.split(',')):
        # Two networks at a time: a dozen in memory would disturb the timing.
        pair = {'base': base, 'row': row}
        steps = {name: make_step(configure(one, module.COLUMNS[0]), *size) for name, one in pair.items()}
        middle, low, high = timing.ratio(timing.rounds(steps, args.rounds), 'row', 'base')
        cost = row['paper'].get('cost', '')
        print(f'| {row["title"]} | {middle:.2f} ({low:.2f}-{high:.2f}) | {cost} |', flush=True)
        del steps
        gc.collect()


if __name__ == '__main__':
    main()
