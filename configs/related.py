"""Related work: the methods that the paper names beside its tables; CIFAR-10 and CIFAR-100, WRN-28-10.

    python main.py --config=configs/related.py:row=ricap,dataset=cifar100,seed=0 --workdir=DIR

Arguments: row (see --list), dataset cifar10 | cifar100, recipe paper | released, scale paper | small, seed.
The paper prints no number for these rows; their own papers do, with recipes of their own. Here every row has
the paper's recipe for WRN-28-10, so that rows differ in the method alone. SuperMix trains on images that a
trained network, the run of the baseline, has mixed; --list prints its three commands.
"""

from resizemix_jax import recipes
from resizemix_jax.recipes import WRN
from resizemix_jax.tables import Column, Row, Table

TABLE = Table(
    name='related',
    doc=__doc__,
    columns=tuple(Column(dataset, WRN, dict(dataset=dataset)) for dataset in ('cifar10', 'cifar100')),
    column_key='dataset',
    default_column='cifar100',
    rows=(
        Row('baseline', 'Baseline'),
        Row('mixup', 'Mixup', recipes.mixup()),
        Row('random_erasing', 'Random Erasing', recipes.random_erasing()),
        Row('ricap', 'RICAP', recipes.ricap()),
        Row('augmix', 'AugMix', recipes.augmix()),
        # Its images are mixed before the training, by the network of the baseline's run.
        Row('supermix', 'SuperMix', dict(dataset='generated'), needs=(('related', 'baseline', 'teacher'),)),
        Row('resizemix', 'ResizeMix', recipes.resizemix()),
    ),
)

get_config = TABLE.get_config
