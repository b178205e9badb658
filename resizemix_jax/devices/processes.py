"""Several hosts, one process each: joining them, and what they have to agree on outside the step.

With one process, all of this is nothing. A process that dies makes the others end with an error: at once
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
    """Joins the processes of all hosts; comes before everything else that JAX does.

    Cloud TPU, Slurm and GKE are recognised. Elsewhere the environment says who is who:
    JAX_COORDINATOR_ADDRESS (host:port of the first process), JAX_NUM_PROCESSES, JAX_PROCESS_ID (from 0).

    Raises:
        ConfigError: nothing says who the others are, or one of them did not come.
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
            f'--multihost: the processes cannot be joined: {error} On Cloud TPU, Slurm and GKE they find '
            f'each other; elsewhere set {ADDRESS}=HOST:PORT, {COUNT} and {INDEX} for each (now {found})'
        ) from error


def first():
    """Whether this is the process that writes."""
    return parallel.processes()[0] == 0


def on_first(function):
    """What `function` returns on the first process, something that JSON can say, on all of them.

    Raises:
        RunError: the one that it raises there, on all of them.
    """
    if parallel.processes()[1] == 1:
        return function()
    return _unpack(gather(_attempt(function) if first() else None)[0])


def together(function):
    """What `function` returns here, if it raises no RunError on any process.

    Raises:
        RunError: this process' own, or that of the first process that has one.
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
    leading = on_first(lambda: own)

    def check():
        found = differences(leading, own)
        if found:
            raise errors.ConfigError(
                'the processes were started with different configs; the first one and this one:\n    '
                + '\n    '.join(f'{key}: {theirs} | {ours}' for key, theirs, ours in found)
                + '\nStart all of them with the same command'
            )

    together(check)


def gather(value):
    """The `value` of every process, something that JSON can say, in a list in their order, on all of them."""
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
