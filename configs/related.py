"""Related work: the methods that the paper names beside its tables; CIFAR-10 and CIFAR-100, WRN-28-10.

    python main.py --config=configs/related.py:row=ricap,dataset=cifar100,seed=0 --workdir=DIR

Arguments: row (see --list), dataset cifar10 | cifar100, recipe paper | released, scale paper | small, seed.
The paper prints no number of these rows; their own papers do, from recipes of their own. Here every row has
the paper's recipe for WRN-28-10, so that rows differ in the method alone. SuperMix trains on a set that a
trained network, the run of another row, has mixed:

    python main.py --config=configs/related.py:row=baseline --workdir=runs/teacher
    python main.py --config=configs/related.py:row=baseline --workdir=runs/teacher --mode=generate
    python main.py --config=configs/related.py:row=supermix --workdir=DIR \\
        --config.data_dir=runs/teacher/generated
"""

from resizemix_jax import recipes
from resizemix_jax import tables as common
from resizemix_jax.recipes import WRN

COLUMN = 'dataset'
COLUMNS = ('cifar10', 'cifar100')

ROWS = (
    dict(row='baseline', title='Baseline', paper={}, mixing='none', mixing_args={}),
    dict(row='mixup', title='Mixup', paper={}, mixing='mixup', mixing_args=dict(alpha=1.0, per='batch')),
    dict(row='random_erasing', title='Random Erasing', paper={}, mixing='random_erasing',
         mixing_args=dict(prob=0.5, area=(0.02, 0.4), ratio=0.3)),
    dict(row='ricap', title='RICAP', paper={}, mixing='ricap', mixing_args=dict(beta=0.3, per='batch')),
    dict(row='augmix', title='AugMix', paper={}, **recipes.augmix()),
    # Its images are mixed before the training: see get_config.
    dict(row='supermix', title='SuperMix', paper={}, mixing='none', mixing_args={}),
    dict(row='resizemix', title='ResizeMix', paper={}, mixing='resizemix',
         mixing_args=recipes.resizemix_args()),
)  # fmt: skip


def get_config(arg=''):
    args = common.parse(arg, row='resizemix', dataset='cifar100', recipe='paper', scale='paper', seed=0)
    common.choose('dataset', args['dataset'], COLUMNS)
    config = common.cell('related', ROWS, args['dataset'], model=WRN, **args)
    if args['row'] == 'supermix':
        config.dataset = 'generated'
    return config
