"""One whole training step, ready to be called again and again."""

import jax

from resizemix_jax import build, keys
from resizemix_jax.devices import parallel
from resizemix_jax.input import pipeline


def make_step(config, depth, width, batch):
    """A function that takes one step of a WRN-depth-width, forward, backward and update, on one device."""
    config.model_args.depth, config.model_args.width = depth, width
    config.batch_size, config.steps, config.num_devices = batch, 1000, 1
    run = build.open_run(build.plan(config))
    state, step = build.initial_state(run), build.train_step(run)
    key = parallel.place(keys.root(0), run.plan.devices)
    examples = parallel.shard(pipeline.train_batch(run.train, batch, 0, 0), run.plan.devices)

    def once():
        nonlocal state
        state, metrics = step(state, examples, key)
        return jax.block_until_ready(metrics)

    return once
