"""Made-up images: memory and speed of a network on this machine, without any data.

    python main.py --config=configs/fake.py:model=resnet50 --workdir=/tmp/fake --config.steps=20

Arguments: model wrn28_10 | ss26_2x96d | resnet50 | resnet101, mixing, size (pixels), classes.
"""

import ml_collections

from resizemix_jax import recipes
from resizemix_jax import tables as common
from resizemix_jax.config import base


def get_config(arg=''):
    args = common.parse(arg, model=recipes.WRN, mixing='resizemix', size=0, classes=0)
    config = base()
    config.table = 'fake'
    common.choose('model', args['model'], tuple(recipes.MODELS))
    recipes.MODELS[args['model']](config, 'paper')
    large = config.model == 'resnet'
    size = args['size'] or (224 if large else 32)
    config.dataset = 'fake'
    config.dataset_args = ml_collections.ConfigDict(
        dict(
            image_shape=(size, size, 3),
            num_classes=args['classes'] or (1000 if large else 100),
            train_size=4 * config.batch_size,
            eval_size=config.batch_size,
        )
    )
    config.mixing = args['mixing']
    config.epochs = 1
    config.log_every_steps = 1
    return config
