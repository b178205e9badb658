"""--mode=compile: compiles a config's training step for devices that need not be present. Nothing is trained.

It answers, before an accelerator is rented: does the step compile for it, does it fit, what moves between its
devices? It reports what the compiler reports; not how long a step takes.
"""

import collections
import math
import re
import time
from typing import NamedTuple

import jax

from resizemix_jax import build, flops
from resizemix_jax.devices import parallel, targets
from resizemix_jax.errors import ConfigError, RunError

MIB, GIB = 2**20, 2**30

_KINDS = 'all-reduce|all-gather|reduce-scatter|all-to-all|collective-permute|collective-broadcast'
_COLLECTIVE = re.compile(rf'^\s*(?:ROOT )?%?[\w.-]+ = ([^="]*?) ({_KINDS})(-start)?\(', re.MULTILINE)
_ARRAY = re.compile(r'\b(pred|[a-z]+(\d+)\w*)\[([\d,]*)\]')


class Report(NamedTuple):
    """A compiled step, for one bucket of batches; bytes and operations are those of one device.

    Attributes:
        target: as in the command.
        devices: in words.
        bucket: the arrays of one example, in words.
        batch: the examples of a device.
        memory: bytes that a program can use on it.
        arguments: bytes of the state and the batch.
        donated: bytes of those that the new state reuses.
        outputs: bytes of the new state and the metrics.
        temporaries: bytes of intermediate values.
        code: bytes of the program.
        flops: floating-point operations of a step, as XLA counts them before it optimises: the body of a
            loop is counted once, whatever its number of iterations.
        collectives: kind -> (count, bytes of their results), in the compiled program; in a loop counted once.
        seconds: of compilation.
    """

    target: str
    devices: str
    bucket: str
    batch: int
    memory: int
    arguments: int
    donated: int
    outputs: int
    temporaries: int
    code: int
    flops: float
    collectives: dict
    seconds: float

    @property
    def needed(self):
        """Bytes of a device's memory while the step runs."""
        return self.arguments + self.outputs - self.donated + self.temporaries + self.code

    @property
    def fits(self):
        return self.needed <= self.memory

    def __str__(self):
        moved = [f'{n} x {kind}, {size / MIB:.1f} MiB' for kind, (n, size) in self.collectives.items()]
        lines = (
            f'{self.target}: {self.devices}, {self.batch} examples each: {self.bucket}',
            f'{"fits" if self.fits else "DOES NOT FIT"}: {self.needed / GIB:.2f} of '
            f'{self.memory / GIB:.2f} GiB of a device',
            f'    state and batch {self.arguments / MIB:.1f} MiB, of which the new state reuses '
            f'{self.donated / MIB:.1f} MiB (donated)',
            f'    temporaries {self.temporaries / MIB:.1f} MiB, program {self.code / MIB:.1f} MiB',
            f'operations of a step: {self.flops:.4g} FLOP a device, {self.flops / self.batch:.4g} an example '
            '(the body of a loop counted once)',
            f'collectives of a step: {"; ".join(moved) or "none"}',
            f'compiled in {self.seconds:.0f} s',
        )
        return '\n'.join(lines)


def compile_step(config, target=targets.LOCAL):
    """Compiles the training step that `config` describes for the devices of `target`; reads no data.

    Args:
        config: `ml_collections.ConfigDict` of a file in configs/.
        target: see `resizemix_jax.devices.targets`.

    Returns:
        A tuple of `Report`s, one for every bucket of the batches.

    Raises:
        ConfigError: no such target, its compiler is not installed, or the config is wrong.
        RunError: the step does not compile; a TPU's compiler reports in this way, too, that it does not fit.
    """
    devices, memory = _devices(config, target)
    plan = build.plan(config, devices)
    run = build.unopened_run(plan)
    buckets = zip(run.train_step.batches, flops.of_share(run.train_step), strict=True)
    return tuple(_report(run.train_step, batch, count, target, devices, memory) for batch, count in buckets)


def _report(step, batch, count, target, devices, memory):
    """Compiles a step for one bucket."""
    lowered = step.lower(batch)
    start = time.perf_counter()
    try:
        compiled = lowered.compile()
    except jax.errors.JaxRuntimeError as error:
        failed = 'does not fit' if 'RESOURCE_EXHAUSTED' in str(error) else 'does not compile'
        raise RunError(f'The step {failed} on {target}: {error}') from error
    seconds = time.perf_counter() - start
    used = compiled.memory_analysis()
    return Report(
        target=target,
        devices=parallel.describe(devices),
        bucket=_described(batch),
        batch=jax.tree.leaves(batch)[0].shape[0] // len(devices),
        memory=memory,
        arguments=used.argument_size_in_bytes,
        donated=used.alias_size_in_bytes,
        outputs=used.output_size_in_bytes,
        temporaries=used.temp_size_in_bytes,
        code=used.generated_code_size_in_bytes,
        flops=count,
        collectives=collectives(compiled.as_text()),
        seconds=seconds,
    )


def collectives(text):
    """kind -> (count, bytes of their results) of a compiled program's text, for one device."""
    found = collections.defaultdict(lambda: (0, 0))
    for results, kind, start in _COLLECTIVE.findall(re.sub(r'/\*.*?\*/', '', text)):
        arrays = _ARRAY.findall(results)
        if start and kind != 'all-reduce':
            # The start of an asynchronous one lists its operands, its results and two context values.
            arrays = [array for array in arrays if array[0] != 'u32' or array[2]]
            arrays = arrays[len(arrays) // 2 :]
        count, size = found[kind]
        found[kind] = count + 1, size + sum(_bytes(bits, shape) for _, bits, shape in arrays)
    return dict(found)


def _bytes(bits, shape):
    return int(bits or 8) * math.prod(map(int, filter(None, shape.split(',')))) // 8


def _described(batch):
    arrays = jax.tree_util.tree_leaves_with_path(batch)
    return ', '.join(
        f'{jax.tree_util.keystr(path, simple=True, separator="/")} {a.dtype}{list(a.shape[1:])}'
        for path, a in arrays
    )


def _devices(config, name):
    """(devices, bytes of one that a program can use)."""
    if name == targets.LOCAL:
        try:
            devices = parallel.choose_devices(config.num_devices)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        return devices, parallel.memory(devices[0])
    target = targets.parse(name)
    if config.num_devices:
        raise ConfigError(f'num_devices={config.num_devices}: --target={name} says how many; leave it 0')
    try:
        return parallel.target_devices(target), target.memory
    except jax.errors.JaxRuntimeError as error:
        raise ConfigError(f'--target={name!r}: {error}') from error
    except (RuntimeError, NotImplementedError) as error:
        raise ConfigError(
            f'--target={name!r}: its compiler is not installed. In an environment of its own: '
            f'pip install -r requirements.txt "jax[{target.extra}]"'
        ) from error
