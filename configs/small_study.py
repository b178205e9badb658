"""The small study: what the methods are worth where data is short, on any machine; top-1 test accuracy in %.

    python main.py --config=configs/small_study.py:row=cutmix,seed=0 --workdir=DIR
    python main.py --config=configs/small_study.py --mode=sweep --seeds=3 --workdir=runs/small_study

Arguments: row (see --list), seed.
It is no experiment of the paper. A Wide ResNet 16-2 trains for 120 epochs on 500 images of Fashion-MNIST, 50
of each class, and is tested on all 2,000 embedded test images: long enough on few enough images that a
regulariser has something to do.
"""

from resizemix_jax import recipes
from resizemix_jax.tables import Column, Row, Table

NETWORK = dict(model_args=dict(depth=16, width=2, variant='original', dropout=0.0))


def _resizemix(per, method):
    keys = recipes.resizemix(per=per, method=method)
    return Row(f'resizemix_{per}_{method}', f'ResizeMix per {per}, {method}', keys)


TABLE = Table(
    name='small_study',
    doc=__doc__,
    columns=(Column('wrn16_2', keys=NETWORK),),
    keys=dict(
        dataset_args=dict(train_size=500),
        batch_size=50,
        num_devices=1,
        epochs=120,
        # An epoch is 10 steps, and an evaluation costs more than that.
        eval_every_epochs=5,
        save_every_epochs=5,
    ),
    default_row='resizemix_batch_nearest',
    rows=(
        Row('baseline', 'Baseline'),
        Row('cutout', 'Cutout', recipes.cutout(14)),
        Row('mixup', 'Mixup', recipes.mixup()),
        Row('cutmix', 'CutMix', recipes.cutmix(0.5)),
        _resizemix('batch', 'nearest'),
        _resizemix('sample', 'nearest'),
        _resizemix('batch', 'linear'),
        _resizemix('sample', 'linear'),
    ),
)

get_config = TABLE.get_config
