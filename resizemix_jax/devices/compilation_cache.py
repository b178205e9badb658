"""What XLA has compiled, kept beside the runs: a resumed run, or the next of a sweep, starts at once."""

import os
import pathlib

import jax

NAME = '.compilation_cache'


def use(workdir):
    """Keeps what is compiled in the directory above `workdir`, or in $JAX_COMPILATION_CACHE_DIR; '': nowhere.

    JAX's own keys hold: what differs in program, compiler or hardware is compiled anew. Of several processes
    only the first one writes. JAX_ENABLE_COMPILATION_CACHE=false switches it off.
    """
    if workdir and 'JAX_COMPILATION_CACHE_DIR' not in os.environ:
        directory = pathlib.Path(workdir).resolve().parent / NAME
        jax.config.update('jax_compilation_cache_dir', str(directory))
