"""Checkpoints of a run, with Orbax: the newest few to resume from, and the best one kept apart.

Orbax checks the index of a checkpoint and not its arrays, so their checksums are saved with it, in the
metadata of the step, and compared whenever it is read.
"""

import contextlib
import logging
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from resizemix_jax.devices import parallel, processes
from resizemix_jax.errors import DataError, RunError
from resizemix_jax.run import files, leaves, steps, storage
from resizemix_jax.state import TrainState

log = logging.getLogger(__name__)

NEWEST, BEST = 'checkpoints', 'best'
ITEM = ocp.checkpoint_manager.DEFAULT_ITEM_NAME
CHECKSUMS, KEEP = 'checksums', 'keep'  # of what is recorded with a step


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
        self._newest, self._best = map(_Directory, (workdir / NEWEST, workdir / BEST), keep)

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


class _Manager(ocp.CheckpointManager):
    """Orbax's manager, leaving JAX's preemption service to `preemption.Watch`.

    The service chooses the turn after the last number that it was asked with. The watch asks with its turns;
    Orbax, also from the thread that ends a save, with the step, which is less: a notice that came then would
    name a turn that is over, and the SIGTERM would be lost.
    """

    def reached_preemption(self, step):
        return False


class _Directory:
    """A directory of checkpoints, <step>/, to read (`max_to_keep` None) or to write."""

    def __init__(self, path, max_to_keep):
        self._path, self._max_to_keep = path, max_to_keep
        self._saved = None  # the step whose save was begun and not read back yet
        self._size = 0  # bytes of its arrays
        if max_to_keep is not None:
            processes.run_on_host_0(lambda: steps.tidy(path))
        processes.run_on_host_0(lambda: files.names(path))  # says so if they may not be read
        # Directories are made at once: if that fails in a thread of Orbax's, others wait for it for minutes.
        made_at_once = ocp.options.AsyncOptions(create_directories_asynchronously=False)
        options = ocp.CheckpointManagerOptions(create=False, async_options=made_at_once)
        try:
            self._manager = _Manager(path, item_handlers=ocp.PyTreeCheckpointHandler(), options=options)
        except Exception as error:
            raise DataError(
                f'The checkpoints in {path} cannot be listed, one is damaged: {storage.words(error)}. Bring '
                'it back from a copy, or move it away'
            ) from error

    def latest_step(self):
        """The newest finished step, or 0; DataError if there are only unfinished ones."""
        return processes.run_on_host_0(lambda: steps.latest(self._path))

    def record(self, step):
        """What was recorded with a step."""
        if not step:
            return {}
        return files.read_json(self._path / str(step) / steps.PARTS[0]).get('custom_metadata') or {}

    def save(self, state, step, record):
        self.settle()
        if step in self._manager.all_steps():
            return
        content = leaves.content(state)
        arrays = parallel.to_host(leaves.named(content))
        sums, self._size = leaves.checksums(arrays), sum(array.nbytes for array in arrays.values())
        arguments = ocp.args.PyTreeSave(parallel.to_global(content))
        with storage.reported(self._path, self._size):
            self._manager.save(step, args=arguments, custom_metadata=record | {CHECKSUMS: sums})
        self._saved = step

    def settle(self):
        """Waits for the save in progress, reads it back, and then deletes what it replaces."""
        with storage.reported(self._path, self._size):
            self._manager.wait_until_finished()
        step, self._saved = self._saved, None
        if step is not None:
            processes.run_on_host_0(lambda: self._replace_by(step))

    def close(self):
        self._manager.close()

    def forget_after(self, step):
        processes.run_on_host_0(lambda: steps.forget_after(self._path, step))
        self._manager.reload()

    def restore(self, template, devices):
        while True:
            step = self.latest_step()
            try:
                return self._restore(step, template, devices)
            except DataError:
                # Whoever only reads can be overtaken by the run, which replaces the step meanwhile.
                alone = self._max_to_keep is None and parallel.processes()[1] == 1
                if not alone or self.latest_step() == step:
                    raise

    def _restore(self, step, template, devices):
        path = self._path / str(step)
        try:
            recorded = self.record(step).get(CHECKSUMS, {})
            stored = self._manager.item_metadata(step).tree
            leaves.check_tree(recorded, leaves.named(stored))
            found = leaves.match(path, stored, leaves.content(template))
            restored = self._read(step, stored, found, parallel.sharding(devices))
            leaves.check_arrays(recorded, parallel.to_host(restored), step)
        except DataError:
            raise
        except Exception as error:
            log.debug('The checkpoint %s cannot be restored', path, exc_info=True)
            raise self._damaged(step, storage.words(error)) from error
        if not recorded:
            log.info('The checkpoint %s has no checksums (its version wrote none): it is not checked', path)

        def leaf(path, fresh):
            name = leaves.name_of(path)
            return restored[name] if name in restored else _fresh(fresh, devices)

        return TrainState(**jax.tree_util.tree_map_with_path(leaf, leaves.content(template)))

    def _read(self, step, stored, names, sharding):
        """name -> array on this process' devices, of the leaves `names` of the checkpoint's tree `stored`."""

        def wanted(path, leaf):
            if leaves.name_of(path) not in names:
                return ocp.PLACEHOLDER
            return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)

        item = jax.tree_util.tree_map_with_path(wanted, stored)
        arguments = ocp.checkpoint_utils.construct_restore_args(item)
        tree = self._manager.restore(step, args=ocp.args.PyTreeRestore(item=item, restore_args=arguments))
        found = leaves.named(tree)
        return parallel.to_local({name: found[name] for name in names})

    def _damaged(self, step, why):
        others = [other for other in steps.finished(self._path) if other != step]
        remedy = 'start again in another --workdir'
        if others:
            remedy = (
                f'move that directory away and run the same command, which continues from step {max(others)}'
            )
        return DataError(
            f'The checkpoint {self._path / str(step)} cannot be restored: {why}\n'
            f'It is damaged. Bring it back from a copy, or {remedy}'
        )

    def _replace_by(self, step):
        """Deletes what a saved step replaces; RunError if it does not read back as it was written."""
        path = self._path / str(step)
        try:
            leaves.check_arrays(self.record(step)[CHECKSUMS], _read_on_host(path / ITEM), step)
        except Exception as error:
            aside = steps.set_aside(path, 'damaged') if files.exists(path) else path
            raise RunError(
                f'the checkpoint of step {step} does not read back as it was written: '
                f'{storage.words(error)}. It is left as {aside}, and the one before it is kept'
            ) from error
        for old in steps.finished(self._path)[: -self._max_to_keep]:
            if not self._is_kept(old):
                steps.delete(self._path / str(old))

    def _is_kept(self, step):
        try:
            return bool(self.record(step).get(KEEP))
        except RunError:
            return True  # damaged: not to be lost as well


def _read_on_host(path):
    """name -> NumPy array of a checkpoint, of all processes."""
    handler = ocp.PyTreeCheckpointHandler()
    arguments = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), handler.metadata(path).tree)
    return leaves.named(handler.restore(path, args=ocp.args.PyTreeRestore(restore_args=arguments)))


def _fresh(leaf, devices):
    """What stands for a leaf that the checkpoint does not have."""
    if isinstance(leaf, jax.ShapeDtypeStruct):
        return parallel.place(jnp.zeros(leaf.shape, leaf.dtype), devices)
    return leaf
