"""Several hosts, one process each: joining them, and agreement between them outside the step.

With one process, all of this does nothing. A process that dies makes the others end with an error: at once
where a collective breaks, else when its heartbeat has been missing for HEARTBEAT seconds.
"""

import json
import os

import jax
import numpy as np
from jax.experimental import multihost_utils

from resizemix_jax import errors
from resizemix_jax.config import differences
from resizemix_jax.devices import parallel

HEARTBEAT = 30  # seconds
ADDRESS, COUNT, INDEX = 'JAX_COORDINATOR_ADDRESS', 'JAX_NUM_PROCESSES', 'JAX_PROCESS_ID'


def join():
    """Joins the processes of all hosts; must be called before any other use of JAX.

    Cloud TPU, Slurm and GKE are recognised. Elsewhere the environment names them:
    JAX_COORDINATOR_ADDRESS (host:port of the first process), JAX_NUM_PROCESSES, JAX_PROCESS_ID (from 0).

    Raises:
        ConfigError: the environment does not name the others, or one of them did not join.
    """
    given = {name: os.environ.get(name) for name in (ADDRESS, COUNT, INDEX)}
    try:
        jax.distributed.initialize(
            given[ADDRESS],
            given[COUNT] and int(given[COUNT]),
            given[INDEX] and int(given[INDEX]),
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=HEARTBEAT,
        )
    except (ValueError, RuntimeError) as error:
        found = ', '.join(f'{name}={value}' for name, value in given.items())
        raise errors.ConfigError(
            f'--multihost: cannot join the processes: {error} On Cloud TPU, Slurm and GKE they find '
            f'each other; elsewhere set {ADDRESS}=HOST:PORT, {COUNT} and {INDEX} for each (now {found})'
        ) from error


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
