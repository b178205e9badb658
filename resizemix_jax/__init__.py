"""ResizeMix in JAX: mixing ops and augmentations as pure functions, and the trainer that compares them.

    from resizemix_jax import cutmix, mixup, randaugment, resizemix

gives the functions of resizemix_jax/mixing and resizemix_jax/augment, which need jax and numpy alone. With
the extras `train` and `data` installed, there are also

    from resizemix_jax import get_config, train_and_evaluate

    train_and_evaluate(get_config('configs/quickstart.py:row=resizemix'), 'runs/resizemix')

Nothing is imported before it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors and type checkers; at run time the folders are the list
    from resizemix_jax.augment.augmix import augmix as augmix
    from resizemix_jax.augment.autoaugment import autoaugment as autoaugment
    from resizemix_jax.augment.crop_flip import crop_flip as crop_flip
    from resizemix_jax.augment.dada import dada as dada
    from resizemix_jax.augment.fast_autoaugment import fast_autoaugment as fast_autoaugment
    from resizemix_jax.augment.halve import halve as halve
    from resizemix_jax.augment.operation import operation as operation
    from resizemix_jax.augment.pba import pba as pba
    from resizemix_jax.augment.randaugment import randaugment as randaugment
    from resizemix_jax.config_files import get_config as get_config
    from resizemix_jax.mixing.cut_paste import cut_paste as cut_paste
    from resizemix_jax.mixing.cutmix import cutmix as cutmix
    from resizemix_jax.mixing.cutout import cutout as cutout
    from resizemix_jax.mixing.fmix import fmix as fmix
    from resizemix_jax.mixing.mixup import mixup as mixup
    from resizemix_jax.mixing.puzzlemix import puzzlemix as puzzlemix
    from resizemix_jax.mixing.random_erasing import random_erasing as random_erasing
    from resizemix_jax.mixing.resizemix import resizemix as resizemix
    from resizemix_jax.mixing.ricap import ricap as ricap
    from resizemix_jax.mixing.saliencymix import saliencymix as saliencymix
    from resizemix_jax.mixing.supermix import supermix as supermix
    from resizemix_jax.train import train_and_evaluate as train_and_evaluate

__version__ = '0.2.0'

_FAMILIES = 'mixing', 'augment'
_TRAINER = {'get_config': 'config_files', 'train_and_evaluate': 'train'}
_OTHERS = {'none'}  # a member of both families, and of no use in a program


def __getattr__(name: str) -> Any:
    if name == '__all__':  # what the core can import
        return [name for name in __dir__() if name not in _TRAINER]
    if name in _TRAINER:
        return getattr(import_module(f'{__name__}.{_TRAINER[name]}'), name)
    from resizemix_jax.find import find, names

    for family in _FAMILIES:
        if name in names(family) and name not in _OTHERS:
            return find(family, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    from resizemix_jax.find import names

    return sorted({*names('mixing'), *names('augment'), *_TRAINER, '__version__'} - _OTHERS)
