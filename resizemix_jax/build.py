"""From a config to the parts of a run; everything that a config can get wrong is found here."""

import inspect
from typing import Any, NamedTuple

import jax
import numpy as np

from resizemix_jax import keys, optim, step
from resizemix_jax import state as states
from resizemix_jax.devices import parallel
from resizemix_jax.errors import ConfigError
from resizemix_jax.find import bind, find
from resizemix_jax.input.dataset import Dataset, Split


class Plan(NamedTuple):
    """What a config says, resolved without opening data or touching a device's memory."""

    config: Any
    dataset: Dataset
    task: Any
    devices: tuple
    eval_batch_size: int


class Run(NamedTuple):
    """A plan with its data: what the loop needs."""

    plan: Plan
    train: Split
    eval: Split
    steps_per_epoch: int
    steps: int
    schedule: Any
    tx: Any


def plan(config, devices=()):
    """Resolves the names of a config.

    Args:
        config: `ml_collections.ConfigDict`.
        devices: to train on; () for those that are here.

    Raises:
        ConfigError: a name, keyword or number that cannot be.
        DataError: a dataset that has to be looked at to be known is missing.
    """
    try:
        _check_numbers(config)
        devices = tuple(devices) or parallel.choose_devices(config.num_devices)
        dataset = _dataset(config)
        task = bind('tasks', config.task, config.task_args)(config, dataset)
        _check_batch(config.batch_size, len(devices), config.micro_batches)
        _trace(task, dataset, config.batch_size // len(devices))
    except ValueError as error:
        raise ConfigError(str(error)) from error
    # Evaluation fills batches up, so any number will do; whole devices waste least.
    eval_batch_size = -(-config.eval_batch_size // len(devices)) * len(devices)
    return Plan(config, dataset, task, devices, eval_batch_size)


def open_run(plan):
    """Reads the data, and derives the number of steps from it.

    Raises:
        ConfigError: a batch larger than the dataset, or a schedule that does not fit.
        DataError: the data cannot be read.
    """
    train = plan.dataset.read('train', plan.config.data_dir)
    run = _scheduled(plan, train.size)
    return run._replace(train=train, eval=plan.dataset.read('eval', plan.config.data_dir))


def unopened_run(plan):
    """A run without its data: what is needed to compile its steps.

    Raises:
        ConfigError: as `open_run`.
    """
    return _scheduled(plan, plan.dataset.train_size)


def _scheduled(plan, images):
    """The run over so many training images, its data still None."""
    config = plan.config
    steps_per_epoch = images // config.batch_size
    if steps_per_epoch == 0:
        raise ConfigError(f'batch_size={config.batch_size} is more than the {images} training images')
    steps = config.steps or config.epochs * steps_per_epoch
    try:
        schedule = optim.learning_rate(
            steps,
            lr=config.optimizer.lr,
            warmup_steps=config.optimizer.warmup_epochs * steps_per_epoch,
            warmup_lr=config.optimizer.warmup_lr,
            final_lr=config.optimizer.final_lr,
        )
        tx = _optimizer(config, schedule)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return Run(plan, None, None, steps_per_epoch, steps, schedule, tx)


def _dataset(config):
    name, colon, source = config.dataset.partition(':')
    keywords = dict(config.dataset_args)
    if colon:
        keywords['source'] = source  # NAME:REST, e.g. folder:/path
    if 'data_dir' in inspect.signature(find('datasets', name)).parameters:
        keywords['data_dir'] = config.data_dir  # what is known of it lies beside it
    return bind('datasets', name, keywords)()


def _optimizer(config, schedule):
    keywords = {key: config.optimizer[key] for key in ('momentum', 'nesterov', 'weight_decay', 'decay')}
    return optim.sgd(schedule, **keywords)


def template(plan):
    """The state as shapes, to restore a checkpoint into; needs no data."""
    tx = _optimizer(plan.config, lambda step: 0.0)
    names = plan.task.metric_names
    return jax.eval_shape(
        lambda: states.create(plan.task.init(keys.root(plan.config.seed)), tx, names),
    )


def batch_shapes(dataset, size):
    """A batch of `size` training examples as shapes."""
    return {
        'images': jax.ShapeDtypeStruct((size, *dataset.image_shape), np.uint8),
        'label': jax.ShapeDtypeStruct((size,), np.int32),
    }


def initial_state(run):
    """The state before the first step, on the devices."""
    task = run.plan.task
    variables = jax.jit(task.init)(keys.stream(keys.root(run.plan.config.seed), 'init'))
    return parallel.place(states.create(variables, run.tx, task.metric_names), run.plan.devices)


def train_step(run):
    """The training step on all devices: (state, batch, key) -> (state, metrics); the state is donated."""
    config = run.plan.config
    fn = step.make_train_step(
        run.plan.task,
        run.tx,
        steps=run.steps,
        log_every=config.log_every_steps,
        micro_batches=config.micro_batches,
    )
    return parallel.data_parallel(fn, run.plan.devices)


def eval_step(plan):
    """The evaluation step on all devices: (state, batch) -> sums."""
    return parallel.data_parallel(step.make_eval_step(plan.task), plan.devices, donate=False)


def _trace(task, dataset, batch):
    """Runs the step's first part and the network on shapes alone: no data, no compilation.

    So the checks of every op and layer speak now, and not after the data is read.
    """
    key = jax.eval_shape(jax.random.key, 0)
    examples = batch_shapes(dataset, batch)
    variables = jax.eval_shape(task.init, key)
    params, batch_stats = variables['params'], variables.get('batch_stats', {})
    progress = jax.ShapeDtypeStruct((), np.float32)
    parallel.trace(task.prepare, params, batch_stats, examples, key, progress)


def _check_batch(batch_size, devices, micro_batches):
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


def _check_numbers(config):
    for name in (
        'batch_size', 'eval_batch_size', 'epochs', 'micro_batches',
        'log_every_steps', 'eval_every_epochs', 'save_every_epochs', 'max_to_keep', 'batch_augment',
    ):  # fmt: skip
        if config[name] < 1:
            raise ValueError(f'{name}={config[name]} must be >= 1')
    for name in ('seed', 'steps', 'num_devices', 'gallery_every', 'generate_images', 'profile_steps'):
        if config[name] < 0:
            raise ValueError(f'{name}={config[name]} must be >= 0')
