"""Made-up images: memory and speed of a network on this machine, without any data.

    python main.py --config=configs/fake.py:model=resnet50 --workdir=/tmp/fake --config.steps=20

Arguments: model wrn28_10 | ss26_2x96d | resnet50 | resnet101, mixing, size (pixels), classes.
"""

from resizemix_jax import config as configs
from resizemix_jax import recipes
from resizemix_jax.arguments import choose, parse


def get_config(arg=''):
    args = parse(arg, model=recipes.WRN, mixing='resizemix', size=0, classes=0)
    keys = recipes.NETWORKS[choose('model', args['model'], recipes.NETWORKS)]('paper')
    large = keys['model'] == 'resnet'
    size = args['size'] or (224 if large else 32)
    images = dict(
        image_shape=(size, size, 3),
        num_classes=args['classes'] or (1000 if large else 100),
        train_size=4 * keys['batch_size'],
        eval_size=keys['batch_size'],
    )
    fake = dict(dataset='fake', dataset_args=images, mixing=args['mixing'], epochs=1, log_every_steps=1)
    return configs.complete(configs.assign(configs.base(), dict(table='fake') | keys | fake))
