"""One whole training step, ready to be called again and again."""

import jax

from resizemix_jax import build, keys, train
from resizemix_jax.devices import parallel


def make_step(config, depth, width, batch):
    """A function that takes one step of a WRN-depth-width, forward, backward and update, on one device."""
    config.model_args.depth, config.model_args.width = depth, width
    config.batch_size, config.steps, config.num_devices = batch, 1000, 1
    run = build.open_run(build.plan(config))
    state = build.initial_state(run)
    key = parallel.place(keys.root(0), run.plan.devices)
    examples = parallel.shard(next(train.train_batches(run, 0)), run.plan.devices)

    def once():
        nonlocal state
        state, metrics = run.train_step(state, examples, key)
        return jax.block_until_ready(metrics)

    return once
