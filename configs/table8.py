"""Table 8: the range of the resizing scale; CIFAR-100, WRN-28-10, top-1 test accuracy in %.

    python main.py --config=configs/table8.py:row=0.1-0.8,seed=0 --workdir=DIR

Arguments: row (see --list), recipe paper | released, scale paper | small, seed.
"""

from resizemix_jax import recipes
from resizemix_jax.recipes import WRN
from resizemix_jax.tables import Column, Row, Table


def _range(low, high, top1):
    name = f'{low}-{high}'
    return Row(name, name, recipes.resizemix(tau=(low, high)), {WRN: top1})


TABLE = Table(
    name='table8',
    doc=__doc__,
    columns=(Column(WRN, WRN),),
    keys=dict(dataset='cifar100'),
    default_row='0.1-0.8',
    rows=(
        Row('baseline', 'Baseline', paper={WRN: 81.20}),
        _range(0.1, 0.9, 83.91),
        _range(0.1, 0.8, 84.31),
        _range(0.1, 0.7, 83.72),
        _range(0.2, 0.8, 83.70),
    ),
)

get_config = TABLE.get_config
