"""Table 4: ImageNet, ResNet-50 and ResNet-101; top-1 validation accuracy in %.

    python main.py --config=configs/table4.py:row=resizemix,model=resnet50,seed=0 --workdir=DIR

Arguments: row (see --list), model resnet50 | resnet101, recipe paper | released, scale paper | small,
seed.
The policies run on the images as they come out of the crop. ImageNet is read from TFDS's `imagenet2012` and
decoded as it is used (docs/input.md); other pictures: --config.dataset=folder:/path or tfds:NAME.
"""

from resizemix_jax import recipes
from resizemix_jax import tables as common
from resizemix_jax.tables import UNPUBLISHED

R50, R101 = 'resnet50', 'resnet101'
COLUMN = 'model'
COLUMNS = (R50, R101)

ROWS = (
    dict(row='baseline', title='Baseline', paper={R50: 76.31, R101: 78.13}, mixing='none', mixing_args={}),
    dict(row='aa', title='AA', paper={'cost': 15000, R50: 77.63}, mixing='none', mixing_args={},
         **recipes.policy('autoaugment', 'before_mixing', policy='autoaugment_imagenet', scale='tf',
                          per='sample')),
    dict(row='fast_aa', title='FastAA', paper={'cost': 450, R50: 77.60}, mixing='none', mixing_args={},
         **recipes.policy('fast_autoaugment', 'before_mixing', policy='fast_autoaugment_imagenet',
                          per='sample')),
    dict(row='ohl_aa', title='OHL-AA', paper={'cost': 625, R50: 78.93}, refused=UNPUBLISHED),
    dict(row='ra', title='RA', paper={'cost': 0, R50: 77.60}, mixing='none', mixing_args={},
         **recipes.policy('randaugment', 'before_mixing', n=2, m=9, scale='ildoonet', per='sample')),
    dict(row='faster_aa', title='Faster AA', paper={'cost': 2.3, R50: 76.50}, refused=UNPUBLISHED),
    dict(row='dada', title='DADA', paper={'cost': 1.3, R50: 77.50}, mixing='none', mixing_args={},
         **recipes.policy('dada', 'before_mixing', policy='dada_imagenet', per='sample')),
    dict(row='cutmix', title='CutMix', paper={'cost': 0, R50: 78.60, R101: 79.83},
         mixing='cutmix', mixing_args=recipes.cutmix_args(prob=1.0)),
    dict(row='saliencymix', title='SaliencyMix', paper={'cost': 280, R50: 78.74, R101: 79.91},
         **recipes.saliencymix(prob=1.0)),
    # 77.51 is Puzzle Mix's number after 100 epochs; after 300 its README has 78.76.
    dict(row='puzzlemix', title='Puzzle Mix', paper={'cost': 576, R50: 77.51},
         **recipes.puzzlemix(t_size=-1, loss='ce')),
    dict(row='resizemix', title='ResizeMix', paper={'cost': 0, R50: 79.00, R101: 80.54},
         mixing='resizemix', mixing_args=recipes.resizemix_args()),
)  # fmt: skip


def get_config(arg=''):
    return common.table('table4', ROWS, COLUMNS, arg, dataset='imagenet')
