"""Quickstart: a small Wide ResNet on the embedded 10,000 images of clothing, on any machine.

    python main.py --config=configs/quickstart.py --workdir=runs/quickstart

Arguments: row baseline | cutout | mixup | cutmix | resizemix, seed.
A first run and a check of the installation. It is no experiment of the paper, and so short a training of
so small a network does not need regularisation: do not read a ranking of the methods from it.
"""

from resizemix_jax import recipes
from resizemix_jax.tables import Column, Row, Table

NETWORK = dict(model_args=dict(depth=10, width=1, variant='original', dropout=0.0))

TABLE = Table(
    name='quickstart',
    doc=__doc__,
    columns=(Column('wrn10_1', keys=NETWORK),),
    keys=dict(batch_size=32, epochs=6, log_every_steps=104),
    rows=(
        Row('baseline', 'Baseline'),
        Row('cutout', 'Cutout', recipes.cutout(14)),
        Row('mixup', 'Mixup', recipes.mixup()),
        Row('cutmix', 'CutMix', recipes.cutmix(0.5)),
        Row('resizemix', 'ResizeMix', recipes.resizemix()),
    ),
)

get_config = TABLE.get_config
