"""The training loop of a checkout, one turn after another, for benchmarks that compare two checkouts.

    cd CHECKOUT; PYTHONPATH=CHECKOUT python -P _turns.py JSON

JSON has `argument` of configs/fake.py, `overrides` (key -> value), `devices` (how many CPU devices; 0: those
of the machine) and `nothing` (whether the network computes nothing). The process reads numbers from standard
input; for each it runs so many turns of the real loop, `train.train_and_evaluate`, and prints their seconds.

It is run by its path, from a tree that may be another than the checkout's, so it uses only what every version
has. A turn begins where the loop asks the split for a batch.
"""

import functools
import importlib
import importlib.util
import json
import os
import runpy
import sys
import tempfile
import time

WITHOUT_END = 10**6


def main():
    request = json.loads(sys.argv[1])
    protocol, sys.stdout = sys.stdout, sys.stderr
    import jax

    if request['devices']:
        jax.config.update('jax_platforms', 'cpu')
        jax.config.update('jax_num_cpu_devices', request['devices'])
    import resizemix_jax

    if not os.path.realpath(resizemix_jax.__file__).startswith(os.path.realpath('.') + os.sep):
        sys.exit(f'resizemix_jax is {resizemix_jax.__file__}, not the one in {os.getcwd()}')
    if request['nothing']:
        compute_nothing()
    stop_between_turns(protocol)
    from resizemix_jax.train import train_and_evaluate

    with tempfile.TemporaryDirectory() as workdir:
        train_and_evaluate(configure(**request), workdir)


def configure(argument, overrides, devices, nothing):
    """configs/fake.py's config, in one run without an end, an evaluation or a checkpoint."""
    config = runpy.run_path('configs/fake.py')['get_config'](argument)
    endless = dict.fromkeys(('steps', 'eval_every_epochs', 'save_every_epochs'), WITHOUT_END)
    plain = {'augment': 'none', 'augment_args': {}} if nothing else {}
    values = endless | {'log_every_steps': 50, 'num_devices': devices} | plain | overrides
    with config.unlocked():
        for key, value in values.items():
            *path, last = key.split('.')
            functools.reduce(lambda holder, part: holder[part], path, config)[last] = value
    return config


def compute_nothing():
    """Replaces the Wide ResNet by a network whose logits are one scalar parameter."""
    import flax.linen as nn
    import jax.numpy as jnp

    module = importlib.import_module('resizemix_jax.models.wide_resnet')

    class Scalar(nn.Module):
        classes: int

        @nn.compact
        def __call__(self, images, train):
            self.variable('batch_stats', 'unused', jnp.zeros, ())
            logit = self.param('logit', nn.initializers.zeros, ())
            return jnp.broadcast_to(logit, (len(images), self.classes))

    @functools.wraps(module.wide_resnet)
    def scalar(classes, **keywords):
        return Scalar(classes)

    module.wide_resnet = scalar


def stop_between_turns(protocol):
    """Lets every training batch of a split in memory wait until another turn is asked for."""
    folder = 'datasets' if importlib.util.find_spec('resizemix_jax.datasets') else 'data'
    fake = importlib.import_module(f'resizemix_jax.{folder}.fake').fake
    split = type(fake(train_size=1).read('train', ''))
    batch_of, turns, start = split.batch, 0, 0.0

    def batch(self, rows, draw):
        nonlocal turns, start
        if draw is not None and turns == 0:
            print(time.perf_counter() - start, file=protocol, flush=True)
            line = sys.stdin.readline()
            if not line:
                os._exit(0)  # nobody asks any more; nothing of this run is worth finishing
            turns, start = int(line), time.perf_counter()
        turns -= draw is not None
        return batch_of(self, rows, draw)

    split.batch = batch


if __name__ == '__main__':
    main()
