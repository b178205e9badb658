"""Checkpoints of a run, with Orbax: the newest few to resume from, and the best one kept apart."""

import logging
import pathlib

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp

from resizemix_jax.devices import parallel, processes
from resizemix_jax.errors import DataError
from resizemix_jax.run import files
from resizemix_jax.state import TrainState

log = logging.getLogger(__name__)

NEWEST, BEST = 'checkpoints', 'best'
ITEM = ocp.checkpoint_manager.DEFAULT_ITEM_NAME
EXACT = (
    'step',
    'params',
    'batch_stats',
)  # fields whose leaves have to be those of the checkpoint, all of them
OPTIONAL = ('opt_state', 'metrics')  # fields that are not needed to look at a network


class Checkpoints:
    """`<workdir>/checkpoints/<step>` (the newest `max_to_keep`) and `<workdir>/best/<step>` (one).

    Saving is asynchronous; an error of it is raised by the next call, at the latest by `close`.

    Args:
        workdir: of the run.
        max_to_keep: of the newest; None to read only, which changes nothing in the workdir, so that the run
            may be training meanwhile. To write, the workdir must be this process' own (`workdir.owned`):
            step directories without their content, as a killed process can leave them, are set aside first.
    """

    def __init__(self, workdir, max_to_keep=None):
        workdir = pathlib.Path(workdir).resolve()
        keep = (None, None) if max_to_keep is None else (max_to_keep, 1)
        self._newest, self._best = map(_Directory, (workdir / NEWEST, workdir / BEST), keep)

    def save(self, state, step, wait=False):
        """Saves a state among the newest; does nothing if that step is there."""
        # A committed step among the newest promises that the best up to it is committed too.
        self._best.manager.wait_until_finished()
        self._newest.save(state, step)
        if wait:
            self._newest.manager.wait_until_finished()

    def save_best(self, state, step):
        """Saves a state as the best so far, instead of the one before."""
        self._best.save(state, step)

    def latest_step(self):
        """The newest step that can be resumed from, or 0."""
        return self._newest.latest_step()

    def best_step(self):
        """The step of the best state, or 0."""
        return self._best.latest_step()

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
            DataError: it cannot be read, or is of another network; the message says what to do.
        """
        return self._newest.restore(template, devices)

    def restore_best(self, template, devices):
        """The best state; see `restore`."""
        return self._best.restore(template, devices)

    def forget_best_after(self, step):
        """Deletes the best state if it is later: those steps will be computed again."""
        if self.best_step() > step:
            self._best.manager.delete(self.best_step())

    def close(self):
        """Waits for what is being saved; raises its error."""
        for directory in (self._newest, self._best):
            directory.manager.wait_until_finished()
            directory.manager.close()

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


class _Directory:
    """A directory of checkpoints, <step>/, to read (`max_to_keep` None) or to write."""

    def __init__(self, path, max_to_keep):
        self._path = path
        if max_to_keep is not None:
            processes.run_on_host_0(lambda: _set_aside_incomplete(path))
        options = ocp.CheckpointManagerOptions(max_to_keep=max_to_keep, create=False)
        self.manager = _Manager(path, item_handlers=ocp.PyTreeCheckpointHandler(), options=options)

    def latest_step(self):
        """The newest finished step, or 0."""
        return processes.run_on_host_0(lambda: max(_finished(self._path), default=0))

    def save(self, state, step):
        self.manager.check_for_errors()
        if step not in self.manager.all_steps():
            self.manager.save(step, args=ocp.args.PyTreeSave(parallel.to_global(_content(state))))

    def restore(self, template, devices):
        step = self.latest_step()
        path = self._path / str(step)
        try:
            stored = self.manager.item_metadata(step).tree
            found = _match(path, stored, _content(template))
            restored = self._read(step, stored, found, parallel.sharding(devices))
        except DataError:
            raise
        except Exception as error:
            log.debug('Orbax could not restore %s', path, exc_info=True)
            raise DataError(
                f'The checkpoint {path} cannot be restored: {_first_line(error)}\n'
                'It is damaged. Move that directory away and run the same command: it continues from the '
                'checkpoint before it, if --config.max_to_keep has kept one, and from the start otherwise.'
            ) from error

        def leaf(path, fresh):
            name = _name(path)
            return restored[name] if name in restored else _fresh(fresh, devices)

        return TrainState(**jax.tree_util.tree_map_with_path(leaf, _content(template)))

    def _read(self, step, stored, names, sharding):
        """name -> array on this process' devices, of the leaves `names` of the checkpoint's tree `stored`."""

        def wanted(path, leaf):
            if _name(path) not in names:
                return ocp.PLACEHOLDER
            return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)

        item = jax.tree_util.tree_map_with_path(wanted, stored)
        arguments = ocp.checkpoint_utils.construct_restore_args(item)
        tree = self.manager.restore(step, args=ocp.args.PyTreeRestore(item=item, restore_args=arguments))
        leaves = _named(tree)
        return parallel.to_local({name: leaves[name] for name in names})


def _content(state):
    return {name: getattr(state, name) for name in state.__dataclass_fields__}


def _name(path):
    """The name of a leaf: its path, joined by '/'; the same of a namedtuple's fields and of a dict's keys."""
    parts = (getattr(p, 'name', getattr(p, 'key', getattr(p, 'idx', None))) for p in path)
    return '/'.join(map(str, parts))


def _named(tree):
    return {_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _match(path, stored, content):
    """The names of the leaves to read: those that both the checkpoint at `path` and the state have.

    Raises:
        DataError: a leaf of EXACT is in one of them alone, or a shape differs.
    """
    there, here = _named(stored), _named(content)
    missing = [name for name in here if name not in there]
    unknown = [name for name in there if name not in here]
    to_look_at = any(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in here.values())
    for name in (*here, *unknown):
        ours, theirs = (_described(leaves.get(name)) for leaves in (here, there))
        field = name.partition('/')[0]
        needed = field in EXACT or (to_look_at and field not in OPTIONAL and name in here)
        if ours != theirs and (needed or None not in (ours, theirs)):
            raise DataError(
                f'The checkpoint {path} is of another network: {name} is {theirs or "absent"} there and '
                f'{ours or "absent"} here. Use the config that it was trained with, or another --workdir'
            )
    said = log.debug if to_look_at else log.info
    if missing:
        said('Not in the checkpoint %s, taken from a new state: %s', path, _listed(missing))
    if unknown:
        said('In the checkpoint %s and not in the state, left out: %s', path, _listed(unknown))
    return [name for name in here if name in there]


def _described(leaf):
    return None if leaf is None else f'{jnp.dtype(leaf.dtype).name}{list(leaf.shape)}'


def _first_line(error):
    """What went wrong, without the description of the storage that Orbax adds."""
    return str(error).partition('\n')[0].partition(' [tensorstore_spec')[0]


def _listed(names, most=8):
    return ', '.join(names[:most]) + (f' and {len(names) - most} more' if len(names) > most else '')


def _fresh(leaf, devices):
    """What stands for a leaf that the checkpoint does not have."""
    if isinstance(leaf, jax.ShapeDtypeStruct):
        return parallel.place(jnp.zeros(leaf.shape, leaf.dtype), devices)
    return leaf


def _finished(directory):
    """The steps in a directory whose checkpoint is whole."""
    steps = (name for name in files.names(directory) if name.isdigit())
    return [int(step) for step in steps if _is_finished(directory / step)]


def _is_finished(path):
    return files.exists(path / '_CHECKPOINT_METADATA') and files.exists(path / ITEM / '_METADATA')


def _set_aside_incomplete(directory):
    """Makes the directory; renames incomplete steps in it, so that they can be saved again."""
    files.make_directory(directory)
    for name in files.names(directory):
        path = directory / name
        if name.isdigit() and not _is_finished(path):
            aside = path.with_name(f'{name}.incomplete')
            while files.exists(aside):
                aside = aside.with_name(aside.name + '_')
            log.warning(
                'The checkpoint %s is incomplete and is skipped; it is set aside as %s', path, aside.name
            )
            files.rename(path, aside)
