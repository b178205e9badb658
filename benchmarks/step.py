"""What the loop adds to the network: data, augmentation, mixing, optimiser, checks and logging.

    python -m benchmarks.step [--depth=16 --width=4 --batch=32 --steps=3 --rounds=8]

Prints the time of the whole loop over the time of the bare forward and backward pass of the same network
on the same batch, and the share of ResizeMix in the operations of WRN-28-10's step, as XLA counts them.
"""

import functools
import pathlib
import tempfile

import jax
import jax.numpy as jnp

from benchmarks import timing
from configs import fake
from resizemix_jax import build, train
from resizemix_jax.find import find
from resizemix_jax.run.writers import Writer


def make_run(depth, width, batch):
    config = fake.get_config()
    config.model_args.depth, config.model_args.width = depth, width
    config.batch_size, config.steps, config.log_every_steps = batch, 1000, 10
    config.dataset_args.train_size = 50 * batch
    config.num_devices = 1
    return build.open_run(build.plan(config))


def bare(run):
    """The network's loss and gradient on one ready batch, and nothing else."""
    task = run.plan.task
    state = build.initial_state(run)
    batch = run.plan.config.batch_size
    examples = {
        'images': jax.random.normal(jax.random.key(0), (batch, *run.plan.dataset.image_shape)),
        'labels': jnp.eye(batch, run.plan.dataset.num_classes, dtype=jnp.float32),
    }
    gradient = jax.jit(jax.value_and_grad(task.loss, has_aux=True))
    return lambda: gradient(state.params, state.batch_stats, examples, jax.random.key(0))


def time_loop(depth, width, batch, steps, rounds):
    run = make_run(depth, width, batch)
    once = bare(run)
    with tempfile.TemporaryDirectory() as workdir, Writer(pathlib.Path(workdir), 0, run.steps) as writer:
        loop = train.Loop(run, None, writer, None)
        state, metrics, step = build.initial_state(run), None, 0

        def whole():
            nonlocal state, metrics, step
            for _ in range(steps):
                state, metrics = loop.advance(state, metrics, step)
                step += 1
            loop.log_step(state, metrics, step)

        seconds = timing.rounds(
            {'bare': lambda: [jax.block_until_ready(once()) for _ in range(steps)], 'loop': whole}, rounds
        )
    middle, low, high = timing.ratio(seconds, 'loop', 'bare')
    print(f'WRN-{depth}-{width}, batch {batch}, {timing.machine()}, {rounds} rounds of {steps} steps')
    print(f'whole loop / bare forward and backward: {middle:.3f} (quartiles {low:.3f}-{high:.3f})')


def count_operations():
    """ResizeMix's floating-point operations over those of the whole step, WRN-28-10, batch 256."""
    run = make_run(28, 10, 256)
    images = jax.ShapeDtypeStruct((256, 32, 32, 3), jnp.float32)
    labels = jax.ShapeDtypeStruct((256, 100), jnp.float32)
    key = jax.eval_shape(jax.random.key, 0)
    task = run.plan.task
    variables = jax.eval_shape(task.init, key)
    examples = {'images': images, 'labels': labels}
    gradient = jax.jit(jax.value_and_grad(task.loss, has_aux=True))
    step = gradient.lower(variables['params'], variables['batch_stats'], examples, key)
    total = step.cost_analysis()['flops']
    for per in ('batch', 'sample'):
        mix = jax.jit(functools.partial(find('mixing', 'resizemix'), per=per))
        flops = mix.lower(key, images, labels).cost_analysis()['flops']
        print(f'WRN-28-10, batch 256: resizemix {per} {flops:.3g} of {total:.3g} FLOP ({flops / total:.1e})')


def main():
    args = timing.arguments(depth=16, width=4, batch=32, steps=3, rounds=8)
    count_operations()
    time_loop(**vars(args))


if __name__ == '__main__':
    main()
