"""What is due after a step of a run: evaluations and checkpoints, by its epochs and by the clock."""

import time

from resizemix_jax.devices import parallel, processes


class Due:
    """Answers for a `build.Run`, equal on all processes."""

    def __init__(self, run):
        self._run, self._config = run, run.plan.config
        self._saved = time.monotonic()

    def evaluation(self, step):
        """Whether an evaluation is due after `step` steps."""
        return self._every(step, self._config.eval_every_epochs)

    def evaluations_after(self, step):
        """The number of evaluations that come after those due at `step`."""
        place, every = step - self._run.offset, self._config.eval_every_epochs * self._run.steps_per_epoch
        whole = self._run.steps // every - place // every
        return whole + (self._run.steps % every > 0) if step < self._run.last else 0

    def keeping(self, step):
        """Whether a checkpoint of it is to be kept besides the newest."""
        return bool(self._config.keep_every) and self._every(step, self._config.keep_every)

    def saving(self, step):
        """Whether a checkpoint is due; `saved` is to be called after it."""
        return self._every(step, self._config.save_every_epochs) or self.keeping(step) or self._is_time(step)

    def saved(self):
        """Begins to count the minutes again."""
        self._saved = time.monotonic()

    def _every(self, step, epochs):
        place = step - self._run.offset
        return step > 0 and (place % (epochs * self._run.steps_per_epoch) == 0 or step == self._run.last)

    def _is_time(self, step):
        """Whether the minutes are over by the first process' clock; several processes ask it at every row."""
        minutes = self._config.save_every_minutes
        if not minutes or (parallel.processes()[1] > 1 and step % self._config.log_every_steps):
            return False
        return processes.run_on_host_0(lambda: time.monotonic() - self._saved >= 60 * minutes) and step > 0
