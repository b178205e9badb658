"""torch's own files, .pth, without torch: written, and read by a reader that takes tensors alone.

A .pth file is a ZIP archive: NAME/data.pkl, a pickle of the dict, and NAME/data/KEY, the bytes of a storage.
A pickle can run any code, so none is loaded: `_Reader` knows the few names that a state_dict needs, and
refuses a file with another one. Files of torch before 1.6 (one pickle after the other, then the storages) are
read too.
"""

import collections
import io
import pickle
import struct
import zipfile

import jax.numpy as jnp
import numpy as np

from resizemix_jax.errors import DataError

_ROOT = 'model'  # the folder in the archive
_DTYPES = {
    'DoubleStorage': np.float64, 'FloatStorage': np.float32, 'HalfStorage': np.float16,
    'BFloat16Storage': jnp.bfloat16, 'LongStorage': np.int64, 'IntStorage': np.int32,
    'ShortStorage': np.int16, 'CharStorage': np.int8, 'ByteStorage': np.uint8, 'BoolStorage': np.bool_,
}  # fmt: skip
_STORAGES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_MAGIC = 0x1950A86A20F9469CFC6C  # of the older form
_NESTED = 'state_dict', 'model', 'state_dict_ema'  # where training scripts keep the weights


def to_bytes(tensors):
    """The content of a .pth file that `torch.load(..., weights_only=True)` reads.

    Args:
        tensors: name -> NumPy array of a type that torch has.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, 'w', zipfile.ZIP_STORED) as file:
        file.writestr(f'{_ROOT}/data.pkl', _pickled(tensors))
        file.writestr(f'{_ROOT}/byteorder', 'little')
        for key, array in enumerate(tensors.values()):
            file.writestr(f'{_ROOT}/data/{key}', array.astype(array.dtype.newbyteorder('<')).tobytes())
        file.writestr(f'{_ROOT}/version', '3\n')
    return archive.getvalue()


def from_bytes(data, name):
    """The tensors of a .pth file: name -> NumPy array.

    A dict of a training script gives its 'state_dict' or 'model', and the prefix 'module.' that
    DataParallel puts before every name is left out.

    Args:
        data: bytes.
        name: of the file, for messages.

    Raises:
        DataError: it is damaged, or holds anything but tensors, in which case nothing of it is run.
    """
    try:
        is_archive = data[:4] == b'PK\x03\x04'
        content = _read_archive(data, name) if is_archive else _read_older(data, name)
        return _state_dict(content, name)
    except DataError:
        raise
    except Exception as error:  # whatever a damaged pickle or archive leads to
        raise DataError(
            f'{name} is damaged or is no file of torch ({type(error).__name__}: {error}); fetch it again'
        ) from error


def _state_dict(content, name):
    for key in _NESTED:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    if not isinstance(content, dict) or not content:
        raise DataError(f'{name} holds no dict of tensors; save one: torch.save(model.state_dict(), FILE)')
    others = [key for key, value in content.items() if not isinstance(value, np.ndarray)]
    if others:
        raise DataError(
            f'{name}: {str(others[0])!r} is no tensor; save the weights alone: '
            'torch.save(model.state_dict(), FILE)'
        )
    prefix = 'module.' if all(str(key).startswith('module.') for key in content) else ''
    return {str(key).removeprefix(prefix): np.array(value) for key, value in content.items()}


class _Tensors:
    """Rebuilds tensors as views of storages, whose bytes may come later."""

    @staticmethod
    def rebuild(storage, offset, size, stride, *rest):
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        inside = min((offset, *size, *stride)) >= 0 and (0 in size or last < len(storage))
        if not inside or np.prod(size, dtype=object) > len(storage):
            raise ValueError(f'a tensor of {size} does not lie in its storage of {len(storage)} numbers')
        strides = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage[offset:], size, strides)

    @staticmethod
    def parameter(tensor, *rest):
        return tensor


_KNOWN = {
    ('collections', 'OrderedDict'): collections.OrderedDict,
    ('torch._utils', '_rebuild_tensor_v2'): _Tensors.rebuild,
    ('torch._utils', '_rebuild_parameter'): _Tensors.parameter,
    **{('torch', name): np.dtype(dtype) for name, dtype in _DTYPES.items()},
}


class _Reader(pickle.Unpickler):
    """Takes tensors, dicts, lists, numbers and words; `storage(dtype, key, count)` gives an array."""

    def __init__(self, file, name, storage):
        super().__init__(file, encoding='utf-8')
        self._name, self._storage = name, storage

    def find_class(self, module, name):
        if (module, name) not in _KNOWN:
            raise DataError(
                f'{self._name} holds {module}.{name}, and only tensors are read, since anything else could '
                'run code; save the weights alone: torch.save(model.state_dict(), FILE)'
            )
        return _KNOWN[module, name]

    def persistent_load(self, reference):
        kind, dtype, key, _, count = reference[:5]
        if kind != 'storage' or not isinstance(dtype, np.dtype):
            raise ValueError(f'{kind!r} is no storage of a known type')
        return self._storage(dtype, str(key), count)


def _read_archive(data, name):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        root = next(entry for entry in file.namelist() if entry.endswith('data.pkl')).removesuffix('data.pkl')
        order = file.read(f'{root}byteorder').strip() if f'{root}byteorder' in file.namelist() else b'little'
        sign = {b'little': '<', b'big': '>'}[order]

        def storage(dtype, key, count):
            array = np.frombuffer(file.read(f'{root}data/{key}'), dtype.newbyteorder(sign))
            if len(array) < count:
                raise ValueError(f'storage {key} has {len(array)} of {count} numbers')
            return array.astype(dtype)

        return _Reader(io.BytesIO(file.read(f'{root}data.pkl')), name, storage).load()


def _read_older(data, name):
    file, storages = io.BytesIO(data), {}

    def storage(dtype, key, count):
        if not 0 <= count * dtype.itemsize <= len(data):
            raise ValueError(f'storage {key} of {count} numbers is larger than the file')
        return storages.setdefault(key, np.zeros(count, dtype))

    magic, _, _, content, keys = (_Reader(file, name, storage).load() for _ in range(5))
    if magic != _MAGIC:
        raise ValueError('another format')
    for key in keys:
        (count,) = struct.unpack('<q', file.read(8))
        array = storages[str(key)]
        array[:] = np.frombuffer(file.read(count * array.itemsize), array.dtype.newbyteorder('<'))
    return content


def _pickled(tensors):
    """The pickle of a dict of tensors, in protocol 2, as torch writes it: {name: tensor}."""
    parts = [b'\x80\x02}(']  # protocol 2, an empty dict, the mark before its items
    for key, (name, array) in enumerate(tensors.items()):
        stride = [step // array.itemsize for step in np.ascontiguousarray(array).reshape(array.shape).strides]
        parts += [
            _text(name),
            b'ctorch._utils\n_rebuild_tensor_v2\n(',
            b'(', _text('storage'), b'ctorch\n%s\n' % _STORAGES[array.dtype].encode(), _text(str(key)),
            _text('cpu'), _whole(array.size), b'tQ',
            _whole(0), b'(', *map(_whole, array.shape), b't', b'(', *map(_whole, stride), b't',
            b'\x89ccollections\nOrderedDict\n)RtR',  # False, an empty OrderedDict; call the function
        ]  # fmt: skip
    return b''.join([*parts, b'u.'])


def _text(text):
    encoded = text.encode('utf-8')
    return b'X' + struct.pack('<I', len(encoded)) + encoded


def _whole(number):
    return b'J' + struct.pack('<i', number)
