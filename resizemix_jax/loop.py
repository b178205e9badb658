"""The loop over the steps of a run: step, log, evaluate, save. It knows no task, method or network."""

import logging

from resizemix_jax import build, flops, gallery, keys
from resizemix_jax.devices import parallel, peak, processes
from resizemix_jax.errors import PreemptedError, RunError
from resizemix_jax.evaluate import evaluate
from resizemix_jax.finite import check_loss, check_state
from resizemix_jax.input.workers import Interrupted
from resizemix_jax.pictures import pairs
from resizemix_jax.run import identity, results
from resizemix_jax.run import rows as sums
from resizemix_jax.run import workdir as workdirs
from resizemix_jax.run.clock import Clock
from resizemix_jax.run.due import Due
from resizemix_jax.run.network import Network
from resizemix_jax.run.profiling import Profile
from resizemix_jax.run.writers import METRICS

log = logging.getLogger(__name__)


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
        self.clock = Clock(results.elapsed(writer.rows), known, results.compiled(writer.rows))
        self.train_step, self.eval_step = (
            self.clock.first_calls(function, flops.shapes) for function in (run.train_step, run.eval_step)
        )

    def go(self, state, batches, watch):
        """All steps that are left; returns the last state."""
        first = int(state.step)
        traced = max(0, min(self.config.profile_steps, self.run.last - first - 1))
        with Profile(self.writer.workdir / 'profile', first, traced) as profile:
            return self._steps(state, first, batches, watch, profile)

    def test(self, state, watch):
        """The measures on the test split, of the last and the best state, and the run's times after it.

        {} if the training was evaluated on it. What was chosen until now was chosen without it. A run that is
        stopped here, or killed, measures both when it comes back: the states are those of its checkpoints.

        Args:
            state: the last one.
            watch: as in `go`; settle the checkpoints before.

        Returns:
            name -> number, as result.json has it.

        Raises:
            PreemptedError: a signal came.
        """
        if self.run.test is None:
            return {}
        best = self.checkpoints.restore_best(build.template(self.run.plan), self.devices)
        found = {}
        for name, one in (('last', state), ('best', best)):
            with self.clock.evaluating():
                measured = self._measure(one, self.run.test, watch)
            if measured is None:
                raise PreemptedError(
                    f'{watch.reason}: before the test split was measured; the same command does it'
                )
            found |= results.on_test(measured[0], name)
        log.info('On the test split: %s', ', '.join(f'{key}={value:.5g}' for key, value in found.items()))
        return found | self.clock.totals()

    def _steps(self, state, step, batches, watch, profile):
        metrics = None
        self.clock.restart()
        while True:
            profile.at(step)
            if self.owner:
                self.owner.check(look=False)
            if self.due.evaluation(step):
                state = self._evaluate(state, step, watch)
            if step > 0 and self.config.gallery_every and step % self.config.gallery_every == 0:
                self._draw(state, step)
            if watch.requested:
                self._stop(state, metrics, step, watch)
            if self.due.saving(step):
                self._save(state, metrics, step)
            if step >= self.run.last:
                return state
            try:
                state, metrics = self.advance(state, metrics, step, batches)
            except Interrupted:
                self._stop(state, metrics, step, watch)
            step += 1
            self.writer.progress(step)
            if step % self.config.log_every_steps == 0 or step == self.run.last:
                self.log_step(state, metrics, step)

    def advance(self, state, metrics, step, batches):
        """Step number `step` + 1, given the state and the metrics of the one before."""
        with self.clock.waiting():
            examples = next(batches)
            batch = parallel.shard(examples, self.devices)
        state, running = self.train_step(state, batch, self.key)
        self.clock.tick(self.flops_of[flops.shapes(examples)] if self.flops_of else 0.0)
        # The device works on this step while the loss of the one before is checked: one step ahead, no more.
        check_loss(metrics, step, self._newest)
        return state, running

    def compile(self):
        """Compiles the training step."""
        log.info('Compiling the training step, which may take minutes...')
        before = self.clock.totals()['compile_seconds']
        with self.clock.compiling():
            self.run.train_step.compile()
        log.info('Compiled in %.1f s', self.clock.totals()['compile_seconds'] - before)
        self.clock.restart()

    def _stop(self, state, metrics, step, watch):
        """Saves and ends the run, as a signal asked for."""
        self._save(state, metrics, step, wait=True)
        raise PreemptedError(f'{watch.reason}: saved at step {step}; the same command continues from there')

    def _newest(self):
        return self.checkpoints.latest_step()

    def _check(self, state, step):
        """Raises RunError if the workdir is lost, or the state is not finite."""
        if self.owner:
            self.owner.check()
        check_state(state, step, self._newest)

    def _save(self, state, metrics, step, wait=False):
        """Saves a checkpoint with the sums of the rows that it counts on."""
        check_loss(metrics, step, self._newest)
        self._check(state, step)
        self.writer.sync()
        record = {'rows': {METRICS: self.writer.sum, identity.IDENTITY: self.identity}}
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
        evaluations = self.due.evaluation(step) + self.due.evaluations_after(step)
        self._write(step, values, evaluations)

    def _evaluate(self, state, step, watch):
        """Writes the row of an evaluation, unless it was written before; returns the state after it."""
        if results.has_eval(self.writer.rows, step, self.score):
            return state
        self._check(state, step)
        with self.clock.evaluating():
            measured = self._measure(state, self.run.eval, watch)
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
        self._write(step, values, self.due.evaluations_after(step))
        return state

    def _measure(self, state, split, watch):
        """As `evaluate`; None if a signal came."""
        return evaluate(
            self.eval_step, self.run.plan, state, split,
            interrupted=lambda: watch.requested, signalled=lambda: watch.signalled,
        )  # fmt: skip

    def _write(self, step, values, evaluations):
        """Writes a row, and logs it with the time left, in which there are so many evaluations."""
        left = self.clock.left(self.run.last - step, evaluations)
        self.writer.write(step, values | self.clock.totals(), left)

    def _draw(self, state, step):
        """Pictures of what this run mixes, and of the regions that its network responds to."""
        if not processes.first():
            return
        trained = Network(*parallel.to_host((state.params, state.batch_stats)), step)
        train = self.run.train[self.run.plan.task.splits[0]]
        with self.clock.pause():
            try:
                pictures = gallery.draw(
                    self.run.plan.dataset,
                    ((self.config.row or self.config.mixing, self.config),),
                    pairs.choose_pairs(train, self.config.seed),
                    trained,
                    self.writer.workdir / 'gallery',
                    suffix=f'_{step:08d}',
                )
                for path in sorted(pictures):
                    self.writer.picture(step, path)
            except (RunError, OSError) as error:  # no reason to end a training
                log.warning('No pictures of step %d: %s', step, error)
