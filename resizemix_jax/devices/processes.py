"""Several hosts, one process each: joining them, and agreement between them outside the step.

With one process, all of this does nothing.
"""

import json
import os
import socket

import jax
import numpy as np
from jax._src.clusters import ClusterEnv
from jax.experimental import multihost_utils

from resizemix_jax import errors
from resizemix_jax.devices import parallel, rendezvous
from resizemix_jax.devices.heartbeat import SILENCE, Heartbeat
from resizemix_jax.devices.relay import Relay
from resizemix_jax.key_groups import differences

ADDRESS, COUNT, INDEX = 'JAX_COORDINATOR_ADDRESS', 'JAX_NUM_PROCESSES', 'JAX_PROCESS_ID'
SHOWN = 12  # lines of differences
_heartbeat = None  # of this process, once it has joined others


def join(seconds):
    """Joins the processes of all hosts; must be called before any other use of JAX.

    Cloud TPU, Slurm and GKE are recognised. Elsewhere the environment names them:
    JAX_COORDINATOR_ADDRESS (host:port of the first process), JAX_NUM_PROCESSES, JAX_PROCESS_ID (from 0).
    From here on a process that is lost ends the others, see `heartbeat`.

    Args:
        seconds: how long to wait for the others.

    Raises:
        ConfigError: the environment does not name the others, or one of them did not come.
    """
    global _heartbeat
    try:
        address, count, index = _place(seconds)
        if count > 1:
            connections = rendezvous.meet(address, count, index, seconds)
            name = f'process {index} on {socket.gethostname()}'
            _heartbeat = Heartbeat(index, name, connections)
            _heartbeat.start()
        if index > 0:
            address = Relay(*rendezvous.split(address)).address
        jax.distributed.initialize(
            address, count, index, heartbeat_timeout_seconds=round(3 * SILENCE), shutdown_timeout_seconds=30
        )
    except errors.ConfigError as error:
        raise errors.ConfigError(f'--multihost: {error}') from error
    except (ValueError, RuntimeError) as error:
        found = ', '.join(f'{name}={os.environ.get(name)}' for name in (ADDRESS, COUNT, INDEX))
        raise errors.ConfigError(
            f'--multihost: cannot join the processes: {error} On Cloud TPU, Slurm and GKE they find '
            f'each other; elsewhere set {ADDRESS}=HOST:PORT, {COUNT} and {INDEX} for each (now {found})'
        ) from error


def _place(seconds):
    """(address of the first process, number of processes, index of this one).

    Raises:
        ValueError, RuntimeError: the environment does not say it.
    """
    address = os.environ.get(ADDRESS)
    count, index = (os.environ.get(name) and int(os.environ[name]) for name in (COUNT, INDEX))
    if None in (address, count, index):  # JAX has no public function for what its own `initialize` does here
        address, count, index, _ = ClusterEnv.auto_detect_unset_distributed_params(
            address, count, index, None, None, seconds
        )
    if None in (address, count, index):
        raise ValueError('it is not known who they are.')
    if not 0 <= index < count:
        raise ValueError(f'this is process {index} of {count}; they are numbered from 0.')
    rendezvous.split(address)
    return address, count, index


def leave(code, words=''):
    """Called last: waits until all processes end, with an exit code and the sentence of an error.

    After an error of this process alone the others are ended too, and this does not return.
    """
    if _heartbeat:
        _heartbeat.end(code, words)


def ask():
    """After an error that the loss of another process can have caused: if it was that, does not return."""
    if _heartbeat:
        _heartbeat.ask()


def first():
    """Whether this is the process that writes files."""
    return parallel.processes()[0] == 0


def run_on_host_0(function):
    """Runs `function` on the first process; all get its result, which must be JSON, or its RunError."""
    if parallel.processes()[1] == 1:
        return function()
    return _unpack(gather(_attempt(function) if first() else None)[0])


def run_on_all(function):
    """Runs `function` on every process and returns its result here; if it fails on one, it fails on all.

    Raises:
        RunError: that of this process, or else of the first process that failed.
    """
    index, count = parallel.processes()
    if count == 1:
        return function()
    kept = []
    attempts = gather(_attempt(lambda: kept.append(function())))
    _unpack(attempts[index])
    for other, attempt in enumerate(attempts):
        if 'error' in attempt:
            _unpack({'error': attempt['error'], 'message': f'process {other}: {attempt["message"]}'})
    return kept[0]


def check_same(config):
    """Raises ConfigError, on all processes, unless all were started with the same config."""
    own = json.loads(config.to_json())
    leading = run_on_host_0(lambda: own)

    def check():
        found = differences(leading, own)
        if found:
            raise errors.ConfigError(
                "the processes were started with different configs; the first one's and this one's:\n    "
                + '\n    '.join(f'{key}: {theirs} | {ours}' for key, theirs, ours in found)
                + '\nStart all of them with the same command'
            )

    run_on_all(check)


def check_same_data(fingerprints):
    """Raises DataError, on all processes, unless all have the same data.

    Args:
        fingerprints: split name -> dict, of this process' data; JSON.
    """
    if parallel.processes()[1] == 1:
        return
    everyone = gather({'host': socket.gethostname(), 'data': fingerprints})
    known = everyone[0]['data']
    found = [
        f'{key} of {split!r}: {value} on process 0 ({everyone[0]["host"]}), {theirs} on process {index} '
        f'({other["host"]})'
        for index, other in enumerate(everyone)
        for split, facts in known.items()
        for key, value in facts.items()
        if (theirs := other['data'].get(split, {}).get(key)) != value
    ]
    if found:
        raise errors.DataError(
            'the hosts have different data:\n    '
            + '\n    '.join([*found[:SHOWN], *(['...'] if found[SHOWN:] else [])])
            + '\nGive all of them the same, for instance in a directory that all see'
        )


def gather(value):
    """The `value`, JSON, of every process: a list in the order of the processes, on all of them."""
    text = np.frombuffer(json.dumps(value).encode(), np.uint8)
    lengths = multihost_utils.process_allgather(np.int32(len(text)))
    padded = np.zeros(lengths.max(), np.uint8)
    padded[: len(text)] = text
    rows = multihost_utils.process_allgather(padded)
    return [json.loads(bytes(row[:length])) for row, length in zip(rows, lengths, strict=True)]


def _attempt(function):
    try:
        return {'value': function()}
    except errors.RunError as error:
        return {'error': type(error).__name__, 'message': str(error)}


def _unpack(attempt):
    if 'error' in attempt:
        raise getattr(errors, attempt['error'])(attempt['message'])
    return attempt['value']
