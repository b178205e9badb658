"""Table 8: the range of the resizing scale; CIFAR-100, WRN-28-10, top-1 test accuracy in %.

    python main.py --config=configs/table8.py:row=0.1-0.8,seed=0 --workdir=DIR

Arguments: row (see --list), recipe paper | released, scale paper | small, seed.
"""

from resizemix_jax import recipes
from resizemix_jax import tables as common
from resizemix_jax.recipes import WRN

COLUMN = 'model'
COLUMNS = (WRN,)


def _range(low, high, top1):
    name = f'{low}-{high}'
    args = recipes.resizemix_args(tau=(low, high))
    return dict(row=name, title=name, paper={WRN: top1}, mixing='resizemix', mixing_args=args)


ROWS = (
    dict(row='baseline', title='Baseline', paper={WRN: 81.20}, mixing='none', mixing_args={}),
    _range(0.1, 0.9, 83.91),
    _range(0.1, 0.8, 84.31),
    _range(0.1, 0.7, 83.72),
    _range(0.2, 0.8, 83.70),
)


def get_config(arg=''):
    return common.table('table8', ROWS, COLUMNS, arg, dataset='cifar100', default_row='0.1-0.8')
