"""Checkpoints of a run: the newest few to resume from, and the best one kept apart."""

import contextlib
import pathlib

from resizemix_jax.devices import processes
from resizemix_jax.run import files, steps
from resizemix_jax.run.states import KEEP, Directory

NEWEST, BEST = 'checkpoints', 'best'
NETWORK = ('params/', 'batch_stats/')


def latest_step(workdir):
    """The newest step that the run in a workdir can be resumed from, or 0; changes nothing.

    Raises:
        DataError: there are only unfinished ones.
    """
    path = files.absolute(pathlib.Path(workdir)) / NEWEST
    return processes.run_on_host_0(lambda: steps.latest(path))


class Checkpoints:
    """`<workdir>/checkpoints/<step>` (the newest `max_to_keep`) and `<workdir>/best/<step>` (one).

    Saving is asynchronous; an error of it is raised by the next call, at the latest by `close`. That call
    also reads the save back, and then deletes what it replaces: until then there is one more.

    Args:
        workdir: of the run.
        max_to_keep: of the newest; None to read only, which changes nothing in the workdir, so that the run
            may be training meanwhile. To write, the workdir must be this process' own (`workdir.owned`):
            step directories without their content, as a killed process can leave them, are set aside first.

    Raises:
        DataError: none of the checkpoints that are there is whole.
    """

    def __init__(self, workdir, max_to_keep=None):
        workdir = files.absolute(pathlib.Path(workdir))
        keep = (None, None) if max_to_keep is None else (max_to_keep, 1)
        self._newest, self._best = map(Directory, (workdir / NEWEST, workdir / BEST), keep)

    def save(self, state, step, record=None, *, wait=False, keep=False):
        """Saves a state among the newest; does nothing if that step is there.

        Args:
            state, step: the state after `step` steps.
            record: dict, as JSON has it, to be saved with the state; see `record`.
            wait: return when it is on the disk and was read back.
            keep: it is never deleted, also when it is no longer among the newest.
        """
        # A committed step among the newest promises that the best up to it is committed too.
        self._best.settle()
        self._newest.save(state, step, (record or {}) | ({KEEP: True} if keep else {}))
        if wait:
            self._newest.settle()

    def save_best(self, state, step):
        """Saves a state as the best so far, instead of the one before."""
        self._best.save(state, step, {})

    def latest_step(self):
        """The newest step that can be resumed from, or 0."""
        return self._newest.latest_step()

    def best_step(self):
        """The step of the best state, or 0."""
        return self._best.latest_step()

    def record(self):
        """What was recorded with the newest state; {} if nothing was, or there is none."""
        step = self.latest_step()
        return processes.run_on_host_0(lambda: self._newest.record(step))

    def restore(self, template, devices):
        """The newest state, by the tree that the checkpoint has.

        What an older version did not save is taken from `template`, what this version does not know is left
        out, and both are logged. Step, parameters and batch statistics have to be the same.

        Args:
            template: a TrainState as the run starts with, to continue it; or one of `jax.ShapeDtypeStruct`,
                to look at the network, for which missing parts of the optimiser's state and the metrics are
                zeros.
            devices: where to put it; any number, whatever it was saved from.

        Raises:
            DataError: it is damaged, or of another network; the message says what to do.
        """
        return self._newest.restore(template, devices)

    def restore_best(self, template, devices):
        """The best state; see `restore`."""
        return self._best.restore(template, devices)

    def network(self):
        """The parameters and statistics of the best state, or else of the newest, on the host.

        Returns:
            (arrays, step): 'params/...' and 'batch_stats/...' -> NumPy array, whatever the network is.

        Raises:
            DataError: it is damaged.
        """
        directory = self._best if self.best_step() else self._newest
        arrays = directory.arrays()
        return {name: arrays[name] for name in arrays if name.startswith(NETWORK)}, int(arrays['step'])

    def forget_best_after(self, step):
        """Deletes the best state if it is later, since those steps come again; at step 0 it is set aside."""
        self._best.forget_after(step)

    def settle(self):
        """Waits for what is being saved, reads it back, and deletes what it replaces; raises its error."""
        for directory in (self._best, self._newest):
            directory.settle()

    def close(self):
        """Settles, and ends Orbax's threads."""
        self.settle()
        self._close()

    def _close(self):
        for directory in (self._best, self._newest):
            directory.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *error):
        # An error is the one to report, and other processes may not come here to settle.
        with contextlib.suppress(Exception) if kind else contextlib.nullcontext():
            self._close() if kind else self.close()
