"""Table 3: CIFAR-100, WRN-28-10 and Shake-Shake 26 2x96d; top-1 test accuracy in %.

    python main.py --config=configs/table3.py:row=resizemix,model=wrn28_10,seed=0 --workdir=DIR

Arguments: row (see --list), model wrn28_10 | ss26_2x96d, recipe paper | released, scale paper | small,
seed.
The paper's rows other than its own are numbers printed by other works, from other recipes; here every row
has the paper's recipe for its network, so that rows differ in the method alone.
"""

from resizemix_jax import recipes
from resizemix_jax.recipes import SS, WRN
from resizemix_jax.tables import UNPUBLISHED, Column, Row, Table

CUTOUT = recipes.cutout(16)  # of the policies' own trainings


def _policy(name, title, paper, keys):
    return Row(name, title, CUTOUT | keys, paper)


TABLE = Table(
    name='table3',
    doc=__doc__,
    columns=(Column(WRN, WRN), Column(SS, SS)),
    keys=dict(dataset='cifar100'),
    rows=(
        Row('baseline', 'Baseline', paper={WRN: 81.20, SS: 82.95}),
        _policy('aa', 'AA', {'cost': 5000, WRN: 82.91, SS: 85.72},
                recipes.policy('autoaugment', policy='autoaugment_cifar10', scale='tf', per='sample')),
        _policy('fast_aa', 'Fast AA', {'cost': 3.5, WRN: 82.70, SS: 85.40},
                recipes.policy('fast_autoaugment', policy='fast_autoaugment_cifar10', per='sample')),
        _policy('pba', 'PBA', {'cost': 5, WRN: 83.27, SS: 84.69},
                recipes.policy('pba', policy='pba_cifar10')),
        _policy('ra', 'RA', {'cost': 0, WRN: 83.30},
                recipes.policy('randaugment', n=2, m=14, scale='ildoonet', per='sample')),
        Row('faster_aa', 'Faster AA', paper={'cost': 0.23, WRN: 82.20, SS: 84.40}, refused=UNPUBLISHED),
        _policy('dada', 'DADA', {'cost': 0.2, WRN: 82.50, SS: 84.70},
                recipes.policy('dada', 'before_mixing', policy='dada_cifar100', per='sample')),
        Row('cutout', 'Cutout', recipes.cutout(8), {'cost': 0, WRN: 81.59, SS: 84.0}),
        Row('cutmix', 'CutMix', recipes.cutmix(prob=0.5), {'cost': 0, WRN: 83.40, SS: 85.0}),
        Row('fmix', 'FMix', recipes.fmix(), {'cost': 6, WRN: 82.03}),
        Row('saliencymix', 'SaliencyMix', recipes.saliencymix(prob=0.5), {'cost': 6, WRN: 83.44}),
        Row('puzzlemix', 'Puzzle Mix', recipes.puzzlemix(t_size=4, loss='bce_softmax'),
            {'cost': 12, WRN: 84.05}),
        Row('resizemix', 'ResizeMix', recipes.resizemix(), {'cost': 0, WRN: 84.31, SS: 85.26}),
        Row('resizemix_plus', 'ResizeMix+', recipes.resizemix_plus(), {'cost': 6, WRN: 85.23, SS: 85.60}),
    ),
)  # fmt: skip

get_config = TABLE.get_config
