"""A cache of XLA's programs beside the runs: a resumed run, or the next one of a sweep, starts at once."""

import os
import pathlib

import jax

NAME = '.compilation_cache'


def use(workdir):
    """Caches programs in the directory above `workdir`, or in $JAX_COMPILATION_CACHE_DIR; '': no cache.

    The keys are JAX's: another program, compiler or hardware is compiled again. With several processes only
    the first one writes. JAX_ENABLE_COMPILATION_CACHE=false switches it off.
    """
    if workdir and 'JAX_COMPILATION_CACHE_DIR' not in os.environ:
        directory = pathlib.Path(workdir).resolve().parent / NAME
        jax.config.update('jax_compilation_cache_dir', str(directory))
