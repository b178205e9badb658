"""The optimiser: SGD with momentum as torch has it, and its learning-rate schedule."""

import jax
import jax.numpy as jnp
import optax


def learning_rate(steps, *, lr, warmup_steps=0, warmup_lr=1e-5, final_lr=0.0):
    """The schedule: a linear warm-up, then half a cosine, a value for every step.

    step < warmup_steps:  warmup_lr + (lr - warmup_lr) * step / warmup_steps
    otherwise:            final_lr + (lr - final_lr) * (1 + cos(pi * t)) / 2,
                          t = (step - warmup_steps) / (steps - warmup_steps)

    Args:
        steps: of the whole run, > warmup_steps.
        lr: the peak.
        warmup_lr, final_lr: where the warm-up starts and the cosine ends.

    Returns:
        step (int or int32 []) -> float32 [].

    Raises:
        ValueError: a number that cannot be.
    """
    if not lr > 0:
        raise ValueError(f'optimizer.lr={lr} must be > 0')
    if not 0 <= warmup_steps < steps:
        raise ValueError(f'a warm-up of {warmup_steps} steps does not fit a run of {steps}')

    def schedule(step):
        step = jnp.asarray(step, jnp.float32)
        warm = warmup_lr + (lr - warmup_lr) * step / max(warmup_steps, 1)
        part = (step - warmup_steps) / (steps - warmup_steps)
        cosine = final_lr + (lr - final_lr) * (1 + jnp.cos(jnp.pi * part)) / 2
        return jnp.where(step < warmup_steps, warm, cosine)

    return schedule


def sgd(schedule, *, momentum=0.9, nesterov=True, weight_decay=0.0, decay='all'):
    """gradient + weight_decay * parameter, then momentum, then the learning rate: torch's SGD.

    Args:
        schedule: step -> learning rate.
        momentum, weight_decay: >= 0.
        decay: 'all' decays every parameter, as torch does for model.parameters() and as all the compared
            code but FastAA's family does; 'kernels' spares biases and BatchNorm (arrays of rank <= 1).

    Returns:
        An `optax.GradientTransformation`.

    Raises:
        ValueError: a number or word that cannot be.
    """
    if decay not in ('all', 'kernels'):
        raise ValueError(f"optimizer.decay={decay!r} must be 'all' or 'kernels'")
    if not 0 <= momentum < 1:
        raise ValueError(f'optimizer.momentum={momentum} must be in [0, 1)')
    if not weight_decay >= 0:
        raise ValueError(f'optimizer.weight_decay={weight_decay} must be >= 0')
    if nesterov and not momentum:
        raise ValueError('optimizer.nesterov=True needs optimizer.momentum > 0')
    mask = None if decay == 'all' else lambda params: jax.tree.map(lambda p: p.ndim > 1, params)
    return optax.chain(
        optax.add_decayed_weights(weight_decay, mask=mask),
        optax.trace(momentum, nesterov=nesterov),
        optax.scale_by_learning_rate(schedule),
    )
