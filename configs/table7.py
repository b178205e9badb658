"""Table 7: RandAugment before or after ResizeMix; CIFAR-100, WRN-28-10, top-1 test accuracy in %.

    python main.py --config=configs/table7.py:row=after,seed=0 --workdir=DIR

Arguments: row (see --list), recipe paper | released, scale paper | small, seed.
RandAugment is that of the released code (N 2, M 14), the same before and after, so that the rows differ in
its place: before, every image draws its own, as a data loader does; after, one draw for the batch.
"""

from resizemix_jax import recipes
from resizemix_jax.recipes import WRN
from resizemix_jax.tables import Column, Row, Table

BEFORE = recipes.policy('randaugment', 'before_mixing', n=2, m=14, scale='released', per='sample')

TABLE = Table(
    name='table7',
    doc=__doc__,
    columns=(Column(WRN, WRN),),
    keys=dict(dataset='cifar100'),
    rows=(
        Row('baseline', 'Baseline', paper={WRN: 81.2}),
        Row('resizemix', 'ResizeMix', recipes.resizemix(), {WRN: 84.31}),
        Row('before', 'Before', recipes.resizemix() | BEFORE, {WRN: 83.47}),
        Row('after', 'After', recipes.resizemix() | recipes.after_mixing(), {WRN: 84.59}),
    ),
)

get_config = TABLE.get_config
