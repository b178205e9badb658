"""Table 6: training and validating at half the resolution; top-1 accuracy in %.

    python main.py --config=configs/table6.py:row=resize_resize,dataset=cifar100,seed=0 --workdir=DIR

Arguments: row (see --list), dataset cifar10 | cifar100 (WRN-28-10) | imagenet (ResNet-50), recipe
paper | released, scale paper | small, seed. A row is named by what training does and what validation does,
after the standard crop and flip, and nothing is mixed; the network sees 16 x 16 pixels of CIFAR and 112 x 112
of ImageNet.
"""

from resizemix_jax.recipes import WRN
from resizemix_jax.tables import Column, Row, Table

COLUMNS = (
    Column('cifar10', WRN, dict(dataset='cifar10')),
    Column('cifar100', WRN, dict(dataset='cifar100')),
    Column('imagenet', 'resnet50', dict(dataset='imagenet')),
)


def _row(name, title, top1, half_train, half_eval):
    paper = {column.name: number for column, number in zip(COLUMNS, top1, strict=True)}
    return Row(name, title, dict(half_train=half_train, half_eval=half_eval), paper)


TABLE = Table(
    name='table6',
    doc=__doc__,
    columns=COLUMNS,
    column_key='dataset',
    default_row='resize_resize',
    default_column='cifar100',
    rows=(
        _row('baseline', 'Baseline', (96.13, 81.20, 76.31), 'full', 'full'),
        _row('crop_resize', '(1) RandCrop, Resize', (71.80, 35.84, 63.59), 'random_crop', 'resize'),
        _row('crop_crop', '(2) RandCrop, CenterCrop', (90.10, 66.70, 58.58), 'random_crop', 'center_crop'),
        _row('resize_resize', '(3) Resize, Resize', (92.06, 71.90, 63.85), 'resize', 'resize'),
    ),
)

get_config = TABLE.get_config
