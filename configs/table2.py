"""Table 2: CIFAR-10, WRN-28-10 and Shake-Shake 26 2x96d; top-1 test accuracy in %.

    python main.py --config=configs/table2.py:row=resizemix,model=wrn28_10,seed=0 --workdir=DIR

Arguments: row (see --list), model wrn28_10 | ss26_2x96d, recipe paper | released, scale paper | small,
seed.
The paper's rows other than its own are numbers printed by other works, from other recipes; here every row
has the paper's recipe for its network, so that rows differ in the method alone.
"""

from resizemix_jax import recipes
from resizemix_jax import tables as common
from resizemix_jax.recipes import SS, WRN
from resizemix_jax.tables import UNPUBLISHED

COLUMN = 'model'
COLUMNS = (WRN, SS)

ROWS = (
    dict(row='baseline', title='Baseline', paper={'cost': 0, WRN: 96.13, SS: 97.14},
         mixing='none', mixing_args={}),
    dict(row='aa', title='AA', paper={'cost': 5000, WRN: 97.32, SS: 98.00}, **recipes.CUTOUT,
         **recipes.policy('autoaugment', policy='autoaugment_cifar10', scale='tf', per='sample')),
    dict(row='fast_aa', title='Fast AA', paper={'cost': 3.5, WRN: 97.30, SS: 98.00}, **recipes.CUTOUT,
         **recipes.policy('fast_autoaugment', policy='fast_autoaugment_cifar10', per='sample')),
    dict(row='pba', title='PBA', paper={'cost': 5, WRN: 97.42, SS: 97.97}, **recipes.CUTOUT,
         **recipes.policy('pba', policy='pba_cifar10')),
    dict(row='ohl_aa', title='OHL-AA', paper={'cost': 83.4, WRN: 97.39}, refused=UNPUBLISHED),
    dict(row='ra', title='RA', paper={'cost': 0, WRN: 97.30, SS: 98.00}, **recipes.CUTOUT,
         **recipes.policy('randaugment', n=3, m=5, scale='ildoonet', per='sample'),
         per_column={SS: recipes.randaugment(n=3, m=9)}),
    dict(row='faster_aa', title='Faster AA', paper={'cost': 0.23, WRN: 97.40, SS: 98.00},
         refused=UNPUBLISHED),
    dict(row='dada', title='DADA', paper={'cost': 0.1, WRN: 97.30, SS: 98.00}, **recipes.CUTOUT,
         **recipes.policy('dada', 'before_mixing', policy='dada_cifar10', per='sample')),
    # The paper's 97.14 for Shake-Shake repeats its baseline; Cutout's own README has 97.44.
    dict(row='cutout', title='Cutout', paper={'cost': 0, WRN: 96.90, SS: 97.14},
         mixing='cutout', mixing_args=dict(length=16)),
    dict(row='cutmix', title='CutMix', paper={'cost': 0, WRN: 97.10, SS: 97.62},
         mixing='cutmix', mixing_args=recipes.cutmix_args(prob=0.5)),
    dict(row='fmix', title='FMix', paper={'cost': 6, WRN: 96.38}, **recipes.fmix()),
    dict(row='saliencymix', title='SaliencyMix', paper={'cost': 6, WRN: 97.24},
         **recipes.saliencymix(prob=0.5)),
    dict(row='resizemix', title='ResizeMix', paper={'cost': 0, WRN: 97.60, SS: 97.93},
         mixing='resizemix', mixing_args=recipes.resizemix_args()),
    dict(row='resizemix_plus', title='ResizeMix+', paper={'cost': 6, WRN: 98.10, SS: 98.47},
         **recipes.resizemix_plus()),
)  # fmt: skip


def get_config(arg=''):
    return common.table('table2', ROWS, COLUMNS, arg, dataset='cifar10')
