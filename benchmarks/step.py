"""The cost of the loop around the network: data, augmentation, mixing, optimiser, checks and logging.

    python -m benchmarks.step [--depth=16 --width=4 --batch=32 --turns=3 --rounds=8] [--before=CHECKOUT]

Prints the time of the whole loop over the time of the bare forward and backward pass of the same network
on the same batch, and the share of ResizeMix in the operations of WRN-28-10's step, as XLA counts them. With
--before, instead, the time of the whole loop of this checkout over that of another one, in paired rounds, for
several ways of training.
"""

import functools
import pathlib
import tempfile

import jax
import jax.numpy as jnp

from benchmarks import _checkouts as checkouts
from benchmarks import _timing as timing
from configs import fake
from resizemix_jax import build, train
from resizemix_jax.find import find
from resizemix_jax.run.writers import Writer

# What is compared with another checkout: a title -> argument of configs/fake.py and overrides.
WAYS = {
    'no augmentation': ('mixing=none', {'augment': 'none', 'augment_args': {}}),
    'resizemix': ('mixing=resizemix', {}),
    'randaugment and smooth resizemix per sample': (
        'mixing=resizemix',
        {
            'policy': 'randaugment',
            'mixing_args': {'per': 'sample', 'method': 'linear'},
        },
    ),
    'puzzlemix': (
        'mixing=puzzlemix',
        {'saliency': 'input_gradient', 'saliency_mode': 'eval'},
    ),
}


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
        'labels': jax.nn.one_hot(jnp.arange(batch), run.plan.dataset.num_classes),
    }
    gradient = jax.jit(jax.value_and_grad(task.loss, has_aux=True))
    return lambda: gradient(state.params, state.batch_stats, examples, jax.random.key(0))


def time_loop(depth, width, batch, turns, rounds):
    """Prints the loop's time over the bare network's."""
    run = make_run(depth, width, batch)
    once = bare(run)
    with tempfile.TemporaryDirectory() as workdir, Writer(pathlib.Path(workdir), 0, run.steps) as writer:
        loop, batches = train.Loop(run, None, writer, None), train.train_batches(run, 0)
        state, metrics, step = build.initial_state(run), None, 0

        def whole():
            nonlocal state, metrics, step
            for _ in range(turns):
                state, metrics = loop.advance(state, metrics, step, batches)
                step += 1
            loop.log_step(state, metrics, step)

        seconds = timing.rounds(
            {'bare': lambda: [jax.block_until_ready(once()) for _ in range(turns)], 'loop': whole}, rounds
        )
    middle, low, high = timing.ratio(seconds, 'loop', 'bare')
    print(f'WRN-{depth}-{width}, batch {batch}, {timing.machine()}, {rounds} rounds of {turns} turns')
    print(f'whole loop / bare forward and backward: {middle:.3f} (quartiles {low:.3f}-{high:.3f})')


def count_operations(depth, width, batch):
    """Prints ResizeMix's floating-point operations over those of the whole step."""
    run = make_run(depth, width, batch)
    images = jax.ShapeDtypeStruct((batch, 32, 32, 3), jnp.float32)
    labels = jax.ShapeDtypeStruct((batch, 100), jnp.float32)
    key = jax.eval_shape(jax.random.key, 0)
    variables = jax.eval_shape(run.plan.task.init, key)
    gradient = jax.jit(jax.value_and_grad(run.plan.task.loss, has_aux=True))
    examples = {'images': images, 'labels': labels}
    step = gradient.lower(variables['params'], variables['batch_stats'], examples, key)
    total = step.cost_analysis()['flops']
    for per in ('batch', 'sample'):
        mix = jax.jit(functools.partial(find('mixing', 'resizemix'), per=per))
        flops = mix.lower(key, images, labels).cost_analysis()['flops']
        share = f'{flops:.3g} of {total:.3g} FLOP ({flops / total:.1e})'
        print(f'WRN-{depth}-{width}, batch {batch}: resizemix per {per} {share}')


def compare(args):
    """Prints the loop's time in this checkout over that in another one."""
    compared = {'before': args.before, 'after': str(checkouts.ROOT)}
    print(f'WRN-{args.depth}-{args.width}, batch {args.batch}, {timing.machine()}')
    network = {'model_args.depth': args.depth, 'model_args.width': args.width, 'batch_size': args.batch}
    for title, (argument, overrides) in WAYS.items():
        times = checkouts.compare(
            compared,
            args.turns,
            args.rounds,
            argument=argument,
            overrides=overrides | network | {'dataset_args.train_size': 50 * args.batch},
            devices=1,
        )
        checkouts.print_comparison(title, times)


def main(argv=None):
    smallest = dict(depth=10, width=1, batch=2, turns=1, rounds=1)
    args = timing.arguments(
        __doc__, argv, smallest, depth=16, width=4, batch=32, turns=3, rounds=8, before=''
    )
    size = args.depth, args.width, args.batch
    if args.before:
        compare(args)
        return
    count_operations(*(size if args.smallest else (28, 10, 256)))
    time_loop(*size, args.turns, args.rounds)


if __name__ == '__main__':
    main()
