"""The training step and the evaluation step: pure functions of arrays, written once for any task.

Both see one device's share of the batch; `parallel.data_parallel` runs them on all devices.
"""

import jax
import jax.numpy as jnp
import optax
from jax import lax

from resizemix_jax import freeze, keys
from resizemix_jax.devices import parallel


def make_train_step(task, tx, *, steps, log_every, micro_batches=1, frozen=(), offset=0):
    """The step (state, batch, key) -> (state, metrics).

    Args:
        task: see `resizemix_jax.tasks`.
        tx: `optax.GradientTransformation`.
        steps: of the whole run.
        log_every: `state.metrics` restarts after every `log_every` steps.
        micro_batches: > 1 accumulates the gradient over so many parts of the device's batch, one after
            the other, to save memory. Augmentation and mixing still see the whole of it, so the step is
            the same but for random draws in the network and BatchNorm, which normalises each part by its
            own statistics. The running statistics move once a step, by the mean of the parts' statistics.
        frozen: patterns of the parameters that stay as they are, see `resizemix_jax.freeze`.
        offset: of the run, see `run.position`.

    Returns:
        train_step(state, batch, key), where
            state    `state.TrainState` with `step` = k;
            batch    name -> array [B / devices, ...];
            key      the run's training key, the same at every step;
        giving the state with `step` = k + 1 and the step's metrics, float32 [], equal on all devices.
    """

    def gradient_update(state, batch, key, tx):
        with freeze.fixed_statistics(frozen):
            progress = (state.step - offset) / steps
            examples = task.prepare(
                state.params, state.batch_stats, batch, keys.stream(key, 'prepare'), progress
            )
            local = _gradient(task, state, examples, keys.stream(key, 'model'), micro_batches, frozen)
        # The gradient of the mean over devices: each differentiates its own loss, then they average.
        grads, batch_stats, metrics = parallel.mean(local)
        trainable, fixed = freeze.split(state.params, frozen)
        updates, opt_state = tx.update(grads, state.opt_state, trainable)
        params = freeze.merge(optax.apply_updates(trainable, updates), fixed)
        return state.replace(params=params, batch_stats=batch_stats, opt_state=opt_state), metrics

    update = getattr(task, 'update', gradient_update)

    def train_step(state, batch, key):
        key = parallel.device_key(keys.at_step(key, state.step))
        updated, metrics = update(state, batch, key, tx)
        fresh = state.step % log_every == 0
        sums = jax.tree.map(
            lambda old, new: jnp.where(fresh, 0.0, old) + new, state.metrics, metrics | {'steps': 1.0}
        )
        return updated.replace(step=state.step + 1, metrics=sums), metrics

    return train_step


def make_eval_step(task, predict=False):
    """The step (state, batch) -> (sums, rows), equal on all devices.

    `sums`: the task's sums over the batch's valid examples of all devices, and their number as 'examples';
    `rows`: {}, or the task's rows of the whole batch, with 'row' and 'valid' of the batch.

    Args:
        predict: the rows also have the task's 'logits' and the batch's 'label'.
    """

    def eval_step(state, batch):
        sums, rows = task.measure(state.params, state.batch_stats, batch)
        if predict:  # the compiler joins it with the network's pass of `measure`
            logits = task.logits(state.params, state.batch_stats, batch['images'])
            rows = rows | {'logits': logits.astype(jnp.float32), 'label': batch['label']}
        sums = parallel.total(sums | {'examples': jnp.sum(batch['valid'])})
        if rows:
            rows = parallel.gather(rows | {'row': batch['row'], 'valid': batch['valid']})
        return sums, rows

    return eval_step


def make_epoch_end(task):
    """The step (state, sums, key) -> state of a task that has `epoch_end`, else None."""
    return getattr(task, 'epoch_end', None)


def _gradient(task, state, examples, key, micro_batches, frozen):
    """(gradient, batch_stats, metrics) of this device's examples, in `micro_batches` parts."""
    trainable, fixed = freeze.split(state.params, frozen)

    def loss(trainable, *rest):
        return task.loss(freeze.merge(trainable, fixed), *rest)

    gradient = jax.grad(loss, has_aux=True)
    if micro_batches == 1:
        grads, (batch_stats, metrics) = gradient(trainable, state.batch_stats, examples, key)
        return grads, batch_stats, metrics

    def part(totals, inputs):
        index, examples = inputs
        grads, (updated, metrics) = gradient(trainable, state.batch_stats, examples, keys.at_step(key, index))
        moves = jax.tree.map(jnp.subtract, updated, state.batch_stats)
        return jax.tree.map(jnp.add, totals, (grads, moves)), metrics

    parts = jax.tree.map(lambda a: a.reshape(micro_batches, -1, *a.shape[1:]), examples)
    start = jax.tree.map(jnp.zeros_like, (trainable, state.batch_stats))
    totals, metrics = lax.scan(part, start, (jnp.arange(micro_batches), parts))
    grads, moves = jax.tree.map(lambda total: total / micro_batches, totals)
    # Sums of moves, so that frozen statistics, which do not move, keep their bits.
    batch_stats = jax.tree.map(jnp.add, state.batch_stats, moves)
    return grads, batch_stats, jax.tree.map(jnp.mean, metrics)
