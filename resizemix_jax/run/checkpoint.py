"""Checkpoints of a run, with Orbax: the newest few to resume from, and the best one kept apart."""

import logging
import pathlib

import jax
import orbax.checkpoint as ocp

from resizemix_jax.devices import parallel, processes
from resizemix_jax.errors import DataError
from resizemix_jax.state import TrainState

log = logging.getLogger(__name__)


class Checkpoints:
    """`<workdir>/checkpoints/<step>` (the newest `max_to_keep`) and `<workdir>/best/<step>` (one).

    Saving is asynchronous; an error of it is raised by the next call, at the latest by `close`. A step
    directory without its content, as a killed process can leave it, is set aside at the start.
    """

    def __init__(self, workdir, max_to_keep=1):
        workdir = pathlib.Path(workdir).resolve()
        self._newest = _manager(workdir / 'checkpoints', max_to_keep)
        self._best = _manager(workdir / 'best', 1)

    def save(self, state, step, wait=False):
        """Saves a state among the newest; does nothing if that step is there."""
        # A committed step among the newest promises that the best up to it is committed too.
        self._best.wait_until_finished()
        _save(self._newest, state, step)
        if wait:
            self._newest.wait_until_finished()

    def save_best(self, state, step):
        """Saves a state as the best so far, instead of the one before."""
        _save(self._best, state, step)

    def latest_step(self):
        """The newest step that can be resumed from, or 0."""
        return processes.run_on_host_0(lambda: self._newest.latest_step() or 0)

    def best_step(self):
        """The step of the best state, or 0."""
        return processes.run_on_host_0(lambda: self._best.latest_step() or 0)

    def restore(self, template, devices):
        """The newest state.

        Args:
            template: a TrainState of the same shapes, of arrays or of `jax.ShapeDtypeStruct`.
            devices: where to put it; any number, whatever it was saved from.

        Raises:
            DataError: it cannot be read; the message names the directory and what to do.
        """
        return _restore(self._newest, template, devices)

    def forget_best_after(self, step):
        """Deletes the best state if it is later: the best of a future that will be computed again."""
        if self.best_step() > step:
            self._best.delete(self.best_step())

    def restore_best(self, template, devices):
        """The best state; see `restore`."""
        return _restore(self._best, template, devices)

    def close(self):
        """Waits for what is being saved; raises its error."""
        for manager in (self._newest, self._best):
            manager.wait_until_finished()
            manager.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class _Manager(ocp.CheckpointManager):
    """Orbax's manager, leaving JAX's preemption service to `preemption.Watch`.

    The service chooses the turn after the last number that it was asked with. The watch asks with its turns;
    Orbax, also from the thread that ends a save, with the step, which is less: a notice that came then would
    name a turn that is over, and the SIGTERM would be lost.
    """

    def reached_preemption(self, step):
        return False


def _manager(directory, max_to_keep):
    processes.run_on_host_0(lambda: _set_aside_incomplete(directory))
    return _Manager(directory, options=ocp.CheckpointManagerOptions(max_to_keep=max_to_keep))


def _set_aside_incomplete(directory):
    """Makes the directory; renames steps in it without a finished checkpoint, lest they be taken for one."""
    directory.mkdir(parents=True, exist_ok=True)
    for path in directory.iterdir():
        finished = (path / '_CHECKPOINT_METADATA').exists() and (
            path / ocp.checkpoint_manager.DEFAULT_ITEM_NAME / '_METADATA'
        ).exists()
        if path.name.isdigit() and not finished:
            aside = path.with_name(f'{path.name}.incomplete')
            log.warning(
                'The checkpoint %s is incomplete and is skipped; it is set aside as %s', path, aside.name
            )
            while aside.exists():
                aside = aside.with_name(aside.name + '_')
            path.rename(aside)


def _save(manager, state, step):
    manager.check_for_errors()
    if step in manager.all_steps():
        return
    content = {name: getattr(state, name) for name in state.__dataclass_fields__}
    manager.save(step, args=ocp.args.StandardSave(parallel.to_global(content)))


def _restore(manager, template, devices):
    step = manager.latest_step()
    where = parallel.sharding(devices)
    abstract = jax.tree.map(
        lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=where),
        {name: getattr(template, name) for name in template.__dataclass_fields__},
    )
    try:
        restored = manager.restore(step, args=ocp.args.StandardRestore(abstract))
    except Exception as error:
        raise DataError(
            f'The checkpoint {manager.directory / str(step)} cannot be restored: '
            f'{str(error).splitlines()[0]}\nIf it is of another network, use another --workdir; if it is '
            'damaged, move that directory away and run the same command: it goes on from the checkpoint '
            'before it, if --config.max_to_keep has kept one, and from the start otherwise.'
        ) from error
    return TrainState(**parallel.to_local(restored))
