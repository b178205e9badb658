"""Files of weights: .safetensors and .pth, by their endings; tensors are NumPy arrays by name."""

import json
import logging

import jax.numpy as jnp
import numpy as np

from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.run import files
from resizemix_jax.weights import pth

log = logging.getLogger(__name__)

SAFETENSORS, PTH = '.safetensors', '.pth'
ENDINGS = (SAFETENSORS, PTH, '.pt', '.bin')


def write_safetensors(path, tensors, metadata):
    """Writes a .safetensors file, whole or not at all.

    Args:
        path: pathlib.Path.
        tensors: name -> NumPy array.
        metadata: name -> text.
    """
    from safetensors.numpy import save

    files.write_bytes(path, save(tensors, metadata))


def write_pth(path, tensors):
    """Writes a .pth file, whole or not at all; see `pth`."""
    files.write_bytes(path, pth.to_bytes(tensors))


def read(path):
    """The tensors of a file, and its metadata: (name -> float32 or integer array, name -> text).

    Numbers of fewer or more bits become float32. No code in the file is run.

    Raises:
        ConfigError: an unknown ending, or no such file.
        DataError: it is damaged, holds something else than tensors, or a number that is NaN or infinite.
    """
    if path.suffix not in ENDINGS:
        raise ConfigError(f'{path} must end in one of: {", ".join(ENDINGS)}, or be the workdir of a run')
    if not files.exists(path):
        raise ConfigError(f'{path}: there is no such file')
    data = files.read_bytes(path)
    tensors, metadata = _safetensors(data, path) if path.suffix == SAFETENSORS else (
        pth.from_bytes(data, path), {}
    )  # fmt: skip
    tensors = {name: _float32(array) for name, array in tensors.items()}
    for name, array in tensors.items():
        if not np.all(np.isfinite(array)):
            raise DataError(f'{path}: the tensor {name!r} has numbers that are NaN or infinite')
    return tensors, metadata


def _safetensors(data, path):
    import safetensors
    from safetensors.numpy import load

    try:
        tensors = load(data)
        return tensors, _metadata(data)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise DataError(
            f'{path} is damaged or is no file of safetensors ({error}); fetch it again'
        ) from error


def _metadata(data):
    """The metadata of a .safetensors file: 8 bytes of length, then JSON."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], 'little')])
    return header.get('__metadata__', {})


def _float32(array):
    return array.astype(np.float32) if jnp.issubdtype(array.dtype, jnp.floating) else array
