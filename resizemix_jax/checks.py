"""Checks of a config and of the parts that it names.

Each raises ValueError with the part that breaks its contract; `resizemix_jax.build` calls them.
"""

import jax
import numpy as np

TASK = ('score', 'metric_names', 'splits', 'init', 'measure', 'summarise')


def task(config, task, dataset):
    """The attributes of a task, see `resizemix_jax.tasks`, and the splits that it uses."""
    wanted = TASK + (() if hasattr(task, 'update') else ('prepare', 'loss'))
    missing = [name for name in wanted if not hasattr(task, name)]
    if missing:
        raise ValueError(f'task={config.task!r} lacks {", ".join(missing)}; see resizemix_jax/tasks')
    for split in (*task.splits, 'eval'):
        if split not in dataset.sizes:
            raise ValueError(
                f'task={config.task!r} uses the split {split!r}; dataset={config.dataset!r} has: '
                f'{", ".join(dataset.sizes)}'
            )
    if config.gallery_every and not hasattr(task, 'draw'):
        raise ValueError(
            f'gallery_every={config.gallery_every}: task={config.task!r} draws no pictures; set 0'
        )


def variables(config, variables):
    """What the task's `init` returns, as shapes."""
    if 'params' not in variables:
        raise ValueError(f"task={config.task!r}: init must return variables with 'params'")


def loss(config, task, returned):
    """What the task's `loss` returns, as shapes of one device."""
    try:
        loss, (_, metrics) = returned
        named, scalar = set(metrics) == set(task.metric_names), loss.shape == (1,)
    except (TypeError, ValueError, AttributeError):
        named = scalar = False
    if not (named and scalar):
        raise ValueError(
            f'task={config.task!r}: loss must return a loss [] and (batch_stats, metrics), the metrics '
            f'{", ".join(task.metric_names)}'
        )


def measure(config, returned, size):
    """What the task's `measure` returns for `size` examples, as shapes of one device."""
    try:
        sums, rows = returned
        right = all(a.shape == (1,) for a in sums.values()) and all(
            a.shape[1:2] == (size,) for a in rows.values()
        )
    except (TypeError, ValueError, AttributeError):
        right = False
    if not right:
        raise ValueError(
            f'task={config.task!r}: measure must return (sums, rows): dicts of float32 [] and of arrays with '
            'one entry an example'
        )


def optimizer(config, schedule, tx):
    """The parts that are built of `optimizer` and `schedule`."""
    rate = jax.eval_shape(schedule, jax.ShapeDtypeStruct((), np.int32))
    if getattr(rate, 'shape', None) != ():
        raise ValueError(f'schedule={config.schedule!r}: a learning rate must be a number, not {rate}')
    if not (callable(getattr(tx, 'init', None)) and callable(getattr(tx, 'update', None))):
        raise ValueError(
            f'optimizer={config.optimizer!r} must return an optax.GradientTransformation, not {tx!r}'
        )


def batch(batch_size, devices, micro_batches):
    """Whether a batch can be divided."""
    if batch_size % devices:
        raise ValueError(
            f'batch_size={batch_size} must be a multiple of the {devices} devices; '
            f'e.g. {batch_size - batch_size % devices or devices}, or use fewer with num_devices'
        )
    if batch_size // devices % micro_batches:
        raise ValueError(
            f'micro_batches={micro_batches} must divide the {batch_size // devices} images of a device '
            f'(batch_size={batch_size} over {devices} devices)'
        )


def numbers(config):
    """The ranges of the numbers."""
    for name in (
        'batch_size', 'eval_batch_size', 'epochs', 'micro_batches',
        'log_every_steps', 'eval_every_epochs', 'save_every_epochs', 'max_to_keep', 'batch_augment',
    ):  # fmt: skip
        if config[name] < 1:
            raise ValueError(f'{name}={config[name]} must be >= 1')
    for name in (
        'seed', 'steps', 'num_devices', 'gallery_every', 'generate_images', 'profile_steps', 'input_timeout',
    ):  # fmt: skip
        if config[name] < 0:
            raise ValueError(f'{name}={config[name]} must be >= 0')
