"""A directory of saved states, with Orbax: <step>/ for each.

Orbax checks the index of a checkpoint and not its arrays, so their checksums are saved with it, in the
metadata of the step, and compared whenever it is read.
"""

import logging

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from resizemix_jax.devices import parallel, processes
from resizemix_jax.errors import DataError, RunError
from resizemix_jax.run import files, leaves, steps, storage
from resizemix_jax.state import TrainState

log = logging.getLogger(__name__)

ITEM = ocp.checkpoint_manager.DEFAULT_ITEM_NAME
CHECKSUMS, KEEP = 'checksums', 'keep'  # of what is recorded with a step


class _Manager(ocp.CheckpointManager):
    """Orbax's manager, leaving JAX's preemption service to `preemption.Watch`.

    The service chooses the turn after the last number that it was asked with. The watch asks with its turns;
    Orbax, also from the thread that ends a save, with the step, which is less: a notice that came then would
    name a turn that is over, and the SIGTERM would be lost.
    """

    def reached_preemption(self, step):
        return False


class Directory:
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

    def arrays(self):
        """name -> NumPy array of the newest step; DataError if it is damaged."""
        step = self.latest_step()
        try:
            arrays = _read_on_host(self._path / str(step) / ITEM)
            leaves.check_arrays(self.record(step).get(CHECKSUMS, {}), arrays, step)
        except Exception as error:
            raise self._damaged(step, storage.words(error)) from error
        return arrays

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
