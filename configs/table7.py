"""Table 7: RandAugment before or after ResizeMix; CIFAR-100, WRN-28-10, top-1 test accuracy in %.

    python main.py --config=configs/table7.py:row=after,seed=0 --workdir=DIR

Arguments: row (see --list), recipe paper | released, scale paper | small, seed.
RandAugment is that of the released code (N 2, M 14), the same before and after, so that the rows differ in
its place: before, every image draws its own, as a data loader does; after, one draw for the batch.
"""

from resizemix_jax import recipes
from resizemix_jax import tables as common
from resizemix_jax.recipes import WRN

COLUMN = 'model'
COLUMNS = (WRN,)

RESIZEMIX = dict(mixing='resizemix', mixing_args=recipes.resizemix_args())
ROWS = (
    dict(row='baseline', title='Baseline', paper={WRN: 81.2}, mixing='none', mixing_args={}),
    dict(row='resizemix', title='ResizeMix', paper={WRN: 84.31}, **RESIZEMIX),
    dict(row='before', title='Before', paper={WRN: 83.47}, **RESIZEMIX, policy_place='before_mixing',
         policy='randaugment', policy_args=dict(n=2, m=14, scale='released', per='sample')),
    dict(row='after', title='After', paper={WRN: 84.59}, **RESIZEMIX, **recipes.after_mixing()),
)  # fmt: skip


def get_config(arg=''):
    return common.table('table7', ROWS, COLUMNS, arg, dataset='cifar100')
