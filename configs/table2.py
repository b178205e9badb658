"""Table 2: CIFAR-10, WRN-28-10 and Shake-Shake 26 2x96d; top-1 test accuracy in %.

    python main.py --config=configs/table2.py:row=resizemix,model=wrn28_10,seed=0 --workdir=DIR

Arguments: row (see --list), model wrn28_10 | ss26_2x96d, recipe paper | released, scale paper | small,
seed.
The paper's rows other than its own are numbers printed by other works, from other recipes; here every row
has the paper's recipe for its network, so that rows differ in the method alone.
"""

from resizemix_jax import recipes
from resizemix_jax.recipes import SS, WRN
from resizemix_jax.tables import UNPUBLISHED, Column, Row, Table

CUTOUT = recipes.cutout(16)  # of the policies' own trainings


def _policy(name, title, paper, keys, **more):
    return Row(name, title, CUTOUT | keys, paper, **more)


TABLE = Table(
    name='table2',
    doc=__doc__,
    columns=(Column(WRN, WRN), Column(SS, SS)),
    keys=dict(dataset='cifar10'),
    rows=(
        Row('baseline', 'Baseline', paper={'cost': 0, WRN: 96.13, SS: 97.14}),
        _policy('aa', 'AA', {'cost': 5000, WRN: 97.32, SS: 98.00},
                recipes.policy('autoaugment', policy='autoaugment_cifar10', scale='tf', per='sample')),
        _policy('fast_aa', 'Fast AA', {'cost': 3.5, WRN: 97.30, SS: 98.00},
                recipes.policy('fast_autoaugment', policy='fast_autoaugment_cifar10', per='sample')),
        _policy('pba', 'PBA', {'cost': 5, WRN: 97.42, SS: 97.97},
                recipes.policy('pba', policy='pba_cifar10')),
        Row('ohl_aa', 'OHL-AA', paper={'cost': 83.4, WRN: 97.39}, refused=UNPUBLISHED),
        _policy('ra', 'RA', {'cost': 0, WRN: 97.30, SS: 98.00},
                recipes.policy('randaugment', n=3, m=5, scale='ildoonet', per='sample'),
                per_column={SS: dict(policy_args=dict(m=9))}),
        Row('faster_aa', 'Faster AA', paper={'cost': 0.23, WRN: 97.40, SS: 98.00}, refused=UNPUBLISHED),
        _policy('dada', 'DADA', {'cost': 0.1, WRN: 97.30, SS: 98.00},
                recipes.policy('dada', 'before_mixing', policy='dada_cifar10', per='sample')),
        # The paper's 97.14 for Shake-Shake repeats its baseline; Cutout's own README has 97.44.
        Row('cutout', 'Cutout', recipes.cutout(16), {'cost': 0, WRN: 96.90, SS: 97.14}),
        Row('cutmix', 'CutMix', recipes.cutmix(prob=0.5), {'cost': 0, WRN: 97.10, SS: 97.62}),
        Row('fmix', 'FMix', recipes.fmix(), {'cost': 6, WRN: 96.38}),
        Row('saliencymix', 'SaliencyMix', recipes.saliencymix(prob=0.5), {'cost': 6, WRN: 97.24}),
        Row('resizemix', 'ResizeMix', recipes.resizemix(), {'cost': 0, WRN: 97.60, SS: 97.93}),
        Row('resizemix_plus', 'ResizeMix+', recipes.resizemix_plus(), {'cost': 6, WRN: 98.10, SS: 98.47}),
    ),
)  # fmt: skip

get_config = TABLE.get_config
