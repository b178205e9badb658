"""One training of `upgrade`: every cell in the checkout that is the working directory, whole or up to a step.

    cd CHECKOUT; PYTHONPATH=CHECKOUT python -P _train_part.py DIRECTORY PICTURES STOP

It is run by its path, as `_train_cells.py` is, and trains the cells that that file calls EXTRA. Cell number n
is trained, or continued, in DIRECTORY/n; with STOP > 0 the process gets SIGTERM in step STOP, and it saves
and ends. A run that comes to its end writes n.npz and n.jsonl, one that fails n.error.
"""

import importlib
import os
import pathlib
import runpy
import signal
import sys

CELLS = runpy.run_path(str(pathlib.Path(__file__).with_name('_train_cells.py')))


def main():
    directory, pictures, stop = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    CELLS['check_checkout']()
    import jax

    jax.config.update('jax_platforms', 'cpu')
    jax.config.update('jax_num_cpu_devices', 4)
    if stop:
        terminate_in(stop)
    for number, (file, argument, overrides) in enumerate(CELLS['EXTRA']):
        name = str(number)
        with CELLS['noting'](directory / name):
            # In this process, where the step can be counted.
            config = CELLS['configure'](file, argument, overrides | {'workers': 0}, pictures)
            train(config, directory / name, stop)
        jax.clear_caches()
        print(f'{name}: {CELLS["name_of"](file, argument, overrides)}', flush=True)


def train(config, workdir, stop):
    from resizemix_jax.errors import PreemptedError

    try:
        CELLS['train'](config, workdir, workdir)
    except PreemptedError:
        if not stop:
            raise
    else:
        if stop:
            raise RuntimeError(f'SIGTERM in step {stop} did not stop the run')


def terminate_in(step):
    """Sends this process SIGTERM when the batch of the step with that number, from 1, is made."""
    try:
        pipeline = importlib.import_module('resizemix_jax.input.pipeline')
    except ImportError:  # version 0.1.0
        pipeline = importlib.import_module('resizemix_jax.data.pipeline')
    made = pipeline.train_batch

    def train_batch(split, batch_size, seed, index, *rest):
        if index == step - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return made(split, batch_size, seed, index, *rest)

    pipeline.train_batch = train_batch


if __name__ == '__main__':
    main()
