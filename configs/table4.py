"""Table 4: ImageNet, ResNet-50 and ResNet-101; top-1 validation accuracy in %.

    python main.py --config=configs/table4.py:row=resizemix,model=resnet50,seed=0 --workdir=DIR

Arguments: row (see --list), model resnet50 | resnet101, recipe paper | released, scale paper | small,
seed.
The policies run on the images as they come out of the crop. ImageNet is read from TFDS's `imagenet2012` and
decoded as it is used (docs/input.md); other pictures: --config.dataset=folder:/path or tfds:NAME.
"""

from resizemix_jax import recipes
from resizemix_jax.tables import UNPUBLISHED, Column, Row, Table

R50, R101 = 'resnet50', 'resnet101'

TABLE = Table(
    name='table4',
    doc=__doc__,
    columns=(Column(R50, R50), Column(R101, R101)),
    keys=dict(dataset='imagenet'),
    rows=(
        Row('baseline', 'Baseline', paper={R50: 76.31, R101: 78.13}),
        Row('aa', 'AA',
            recipes.policy('autoaugment', 'before_mixing', policy='autoaugment_imagenet', scale='tf',
                           per='sample'),
            {'cost': 15000, R50: 77.63}),
        Row('fast_aa', 'FastAA',
            recipes.policy('fast_autoaugment', 'before_mixing', policy='fast_autoaugment_imagenet',
                           per='sample'),
            {'cost': 450, R50: 77.60}),
        Row('ohl_aa', 'OHL-AA', paper={'cost': 625, R50: 78.93}, refused=UNPUBLISHED),
        Row('ra', 'RA',
            recipes.policy('randaugment', 'before_mixing', n=2, m=9, scale='ildoonet', per='sample'),
            {'cost': 0, R50: 77.60}),
        Row('faster_aa', 'Faster AA', paper={'cost': 2.3, R50: 76.50}, refused=UNPUBLISHED),
        Row('dada', 'DADA', recipes.policy('dada', 'before_mixing', policy='dada_imagenet', per='sample'),
            {'cost': 1.3, R50: 77.50}),
        Row('cutmix', 'CutMix', recipes.cutmix(prob=1.0), {'cost': 0, R50: 78.60, R101: 79.83}),
        Row('saliencymix', 'SaliencyMix', recipes.saliencymix(prob=1.0),
            {'cost': 280, R50: 78.74, R101: 79.91}),
        # 77.51 is Puzzle Mix's number after 100 epochs; after 300 its README has 78.76.
        Row('puzzlemix', 'Puzzle Mix', recipes.puzzlemix(t_size=-1, loss='ce'), {'cost': 576, R50: 77.51}),
        Row('resizemix', 'ResizeMix', recipes.resizemix(), {'cost': 0, R50: 79.00, R101: 80.54}),
    ),
)  # fmt: skip

get_config = TABLE.get_config
