"""From a config to the parts of a run; everything that a config can get wrong is found here."""

import itertools
from typing import Any, NamedTuple

import jax
import numpy as np

from resizemix_jax import checks, freeze, key_ranges, keys, step
from resizemix_jax import state as states
from resizemix_jax.devices import parallel
from resizemix_jax.errors import ConfigError
from resizemix_jax.find import bind, find, needs
from resizemix_jax.input.dataset import Dataset, Split
from resizemix_jax.input.held_out import EVAL, HELD_OUT, divided
from resizemix_jax.pictures.pairs import choose_pairs


class Plan(NamedTuple):
    """What a config says, resolved without opening data or touching a device's memory."""

    config: Any
    dataset: Dataset
    task: Any
    devices: tuple
    eval_batch_size: int

    @property
    def evaluated_on(self):
        """The split that the training is evaluated on, and its best state chosen: the held-out part, if the
        config asks for one and the task does not train on it; else 'eval'."""
        held_out = self.config.held_out and HELD_OUT not in self.task.splits
        return HELD_OUT if held_out else EVAL

    @property
    def frozen(self):
        """The patterns of the parameters that are not trained: the task's and the config's."""
        return (*getattr(self.task, 'frozen', ()), *self.config.freeze)


class Run(NamedTuple):
    """A plan with its data and its steps: all that the loop needs.

    Attributes:
        plan: see `Plan`.
        train: Splits by name, those that the task trains on.
        eval: Split, of `Plan.evaluated_on`.
        steps_per_epoch, steps: of an epoch, of the whole run, of the config's batches.
        schedule: number of steps taken -> learning rate.
        tx: `optax.GradientTransformation`.
        train_step: `parallel.Step`, (state, batch, key) -> (state, metrics); the state is donated.
        eval_step: `parallel.Step`, (state, batch) -> (sums, rows).
        epoch_end: (state, sums, key) -> state on all devices, or None; the state is donated.
        offset: the steps taken less those of the config at the same place in the data, see `run.position`.
        test: Split 'eval', kept for the end of the training; None where it is `eval`.
    """

    plan: Plan
    train: dict[str, Split]
    eval: Split
    steps_per_epoch: int
    steps: int
    schedule: Any
    tx: Any
    train_step: parallel.Step
    eval_step: parallel.Step
    epoch_end: Any
    offset: int = 0
    test: Split | None = None

    @property
    def splits(self):
        """All its Splits by their names in the dataset, those that are trained on first."""
        kept = {EVAL: self.test} if self.test else {}
        return self.train | {self.plan.evaluated_on: self.eval} | kept

    @property
    def last(self):
        """The number of steps taken at the end of the run."""
        return self.steps + self.offset

    def epoch(self, step):
        """The epochs of data that are seen after a number of steps taken, float."""
        return (step - self.offset) / self.steps_per_epoch


def plan(config, devices=()):
    """Resolves the names of a config.

    Args:
        config: `ml_collections.ConfigDict`, see `resizemix_jax.config`.
        devices: to train on; () for those of this machine.

    Raises:
        ConfigError: an unknown name or keyword, a value out of range, or a part that breaks its contract.
        DataError: a dataset that must be read to be known is missing, or a class too small for held_out.
    """
    try:
        key_ranges.check(config.to_dict())
        devices = tuple(devices) or parallel.choose_devices(config.num_devices)
        checks.generate(config.to_dict()['generate_args'])
        dataset = _dataset(config)
        checks.dataset(config, dataset, len(devices))
        task = bind('tasks', config.task, config.task_args)(config, dataset)
        checks.task(config, task, dataset)
        checks.batch(config.batch_size, len(devices), config.micro_batches)
        # Evaluation fills batches up, so any number will do; whole devices waste least.
        eval_batch_size = -(-config.eval_batch_size // len(devices)) * len(devices)
        plan = Plan(config, dataset, task, devices, eval_batch_size)
        if steps_per_epoch := dataset.sizes[task.splits[0]] // config.batch_size:
            _parts(plan, steps_per_epoch)
        with checks.network(config, dataset):
            _trace(plan)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return plan


def open_run(plan):
    """Reads the data; the number of steps follows from it.

    Raises:
        ConfigError: a batch larger than the dataset, or a schedule that does not fit.
        DataError: the data cannot be read or divided, or gallery_every finds no two images to mix in it.
    """
    config, task = plan.config, plan.task
    train = {name: plan.dataset.read(name, config.data_dir) for name in task.splits}
    if config.gallery_every:  # without pairs the training would end at its first picture
        choose_pairs(train[task.splits[0]], config.seed)
    run = _scheduled(plan, train[task.splits[0]].steps(config.batch_size))
    evaluated = plan.dataset.read(plan.evaluated_on, config.data_dir)
    kept = plan.evaluated_on != EVAL
    test = plan.dataset.read(EVAL, config.data_dir) if kept else None
    return run._replace(train=train, eval=evaluated, test=test)


def unopened_run(plan):
    """A run without its data: all that is needed to compile its steps.

    Raises:
        ConfigError: as `open_run`.
    """
    size = plan.dataset.sizes[plan.task.splits[0]]
    return _scheduled(plan, size // plan.config.batch_size)


def eval_step(plan, predict=False):
    """The evaluation step on the devices; arguments as of `step.make_eval_step`."""
    function, arguments = step.make_eval_step(plan.task, predict), (parallel.WHOLE, parallel.SPLIT)
    shapes = template(plan), eval_batches(plan)
    return parallel.Step(function, plan.devices, arguments, *shapes, donate=False)


def at_offset(run, offset):
    """The run for a state that has taken `offset` steps more than its place in the data."""
    if not offset:
        return run
    shifted = _scheduled(run.plan, run.steps_per_epoch, offset)
    return shifted._replace(train=run.train, eval=run.eval, test=run.test)


def template(plan):
    """The state as shapes, to restore a checkpoint into; needs no data."""
    tx = _optimizer(plan.config, lambda step: 0.0)
    return jax.eval_shape(lambda: _create(plan, plan.task.init(keys.root(plan.config.seed)), tx))


def initial_state(run, initial=None):
    """The state before the first step, on the devices; `initial`: `weights.initial.Initial`, or None."""
    variables = jax.jit(run.plan.task.init)(keys.stream(keys.root(run.plan.config.seed), 'init'))
    if initial:
        variables = initial.network.put_into(variables)
    return parallel.place(_create(run.plan, variables, run.tx), run.plan.devices)


def train_batches(plan):
    """The shapes of the training batches of all devices, one a bucket."""
    return _by_split(plan.task, plan.dataset.batches(plan.config.batch_size))


def eval_batches(plan):
    """The shapes of the evaluation batches of all devices, one a bucket."""
    return _marked(plan.dataset.batches(plan.eval_batch_size), plan.eval_batch_size)


def _create(plan, variables, tx):
    return states.create(
        variables, tx, plan.task.metric_names, lambda params: freeze.split(params, plan.frozen)[0]
    )


def _scheduled(plan, steps_per_epoch, offset=0):
    """The run over epochs of so many steps, without data."""
    config = plan.config
    if steps_per_epoch == 0:
        raise ConfigError(
            f'batch_size={config.batch_size} is more than the {plan.dataset.sizes[plan.task.splits[0]]} '
            'training images'
        )
    try:
        steps, schedule, tx = _parts(plan, steps_per_epoch, offset)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    made = _steps(plan, tx, steps, offset)
    return Run(plan, {}, None, steps_per_epoch, steps, schedule, tx, *made, offset)


def _parts(plan, steps_per_epoch, offset=0):
    """(steps, schedule, tx) of a `Run`; ValueError for a value out of range."""
    config = plan.config
    steps = config.steps or config.epochs * steps_per_epoch
    checks.steps(config, steps)
    schedule = bind('schedules', config.schedule, config.schedule_args)(steps, steps_per_epoch)
    schedule = _later(schedule, offset)
    tx = _optimizer(config, schedule)
    checks.optimizer(config, schedule, tx)
    return steps, schedule, tx


def _later(schedule, offset):
    """A schedule of the steps taken: the optimiser counts those."""
    return (lambda step: schedule(step - offset)) if offset else schedule


def _steps(plan, tx, steps, offset):
    """(train_step, eval_step, epoch_end) of a `Run`."""
    config, task, devices = plan.config, plan.task, plan.devices
    train = step.make_train_step(
        task,
        tx,
        steps=steps,
        log_every=config.log_every_steps,
        micro_batches=config.micro_batches,
        frozen=plan.frozen,
        offset=offset,
    )
    whole, split = parallel.WHOLE, parallel.SPLIT
    key = jax.eval_shape(jax.random.key, 0)
    shapes = template(plan)
    train_step = parallel.Step(train, devices, (whole, split, whole), shapes, train_batches(plan), key)
    epoch_end = getattr(task, 'epoch_end', None)
    if epoch_end:
        epoch_end = parallel.on_whole_arrays(epoch_end, devices)
    return train_step, eval_step(plan), epoch_end


def _dataset(config):
    name, colon, source = config.dataset.partition(':')
    if colon and 'source' not in needs(find('datasets', name)):
        raise ValueError(f'dataset={config.dataset!r}: {name} takes no source after a colon')
    # What is known of a dataset may lie beside it.
    whole = bind('datasets', name, config.dataset_args, source=source, data_dir=config.data_dir)()
    return divided(whole, config.held_out, config.seed)


def _optimizer(config, schedule):
    return bind('optimizers', config.optimizer, config.optimizer_args)(schedule)


def _by_split(task, batches):
    """Buckets as a batch of the task has them: of its split, or dicts of those of its splits."""
    if len(task.splits) == 1:
        return batches
    pairings = itertools.product(batches, repeat=len(task.splits))
    return tuple(dict(zip(task.splits, pairing, strict=True)) for pairing in pairings)


def _marked(batches, size):
    marks = {
        'valid': jax.ShapeDtypeStruct((size,), np.float32),
        'row': jax.ShapeDtypeStruct((size,), np.int32),
    }
    return tuple(bucket | marks for bucket in batches)


def _trace(plan):
    """Runs the parts of both steps on shapes alone, for every bucket: no data, no compilation.

    So the checks of every op and layer run now, and not after the data is read.
    """
    task, config = plan.task, plan.config
    count = len(plan.devices)
    key = jax.eval_shape(jax.random.key, 0)
    variables = jax.eval_shape(task.init, key)
    checks.variables(config, variables)
    checks.parameters(config, variables['params'])
    params, batch_stats = variables['params'], variables.get('batch_stats', {})
    freeze.split(params, plan.frozen)
    progress = jax.ShapeDtypeStruct((), np.float32)
    if not hasattr(task, 'update'):
        for batch in _by_split(task, plan.dataset.batches(config.batch_size // count)):

            def loss(params, batch_stats, batch, key, progress):
                examples = task.prepare(params, batch_stats, batch, key, progress)
                return task.loss(params, batch_stats, examples, key)

            checks.loss(config, task, parallel.trace(loss, params, batch_stats, batch, key, progress))
    size = plan.eval_batch_size // count
    for batch in _marked(plan.dataset.batches(size), size):
        checks.measure(config, parallel.trace(task.measure, params, batch_stats, batch), size)
