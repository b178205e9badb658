"""Table 3: CIFAR-100, WRN-28-10 and Shake-Shake 26 2x96d; top-1 test accuracy in %.

    python main.py --config=configs/table3.py:row=resizemix,model=wrn28_10,seed=0 --workdir=DIR

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
    dict(row='baseline', title='Baseline', paper={WRN: 81.20, SS: 82.95}, mixing='none', mixing_args={}),
    dict(row='aa', title='AA', paper={'cost': 5000, WRN: 82.91, SS: 85.72}, **recipes.CUTOUT,
         **recipes.policy('autoaugment', policy='autoaugment_cifar10', scale='tf', per='sample')),
    dict(row='fast_aa', title='Fast AA', paper={'cost': 3.5, WRN: 82.70, SS: 85.40}, **recipes.CUTOUT,
         **recipes.policy('fast_autoaugment', policy='fast_autoaugment_cifar10', per='sample')),
    dict(row='pba', title='PBA', paper={'cost': 5, WRN: 83.27, SS: 84.69}, **recipes.CUTOUT,
         **recipes.policy('pba', policy='pba_cifar10')),
    dict(row='ra', title='RA', paper={'cost': 0, WRN: 83.30}, **recipes.CUTOUT,
         **recipes.policy('randaugment', n=2, m=14, scale='ildoonet', per='sample')),
    dict(row='faster_aa', title='Faster AA', paper={'cost': 0.23, WRN: 82.20, SS: 84.40},
         refused=UNPUBLISHED),
    dict(row='dada', title='DADA', paper={'cost': 0.2, WRN: 82.50, SS: 84.70}, **recipes.CUTOUT,
         **recipes.policy('dada', 'before_mixing', policy='dada_cifar100', per='sample')),
    dict(row='cutout', title='Cutout', paper={'cost': 0, WRN: 81.59, SS: 84.0},
         mixing='cutout', mixing_args=dict(length=8)),
    dict(row='cutmix', title='CutMix', paper={'cost': 0, WRN: 83.40, SS: 85.0},
         mixing='cutmix', mixing_args=recipes.cutmix_args(prob=0.5)),
    dict(row='fmix', title='FMix', paper={'cost': 6, WRN: 82.03}, **recipes.fmix()),
    dict(row='saliencymix', title='SaliencyMix', paper={'cost': 6, WRN: 83.44},
         **recipes.saliencymix(prob=0.5)),
    dict(row='puzzlemix', title='Puzzle Mix', paper={'cost': 12, WRN: 84.05},
         **recipes.puzzlemix(t_size=4, loss='bce_softmax')),
    dict(row='resizemix', title='ResizeMix', paper={'cost': 0, WRN: 84.31, SS: 85.26},
         mixing='resizemix', mixing_args=recipes.resizemix_args()),
    dict(row='resizemix_plus', title='ResizeMix+', paper={'cost': 6, WRN: 85.23, SS: 85.60},
         **recipes.resizemix_plus()),
)  # fmt: skip


def get_config(arg=''):
    return common.table('table3', ROWS, COLUMNS, arg, dataset='cifar100')
