"""The quickstart's config, small enough for a test: made-up 8 x 8 images, 4 steps an epoch, 3 epochs."""

from configs import quickstart
from resizemix_jax import config as configs

KEYS = dict(
    dataset='fake',
    dataset_args=dict(image_shape=(8, 8, 1), num_classes=4, train_size=67, eval_size=37),
    model='tests.small',
    batch_size=16,
    eval_batch_size=16,
    epochs=3,
    log_every_steps=3,
    num_devices=1,
)
# The smallest Wide ResNet, where the network matters.
WIDE = dict(model='wide_resnet', model_args__depth=10, model_args__width=1)

# A task that is not classification.
DETECTION = dict(task='detect_ssd', dataset='fashion_scenes', model='ssd64', mixing='none')


def config(**values):
    """`values`: key -> value; a double underscore is a dot. Keywords are not checked: a test may err."""
    made = configs.assign(quickstart.get_config('row=resizemix'), KEYS)
    configs.complete(configs.assign(made, {key: values[key] for key in values if key in configs.NAME_KEYS}))
    for key, value in values.items():
        group, _, keyword = key.replace('__', '.').rpartition('.')
        configs.assign(made, {group: {keyword: value}} if group else {key: value})
    return made
