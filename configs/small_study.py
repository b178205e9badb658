"""The small study: what the methods are worth where data is short, on any machine; top-1 test accuracy in %.

    python main.py --config=configs/small_study.py:row=cutmix,seed=0 --workdir=DIR
    python main.py --config=configs/small_study.py --mode=sweep --seeds=3 --workdir=runs/small_study

Arguments: row (see --list), seed.
It is no experiment of the paper. A Wide ResNet 16-2 trains for 120 epochs on 500 images of Fashion-MNIST, 50
of each class, and is tested on all 2,000 embedded test images: long enough on few enough images that a
regulariser has something to do.
"""

import ml_collections

from resizemix_jax import recipes
from resizemix_jax import tables as common

COLUMN = 'model'
COLUMNS = ('wrn16_2',)


def _resizemix(per, method):
    args = recipes.resizemix_args() | dict(per=per, method=method)
    return dict(row=f'resizemix_{per}_{method}', title=f'ResizeMix per {per}, {method}', paper={},
                mixing='resizemix', mixing_args=args)  # fmt: skip


ROWS = (
    dict(row='baseline', title='Baseline', paper={}, mixing='none', mixing_args={}),
    dict(row='cutout', title='Cutout', paper={}, mixing='cutout', mixing_args=dict(length=14)),
    dict(row='mixup', title='Mixup', paper={}, mixing='mixup', mixing_args=dict(alpha=1.0, per='batch')),
    dict(row='cutmix', title='CutMix', paper={}, mixing='cutmix', mixing_args=recipes.cutmix_args(0.5)),
    _resizemix('batch', 'nearest'),
    _resizemix('sample', 'nearest'),
    _resizemix('batch', 'linear'),
    _resizemix('sample', 'linear'),
)  # fmt: skip


def get_config(arg=''):
    args = common.parse(arg, row='resizemix_batch_nearest', seed=0)
    config = common.of_row('small_study', ROWS, args['row'], COLUMNS[0])
    config.seed = args['seed']
    config.dataset_args = ml_collections.ConfigDict(dict(train_size=500))
    config.model_args = ml_collections.ConfigDict(dict(depth=16, width=2, variant='original', dropout=0.0))
    config.batch_size, config.num_devices = 50, 1
    config.epochs = 120
    # An epoch is 10 steps, and an evaluation costs more than that.
    config.eval_every_epochs = config.save_every_epochs = 5
    return config
