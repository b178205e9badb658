"""The operations of the augmentation policies, one a row, and AugMix; to look at, or to train with one alone.

    python main.py --config=configs/operations.py --workdir=runs/ops --mode=gallery --images=docs/photos

Arguments: row (an operation), seed. Everything else is the quickstart's.
"""

from resizemix_jax.tables import Column, Row, Table

NETWORK = dict(model_args=dict(depth=10, width=1, variant='original', dropout=0.0))
NAMES = (
    'ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate', 'AutoContrast', 'Invert', 'Equalize',
    'Solarize', 'SolarizeAdd', 'Add', 'Posterize', 'Contrast', 'Color', 'Brightness', 'Sharpness', 'Cutout',
)  # fmt: skip


def _row(title, policy, **args):
    keys = dict(policy=policy, policy_args=args, policy_place='before_mixing')
    return Row(title.lower(), title, keys)


TABLE = Table(
    name='operations',
    doc=__doc__,
    columns=(Column('wrn10_1', keys=NETWORK),),
    keys=dict(augment='none', batch_size=32, epochs=6, log_every_steps=104),  # as the quickstart
    default_row='rotate',
    rows=(*(_row(name, 'operation', name=name, level=0.8) for name in NAMES), _row('AugMix', 'augmix')),
)

get_config = TABLE.get_config
