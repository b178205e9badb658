"""Errors that are the user's to fix, each with the exit code of the process; helpers for their messages."""

import difflib
import os
import pathlib
import sys
from collections.abc import Iterable

# Module -> the extra of this package that installs it, where the core does not.
EXTRAS = {
    'absl': 'train', 'flax': 'train', 'ml_collections': 'train', 'optax': 'train', 'orbax': 'train',
    'PIL': 'train', 'google_crc32c': 'train', 'tqdm': 'train',
    'array_record': 'data', 'cv2': 'data', 'simplejpeg': 'data', 'tensorflow_datasets': 'data',
    'safetensors': 'export', 'flatbuffers': 'export',
    'pycocotools': 'detection',
    'wandb': 'wandb', 'mlflow': 'mlflow',
    'jax2onnx': 'onnx', 'onnxruntime': 'onnx',
    'matplotlib': 'report', 'keras': 'keras', 'tensorflow': 'prepare',
}  # fmt: skip


class RunError(Exception):
    """A run that ends with a message for its user; `exit_code` (int) is what the process returns."""

    exit_code = 1


class ConfigError(RunError, ValueError):
    """The config is invalid, or does not fit the workdir it is used with."""

    exit_code = 2


class DataError(RunError):
    """The dataset is missing or incomplete, or is not what its name says."""

    exit_code = 2


class NonFiniteError(RunError):
    """The loss, or a number of the state, is NaN or infinite."""

    exit_code = 3


class PreemptedError(RunError):
    """The run was asked to stop by a signal and saved its state; the same command continues it."""

    exit_code = 75


def first_line(error: BaseException) -> str:
    """The first line of an error's message, '' if it has none."""
    return str(error).partition('\n')[0]


def not_installed(error: ImportError) -> str:
    """What to install, in a sentence, where a ModuleNotFoundError is of an optional package; or ''."""
    module = (error.name or '').partition('.')[0]
    if module not in EXTRAS:
        return ''
    extra = EXTRAS[module]
    return (
        f"{sys.executable} has no module {module!r}: pip install 'resizemix-jax[{extra}]'. In a checkout, "
        'bash launch/quickstart.sh makes an environment with everything that training needs'
    )


def nearest(word: object, known: Iterable[object]) -> str:
    """'; did you mean x or y?' with up to three of the known words, or '' if none is near.

    Case, `-` and `_` make no difference: a word that differs in them alone is the one that was meant.
    """
    plain = {_plain(str(k)): str(k) for k in known}
    meant = _plain(str(word))
    close = [plain[k] for k in ([meant] if meant in plain else difflib.get_close_matches(meant, plain))]
    return f'; did you mean {" or ".join(close)}?' if close else ''


def _plain(word):
    return word.lower().replace('-', '').replace('_', '')


def local(path: str | pathlib.Path, name: str) -> pathlib.Path:
    """`path` as a directory or file of this machine, ~ expanded; buckets are mounted, not addressed.

    Args:
        path: str or pathlib.Path.
        name: of the flag or key whose value it is, for the message.

    Returns:
        pathlib.Path.

    Raises:
        ConfigError: it is an address, e.g. gs://bucket/runs. Taken as a path, that would be a folder named
            'gs:' on this machine's own disk, which a preempted machine loses. Or it begins with ~, and this
            user has no home directory.
    """
    if '://' in str(path):
        raise ConfigError(
            f'{name}={path} is an address; name a directory. A bucket becomes one with gcsfuse: see '
            '"Storage" in docs/launching.md'
        )
    expanded = os.path.expanduser(path)
    if expanded.startswith('~' + os.sep) or expanded == '~':
        raise ConfigError(f'{name}={path}: this user has no home directory (HOME); write the path without ~')
    return pathlib.Path(expanded)
