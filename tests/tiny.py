"""The quickstart's config, small enough for a test: made-up 8 x 8 images, 4 steps an epoch, 3 epochs."""

import ml_collections

from configs import quickstart


def config(**values):
    made = quickstart.get_config('row=resizemix')
    made.dataset = 'fake'
    made.dataset_args = ml_collections.ConfigDict(
        dict(image_shape=(8, 8, 1), num_classes=4, train_size=67, eval_size=37)
    )
    made.batch_size, made.eval_batch_size, made.epochs = 16, 16, 3
    made.log_every_steps = 3
    made.num_devices = 1
    for key, value in values.items():
        target, _, last = key.replace('__', '.').rpartition('.')
        setattr(getattr(made, target) if target else made, last, value)
    return made
