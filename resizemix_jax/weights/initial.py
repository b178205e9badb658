"""What a training starts from: `config.init`, the weights of another run or of a file."""

import hashlib
import logging
from typing import NamedTuple

import numpy as np

from resizemix_jax.devices import processes
from resizemix_jax.errors import ConfigError, DataError, local
from resizemix_jax.run.checkpoint import Checkpoints
from resizemix_jax.run.leaves import listed, named
from resizemix_jax.weights import files
from resizemix_jax.weights.torch_layout import HEAD, Layout, Network

log = logging.getLogger(__name__)

SCOPES = {'all': '', 'backbone': 'backbone/'}  # of config.init_scope: the paths that are taken


class Initial(NamedTuple):
    """Weights to start from: a `Network`, or a part of one, and what is recorded of it."""

    network: Network
    record: dict


def read(config, template):
    """The weights that `config.init` names, as far as they fit the network; None if it names none.

    Law: parameters and BatchNorm statistics below `init_scope` are taken bit by bit; the optimiser, the
    schedule and the step are new. The last linear layer ('top/classifier') is left new if it has another
    number of classes there, and this is logged. Everything else has to be of the same names and shapes.

    Args:
        config: `init` is the workdir of a run, of which the best checkpoint is taken, or else the newest; or
            a file that ends in .safetensors, .pth, .pt or .bin and has torch's names, see `torch_layout`.
        template: `state.TrainState` of shapes.

    Raises:
        ConfigError: there is nothing at that path, or the network has no torch layout.
        DataError: it is damaged, is of another network, or holds numbers that are NaN or infinite.
    """
    if not config.init:
        return None
    initial = processes.run_on_all(lambda: _read(config, template))
    processes.check_same_data({'init': initial.record})
    return initial


def _read(config, template):
    path = local(config.init, '--config.init')
    prefix = SCOPES[config.init_scope]
    whole = Network(named(template.params), named(template.batch_stats))
    wanted = _part(whole, prefix)
    if path.suffix in files.ENDINGS and not path.is_dir():
        tensors, metadata = files.read(path)
        layout, step = Layout(config.model, config.model_args), metadata.get('step', '')
        step = int(step) if step.isdecimal() else 0  # a file of others may use the word otherwise
        found = layout.from_torch(tensors, whole, path, prefix)
    else:
        found, step = _of_run(path, wanted, prefix)
    new_head = _check_shapes(path, found, wanted)
    found = Network({p: a for p, a in found.params.items() if p not in new_head}, found.batch_stats)
    record = {'init': str(path), 'sha256': digest(found), 'step': step, 'new': sorted(new_head)}
    log.info(
        'Initial weights: %s%s, %d of %d arrays, sha256 %s', path, f', step {step}' if step else '',
        sum(map(len, found)), sum(map(len, wanted)), record['sha256'],
    )  # fmt: skip
    return Initial(found, record)


def digest(network):
    """The first 16 hexadecimal digits of the SHA-256 of all arrays of a `Network`, with their paths."""
    hashed = hashlib.sha256()
    for part in network:
        for path in sorted(part):
            hashed.update(path.encode())
            hashed.update(np.ascontiguousarray(part[path]).tobytes())
    return hashed.hexdigest()[:16]


def _of_run(path, wanted, prefix):
    with Checkpoints(path) as checkpoints:
        if not checkpoints.latest_step():
            raise ConfigError(
                f'init={str(path)!r} has no checkpoint; name the workdir of a trained run, or a file that '
                f'ends in {" or ".join(files.ENDINGS)}'
            )
        arrays, step = checkpoints.network()
    found = _part(Network(*(_below(arrays, f'{name}/') for name in Network._fields)), prefix)
    for here, there in zip(wanted, found, strict=True):
        missing, extra = sorted(here.keys() - there.keys()), sorted(there.keys() - here.keys())
        if missing or extra:
            raise DataError(
                f'{path} is a run of another network: it lacks {listed(missing) or "nothing"} and has '
                f'{listed(extra) or "nothing"} besides. Set model and model_args to those of that run'
            )
    _check_finite(path, found)
    return found, step


def _check_finite(path, found):
    for part in found:
        for name, array in part.items():
            if not np.all(np.isfinite(array)):
                raise DataError(f'{path}: {name} has numbers that are NaN or infinite; take another run')


def _check_shapes(path, found, wanted):
    """The paths of the head, if it has other classes there; DataError if another shape differs."""
    differ = {
        name: (array.shape, here[name].shape)
        for there, here in zip(found, wanted, strict=True)
        for name, array in there.items()
        if tuple(array.shape) != tuple(here[name].shape)
    }
    other_classes = f'{HEAD}/bias' in differ
    others = {n: shapes for n, shapes in differ.items() if not (other_classes and n.startswith(f'{HEAD}/'))}
    if others:
        name, (there, here) = min(others.items())
        raise DataError(
            f'{path} is of another network: {name} is {list(there)} there and {list(here)} here (and '
            f'{len(others) - 1} more differ). Set model, model_args and the channels of the images to its own'
        )
    if not differ:
        return set()
    there, here = differ[f'{HEAD}/bias']
    log.info('A new last layer: %s has %d classes, and the dataset %d', path, there[0], here[0])
    return {name for name in wanted.params if name.startswith(f'{HEAD}/')}


def _part(network, prefix):
    """The arrays of a `Network` whose paths begin with `prefix`."""
    return Network(*({path: a for path, a in part.items() if path.startswith(prefix)} for part in network))


def _below(values, prefix):
    return {path.removeprefix(prefix): v for path, v in values.items() if path.startswith(prefix)}
