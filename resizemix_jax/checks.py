"""Checks of a config and of the parts that it names.

Each raises ValueError with the part that breaks its contract; `resizemix_jax.build` calls them.
"""

import contextlib
import math

import jax
import numpy as np

from resizemix_jax.errors import first_line
from resizemix_jax.find import check_keywords, keywords
from resizemix_jax.mixing import supermix
from resizemix_jax.ranges import POSITIVE, Number, Several, Whole
from resizemix_jax.state import NetworkError

MOST_ON_A_DEVICE, MOST_IN_MEMORY = 10**12, 10**13  # bytes; some times what the largest have
MOST_STEPS = 2**31 - 1  # they are counted in int32

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


@contextlib.contextmanager
def network(config, dataset):
    """A context in which the network runs on all the images that the config shows it, as shapes."""
    try:
        yield
    except NetworkError as error:
        height, width, _ = dataset.image_shape
        size = f'model={config.model!r}, initialised for images of {height} x {width} pixels, cannot be run'
        halves = {key: config[key] for key in ('half_train', 'half_eval') if config[key] != 'full'}
        if not halves:
            raise ValueError(f'{size} on them: {first_line(error)}. Correct its module') from error
        words = ' and '.join(f'{key}={value!r}' for key, value in halves.items())
        raise ValueError(
            f"{size} on those of {words}: {first_line(error)}. Set {' and '.join(halves)} to 'full', or use "
            'a network that takes images of any size'
        ) from error


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


def steps(config, steps):
    """The number of steps of a run."""
    if steps > MOST_STEPS:
        raise ValueError(f'epochs={config.epochs} are {steps} steps; at most {MOST_STEPS} are possible')


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


def dataset(config, dataset, devices):
    """What a dataset says of itself, and that no more memory is needed than any machine has."""
    name = f'dataset={config.dataset!r}'
    Whole(1).check(f'{name}: ', num_classes=dataset.num_classes)
    Whole(1).check(f'{name}: examples of ', **dataset.sizes)
    channels = len(dataset.mean)
    Several(Number()).check(f'{name}: ', mean=tuple(dataset.mean))
    Several(POSITIVE, channels).check(f'{name}: ', std=tuple(dataset.std))
    arrays = [[(math.prod(shape), np.dtype(dtype)) for shape, dtype in b.values()] for b in dataset.buckets]
    example = max(sum(count * dtype.itemsize for count, dtype in bucket) for bucket in arrays)
    if not dataset.streamed:
        _enough(f'{name} is read into memory and', example * sum(dataset.sizes.values()), MOST_IN_MEMORY)
    # The network computes in float32, or in half of it.
    example = max(sum(2 * count for count, _ in bucket) for bucket in arrays)
    for key in ('batch_size', 'eval_batch_size'):
        _enough(f'{key}={config[key]}: each device', config[key] * example // devices, MOST_ON_A_DEVICE)


def parameters(config, params):
    """That the parameters and their gradients, as shapes, fit a device."""
    size = sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(params))
    named = f'model={config.model!r} with model_args={config.model_args.to_dict()}'
    _enough(f'{named}: each device', 2 * size, MOST_ON_A_DEVICE)


def generate(values):
    """The keywords of --mode=generate, as far as they do not depend on the images."""
    try:
        check_keywords(supermix.supermix, values)
        supermix.check_ranges(**keywords(supermix.supermix) | values)
    except ValueError as error:
        raise ValueError(f'generate_args: {error}') from error


def _enough(what, needed, most):
    if needed > most:
        raise ValueError(f'{what} needs at least {needed:.1e} bytes, more than any has (limit: {most:.0e})')
