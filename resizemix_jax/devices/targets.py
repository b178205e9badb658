"""The accelerators that a step can be compiled for without being present: `--target=NAME`.

local          the devices of this machine
v5e:2x4        a TPU slice by its topology: v4:2x2x2, v5e:2x4, v5p:2x2x1, v6e:2x4, ...
h100x8         GPUs of one machine by their number: a100x8, h100x4, ...
"""

import re
from typing import NamedTuple

from resizemix_jax.errors import ConfigError

LOCAL = 'local'
GIB = 2**30


class Target(NamedTuple):
    """What a compiler needs to know about a target.

    Attributes:
        name: as in the command.
        platform: 'tpu' or 'cuda'.
        topology: the name of the layout of its devices, where the platform's plugin wants one.
        memory: bytes of one device that a program can use.
        options: further keywords of the plugin's topology.
        environment: variables that its compiler needs.
        extra: of jax, which installs its compiler.
    """

    name: str
    platform: str
    topology: str
    memory: int
    options: dict
    environment: dict
    extra: str


# HBM of a chip in GiB, the sides of a whole pod, and options: from the page of each version in Cloud TPU's
# documentation. One device is one chip; on v4 only if its two cores are joined (megacore), as on a real one.
TPUS = {
    'v4': (32, (16, 16, 16), {'chip_config_name': 'megacore'}),
    'v5e': (16, (16, 16), {}),
    'v5p': (95, (16, 20, 28), {}),
    'v6e': (32, (16, 16), {}),
}
# libtpu asks a metadata server for the machine's type, and locks the chips; neither exists here. These values
# satisfy it; the program is compiled for the topology.
_TPU_ENVIRONMENT = {
    'TPU_ACCELERATOR_TYPE': 'v5litepod-8',
    'TPU_SKIP_MDS_QUERY': '1',
    'TPU_WORKER_HOSTNAMES': 'localhost',
    'TPU_WORKER_ID': '0',
    'ALLOW_MULTIPLE_LIBTPU_LOAD': '1',
}

# The SXM cards with 80 GB. The values that a driver reports are in xla/backends/gpu/target_config/specs of
# openxla/xla; the limits of compute capabilities 8.0 and 9.0 are in NVIDIA's CUDA guide.
GPUS = {
    'a100': dict(
        name='NVIDIA A100-SXM4-80GB', capability=8, cores=108, fpus=64, clock=1.41,
        bandwidth=2_039_040_000_000, memory=85_100_068_864, cache=40 * 2**20,
        shared_core=164 * 2**10, shared_block=163 * 2**10,
    ),
    'h100': dict(
        name='NVIDIA H100 80GB HBM3', capability=9, cores=132, fpus=128, clock=1.98,
        bandwidth=3_352_320_000_000, memory=84_942_979_072, cache=50 * 2**20,
        shared_core=228 * 2**10, shared_block=227 * 2**10,
    ),
}  # fmt: skip
GPUS_OF_A_MACHINE = 16
GPU_SHARE = 0.75  # the part of a GPU's memory that JAX takes by default (XLA_PYTHON_CLIENT_MEM_FRACTION)
_GPU_ENVIRONMENT = {'JAX_SKIP_CUDA_CONSTRAINTS_CHECK': '1'}

# A GpuTargetConfigProto of XLA as text.
_GPU_CONFIG = """
gpu_device_info {{
  cuda_compute_capability {{ major: {capability} }}
  core_count: {cores}
  fpus_per_core: {fpus}
  clock_rate_ghz: {clock}
  memory_bandwidth: {bandwidth}
  device_memory_size: {memory}
  l2_cache_size: {cache}
  shared_memory_per_core: {shared_core}
  shared_memory_per_block: 49152
  shared_memory_per_block_optin: {shared_block}
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
  threads_per_core_limit: 2048
  threads_per_block_limit: 1024
  threads_per_warp: 32
  thread_dim_limit_x: 1024
  thread_dim_limit_y: 1024
  thread_dim_limit_z: 64
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
}}
platform_name: "CUDA"
dnn_version_info {{ major: 9 minor: 10 }}
device_description_str: "{name}"
"""


def parse(name):
    """The `Target` of a name.

    Raises:
        ConfigError: an unknown chip, or a number or topology that it does not come in; lists the known ones.
    """
    tpu = re.fullmatch(r'(v\w+):(\d{1,9}(?:x\d{1,9})*)', name, re.ASCII)
    if tpu and tpu[1] in TPUS:
        gib, pod, options = TPUS[tpu[1]]
        _check_topology(name, tuple(map(int, tpu[2].split('x'))), pod)
        return Target(name, 'tpu', name, gib * GIB, options, _TPU_ENVIRONMENT, 'tpu')
    gpu = re.fullmatch(r'([a-z]+\d+)x(\d{1,10})', name, re.ASCII)
    if gpu and gpu[1] in GPUS:
        facts = GPUS[gpu[1]]
        if not 1 <= int(gpu[2]) <= GPUS_OF_A_MACHINE:
            raise ConfigError(f'--target={name!r}: the GPUs are of one machine, 1 to {GPUS_OF_A_MACHINE}')
        return Target(
            name,
            'cuda',
            '',
            int(facts['memory'] * GPU_SHARE),
            {'topology': f'1x1x{gpu[2]}', 'target_config': _GPU_CONFIG.format(**facts)},
            _GPU_ENVIRONMENT,
            'cuda12',
        )
    tpus, gpus = (', '.join(known) for known in (TPUS, GPUS))
    raise ConfigError(
        f'--target={name!r} must be {LOCAL!r}, a TPU and its topology such as v5e:2x4 (of {tpus}), '
        f'or GPUs and their number such as h100x8 (of {gpus})'
    )


def _check_topology(name, sides, pod):
    """Whether a slice of that topology is whole hosts, of 2 x 2 chips, and within a pod: else ConfigError."""
    fits = len(sides) == len(pod) and all(1 <= side <= most for side, most in zip(sides, pod, strict=True))
    if not fits or sides[0] % 2 or sides[1] % 2:
        raise ConfigError(
            f'--target={name!r}: a topology of {name.partition(":")[0]} has {len(pod)} sides, up to '
            f'{"x".join(map(str, pod))}, and the first two are even, since a host has 2x2 chips'
        )
