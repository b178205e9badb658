"""Quickstart: a small Wide ResNet on the embedded 10,000 images of clothing, on any machine.

    python main.py --config=configs/quickstart.py --workdir=runs/quickstart

Arguments: row baseline | cutout | mixup | cutmix | resizemix, seed.
A first run and a check of the installation. It is no experiment of the paper, and so short a training of
so small a network does not need regularisation: do not read a ranking of the methods from it.
"""

import ml_collections

from resizemix_jax import recipes
from resizemix_jax import tables as common

COLUMN = 'model'
COLUMNS = ('wrn10_1',)

ROWS = (
    dict(row='baseline', title='Baseline', paper={}, mixing='none', mixing_args={}),
    dict(row='cutout', title='Cutout', paper={}, mixing='cutout', mixing_args=dict(length=14)),
    dict(row='mixup', title='Mixup', paper={}, mixing='mixup', mixing_args=dict(alpha=1.0, per='batch')),
    dict(row='cutmix', title='CutMix', paper={}, mixing='cutmix', mixing_args=recipes.cutmix_args(0.5)),
    dict(row='resizemix', title='ResizeMix', paper={}, mixing='resizemix',
         mixing_args=recipes.resizemix_args()),
)  # fmt: skip


def get_config(arg=''):
    args = common.parse(arg, row='resizemix', seed=0)
    config = common.of_row('quickstart', ROWS, args['row'], COLUMNS[0])
    config.seed = args['seed']
    config.model_args = ml_collections.ConfigDict(dict(depth=10, width=1, variant='original', dropout=0.0))
    config.batch_size = 32
    config.epochs = 6
    config.log_every_steps = 104
    return config
