"""The operations of the augmentation policies, one a row, and AugMix; to look at, or to train with one alone.

    python main.py --config=configs/operations.py --workdir=runs/ops --mode=gallery --images=docs/photos

Arguments: row (an operation), seed. Everything else is the quickstart's.
"""

import ml_collections

from configs import quickstart
from resizemix_jax import tables as common

COLUMN = quickstart.COLUMN
COLUMNS = quickstart.COLUMNS

NAMES = (
    'ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate', 'AutoContrast', 'Invert', 'Equalize',
    'Solarize', 'SolarizeAdd', 'Add', 'Posterize', 'Contrast', 'Color', 'Brightness', 'Sharpness', 'Cutout',
)  # fmt: skip
ROWS = tuple(
    dict(row=name.lower(), title=name, paper={}, mixing='none', mixing_args={}, policy='operation',
         policy_args=dict(name=name, level=0.8), policy_place='before_mixing')
    for name in NAMES
) + (
    dict(row='augmix', title='AugMix', paper={}, mixing='none', mixing_args={}, policy='augmix',
         policy_args={}, policy_place='before_mixing'),
)  # fmt: skip


def get_config(arg=''):
    args = common.parse(arg, row='rotate', seed=0)
    config = quickstart.get_config(f'row=baseline,seed={args["seed"]}')
    row = common.named(ROWS, args['row'])
    config.table, config.row = 'operations', row['row']
    config.augment, config.augment_args = 'none', ml_collections.ConfigDict()
    return common.with_row(config, row)
