"""The training loop: build or resume, step, log, evaluate, save. It knows no task, method or network."""

import contextlib
import logging

import jax
import numpy as np

from resizemix_jax import build, flops, gallery, keys
from resizemix_jax.devices import parallel, peak, processes
from resizemix_jax.devices.preemption import Watch, passed_on
from resizemix_jax.errors import PreemptedError, RunError, local
from resizemix_jax.evaluate import evaluate
from resizemix_jax.finite import check_loss, check_state
from resizemix_jax.input import pipeline
from resizemix_jax.pictures import pairs
from resizemix_jax.run import results
from resizemix_jax.run import rows as sums
from resizemix_jax.run import workdir as workdirs
from resizemix_jax.run.checkpoint import Checkpoints
from resizemix_jax.run.clock import Clock
from resizemix_jax.run.due import Due
from resizemix_jax.run.identity import IDENTITY
from resizemix_jax.run.network import Network
from resizemix_jax.run.profiling import Profile
from resizemix_jax.run.recorded import RecordedConfig
from resizemix_jax.run.writers import METRICS, Writer, log_parameters

log = logging.getLogger(__name__)


def train_and_evaluate(config, workdir, allow_config_change=False):
    """Trains what `config` describes in `workdir`; the same call continues a run that was stopped.

    Args:
        config: `ml_collections.ConfigDict` of a file in configs/.
        workdir: a directory; a finished run in it is only reported.
        allow_config_change: continue a run although its config or its data was another.

    Returns:
        The content of result.json.

    Raises:
        RunError: see `resizemix_jax.errors`; a wrong config or missing data is reported before training.
    """
    workdir, config = local(workdir, '--workdir'), RecordedConfig(config)
    processes.check_same(config)
    plan = build.plan(config)
    opened = workdirs.open_workdir(workdir, config, allow_config_change)
    if opened.result:  # of which nothing has to be owned: it may be on a disk that is read-only
        log.info('%s holds a finished run; nothing is left to do', workdir)
        return opened.result
    with workdirs.owned(workdir) as owner, passed_on():
        # Again: another process may have owned it until now.
        opened = workdirs.open_workdir(workdir, config, allow_config_change)
        run = processes.run_on_all(lambda: build.open_run(plan))
        if config.gallery_every:
            processes.run_on_host_0(lambda: _check_pictures(run))
        with Checkpoints(workdir, config.max_to_keep) as checkpoints:
            splits = run.train | {'eval': run.eval}
            start = checkpoints.latest_step()
            workdirs.check_rows(workdir, start, checkpoints.record(), allow_config_change)
            offset = workdirs.begin(workdir, opened, plan, splits, start, allow_config_change)
            run = build.at_offset(run, offset)
            result = _train(run, workdir, checkpoints, owner)
        workdirs.finish(workdir, result)
    return result


def _train(run, workdir, checkpoints, owner):
    """Trains to the end, from the newest checkpoint if there is one; returns the content of result.json."""
    plan, config = run.plan, run.plan.config
    _log_run(run)
    count = flops.by_shapes(plan)
    state = build.initial_state(run)
    log_parameters(state.params)
    if checkpoints.latest_step():
        state = checkpoints.restore(state, plan.devices)
        log.info('Resuming at step %d', int(state.step))
    start = int(state.step)
    checkpoints.forget_best_after(start)
    with Writer(workdir, start, run.last) as writer:
        state = state.replace(metrics=_interval(state, writer.rows, plan.devices))
        loop = Loop(run, checkpoints, writer, owner, count)
        loop.compile()
        with (
            Watch(parallel.processes()[1] == 1) as watch,
            contextlib.closing(train_batches(run, start)) as batches,
        ):
            loop.go(state, batches, watch)
            checkpoints.settle()
        identity = workdirs.identities(workdir)
        largest = max(count.values(), default=None)
        result = results.summary(config, writer.rows, parallel.describe(plan.devices), largest, identity)
    return result | {'unread_keys': config.unread(), 'rows': writer.sum}


def _check_pictures(run):
    """Raises DataError if no pictures can be drawn of what a run trains on, as they will be during it."""
    pairs.choose_pairs(run.train[run.plan.task.splits[0]], run.plan.config.seed)


def _interval(state, rows, devices):
    """The sums of the log interval that a state is in, whatever the interval was when it was saved.

    At a step that has its row they are zero. Versions before 0.2 did not save the number of their steps.
    """
    count = results.steps_since_row(rows, int(state.step))
    sums = parallel.to_host(state.metrics)
    if not count:
        sums = jax.tree.map(np.zeros_like, sums)
    elif not sums['steps']:
        sums |= {'steps': np.float32(count)}
    return parallel.place(sums, devices)


def train_batches(run, start):
    """The batches of the training after `start` steps: this process' share of each."""
    config, share, place = run.plan.config, parallel.processes(), start - run.offset
    with contextlib.ExitStack() as stack:
        sources = {
            name: stack.enter_context(
                contextlib.closing(
                    pipeline.train_batches(
                        split, config.batch_size, config.seed, place, run.steps, share, config.workers
                    )
                )
            )
            for name, split in run.train.items()
        }
        if len(sources) == 1:
            yield from next(iter(sources.values()))
        else:
            for parts in zip(*sources.values(), strict=True):
                yield dict(zip(sources, parts, strict=True))


class Loop:
    """The loop over the steps of a run.

    Every turn begins with what the steps so far have made due. So a run that was stopped anywhere, even in an
    evaluation, finds the same things due when it comes back.
    """

    def __init__(self, run, checkpoints, writer, owner, flops_of=None):
        self.run = run
        self.config = run.plan.config
        self.score = f'eval_{run.plan.task.score}'
        self.checkpoints = checkpoints
        self.writer = writer
        self.owner = owner  # of the workdir, None in processes but the first
        self.due = Due(run)
        self.identity = sums.extended(sums.EMPTY, workdirs.identities(writer.workdir))
        self.devices = run.plan.devices
        root = keys.root(self.config.seed)
        self.key = parallel.place(keys.stream(root, 'train'), self.devices)
        self.key_epoch_end = parallel.place(keys.stream(root, 'epoch_end'), self.devices)
        self.flops_of = flops_of or {}  # the shapes of a batch -> FLOP of its step
        known = peak.of_all(self.devices, self.config.dtype) if self.flops_of else None
        self.clock = Clock(results.elapsed(writer.rows), known)

    def go(self, state, batches, watch):
        step = first = int(state.step)
        metrics = None
        traced = max(0, min(self.config.profile_steps, self.run.last - first - 1))
        profile = Profile(self.writer.workdir / 'profile', first, traced)
        self.clock.restart()
        while True:
            profile.at(step)
            if self.owner:
                self.owner.check(look=False)
            if self.due.evaluation(step):
                state = self._evaluate(state, step, watch)
            if step > 0 and self.config.gallery_every and step % self.config.gallery_every == 0:
                self._draw(state, step)
            stop = watch.requested
            if stop or self.due.saving(step):
                check_loss(metrics, step, self._newest)
                self._save(state, step, wait=stop)
            if stop:
                raise PreemptedError(
                    f'{watch.reason}: saved at step {step}; the same command continues from there'
                )
            if step >= self.run.last:
                return
            state, metrics = self.advance(state, metrics, step, batches)
            step += 1
            self.writer.progress(step)
            if step % self.config.log_every_steps == 0 or step == self.run.last:
                self.log_step(state, metrics, step)

    def advance(self, state, metrics, step, batches):
        """Step number `step` + 1, given the state and the metrics of the one before."""
        with self.clock.waiting():
            examples = next(batches)
            batch = parallel.shard(examples, self.devices)
        state, running = self.run.train_step(state, batch, self.key)
        self.clock.tick(self.flops_of[flops.shapes(examples)] if self.flops_of else 0.0)
        # The device works on this step while the loss of the one before is checked: one step ahead, no more.
        check_loss(metrics, step, self._newest)
        return state, running

    def compile(self):
        """Compiles the training step."""
        log.info('Compiling the training step, which may take minutes...')
        begin = self.clock.total()
        self.run.train_step.compile()
        log.info('Compiled after %.1f s', self.clock.total() - begin)

    def _newest(self):
        return self.checkpoints.latest_step()

    def _check(self, state, step):
        """Raises RunError if the workdir is lost, or the state is not finite."""
        if self.owner:
            self.owner.check()
        check_state(state, step, self._newest)

    def _save(self, state, step, wait):
        """Saves a checkpoint with the sums of the rows that it counts on."""
        self._check(state, step)
        self.writer.sync()
        record = {'rows': {METRICS: self.writer.sum, IDENTITY: self.identity}}
        self.checkpoints.save(state, step, record, wait=wait, keep=self.due.keeping(step))
        self.due.saved()

    def log_step(self, state, metrics, step):
        """Writes the row of the steps since the last one."""
        check_loss(metrics, step, self._newest)
        sums = parallel.to_host(state.metrics)
        count = float(sums.pop('steps'))
        values = {f'train_{name}': float(value) / count for name, value in sums.items()}
        values['train_learning_rate'] = float(self.run.schedule(step - 1))
        values['epoch'] = self.run.epoch(step)
        values |= self.clock.rates(self.config.batch_size)
        self.writer.write(step, values | {'seconds': self.clock.total()})

    def _evaluate(self, state, step, watch):
        """Writes the row of an evaluation, unless it was written before; returns the state after it."""
        if results.has_eval(self.writer.rows, step, self.score):
            return state
        self._check(state, step)
        with self.clock.pause():
            measured = evaluate(
                self.run.eval_step, self.run.plan, state, self.run.eval, lambda: watch.requested
            )
            if measured is None:
                return state
            values, sums = measured
            if values[self.run.plan.task.score] > results.best(self.writer.rows, self.score):
                self.checkpoints.save_best(state, step)
            if self.run.epoch_end:
                key = keys.at_step(self.key_epoch_end, step)
                state = self.run.epoch_end(state, *parallel.place((sums, key), self.devices))
        values = {f'eval_{name}': value for name, value in values.items()}
        # A row written means that the state of this step's checkpoint is the one after the evaluation.
        self.writer.write(step, values | {'seconds': self.clock.total()})
        return state

    def _draw(self, state, step):
        """Pictures of what this run mixes, and of the regions that its network responds to."""
        if not processes.first():
            return
        trained = Network(*parallel.to_host((state.params, state.batch_stats)), step)
        train = self.run.train[self.run.plan.task.splits[0]]
        with self.clock.pause():
            try:
                gallery.draw(
                    self.run.plan.dataset,
                    ((self.config.row or self.config.mixing, self.config),),
                    pairs.choose_pairs(train, self.config.seed),
                    trained,
                    self.writer.workdir / 'gallery',
                    suffix=f'_{step:08d}',
                )
            except (RunError, OSError) as error:  # no reason to end a training
                log.warning('No pictures of step %d: %s', step, error)


def _log_run(run):
    plan, config = run.plan, run.plan.config
    index, count = parallel.processes()
    log.info('JAX process: %d / %d', index, count)
    log.info('Devices: %s', parallel.describe(plan.devices))
    log.info('Config:\n%s', config)
    log.info(
        'Batch: %d = %d a device in %d micro-batches; %d steps an epoch of %d images, %d steps in all',
        config.batch_size,
        config.batch_size // len(plan.devices),
        config.micro_batches,
        run.steps_per_epoch,
        run.train[plan.task.splits[0]].size,
        run.steps,
    )
