"""SuperMix's search: masks that descend until the teacher sees, first of all, the classes that are mixed."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy

from resizemix_jax.mixing._op import vary_together

STEP_SIZES = (1e-4, 2000.0)


class Problem(NamedTuple):
    """What is mixed, and what the teacher is to see in it.

    Attributes:
        chosen: int32 [B, k], the images of the batch that a row mixes; the first is its own.
        weights: float32 [B, k], of their classes in the target.
        sources: float32 [B, k, H, W, C], these images.
        target: float32 [B, K], a distribution; the classes with a weight are the ones to be seen.
    """

    chosen: jax.Array
    weights: jax.Array
    sources: jax.Array
    target: jax.Array


class Search(NamedTuple):
    """Where the search stands.

    Attributes:
        logits: float32 [B, k, n, n], of the masks.
        loss: float32 [B], at these logits, and gradient: of each row's loss, of the shape of logits.
        answer: int32 [B], the class that the teacher gives to the mixed image.
        finished: bool [B]; such a row moves no more.
        steps: int32 [B], that each row has gone.
    """

    logits: jax.Array
    loss: jax.Array
    gradient: jax.Array
    answer: jax.Array
    finished: jax.Array
    steps: jax.Array


def begin(teacher, problem, *, mask_size, lambda_s):
    """Equal masks. No row is finished before its first step, so none is a plain average.

    Args:
        teacher: float32 [B, H, W, C] -> logits [B, K], each row by itself (BatchNorm in evaluation mode).
        problem: `Problem`.
        mask_size: n.
        lambda_s: weight of the second term of the loss.
    """
    batch, count = problem.sources.shape[:2]
    logits = jnp.zeros((batch, count, mask_size, mask_size))
    finished, steps = jnp.zeros(batch, bool), jnp.zeros(batch, jnp.int32)
    # Inside shard_map, the gradient by an array that is typed as equal on all devices is a sum over them.
    (logits, finished, steps), _ = vary_together(((logits, finished, steps), problem))
    loss, gradient, seen = look(teacher, problem, logits, lambda_s)
    return Search(logits, loss, gradient, _answer(seen), finished, steps)


def advance(teacher, problem, search, *, sigma, lambda_s):
    """One step of the rows that are not finished, and the teacher's look at where it led."""
    direction = smooth(search.gradient, sigma)
    slope = jnp.sum(search.gradient * direction, axis=(1, 2, 3))
    size = jnp.clip(jnp.abs(search.loss) / (slope + 1e-10), *STEP_SIZES)
    moved = search.logits - size[:, None, None, None] * direction
    logits = jnp.where(search.finished[:, None, None, None], search.logits, moved)
    loss, gradient, seen = look(teacher, problem, logits, lambda_s)
    finished = search.finished | sees(seen, problem.target)
    return Search(logits, loss, gradient, _answer(seen), finished, search.steps + ~search.finished)


def goes_on(search, *, max_iters, leftover):
    """Whether more than `leftover` of the rows is unfinished, and has steps left: bool []."""
    unfinished = ~search.finished
    return (jnp.sum(unfinished) > leftover * len(unfinished)) & (jnp.max(search.steps) < max_iters)


def look(teacher, problem, logits, lambda_s):
    """Each row's loss, its gradient, and the teacher's logits for the mixed images, float32 [B, K].

    The loss is KL(target || teacher) + lambda_s * mean |m (m - 1)|.
    """

    def total(logits):
        masks = make_masks(logits, *problem.sources.shape[2:4])
        seen = teacher(blend(masks, problem.sources)).astype(jnp.float32)
        undecided = jnp.mean(jnp.abs(masks * (masks - 1)), axis=(1, 2, 3))
        loss = divergence(problem.target, seen) + lambda_s * undecided
        return jnp.sum(loss), (loss, seen)  # rows are independent: the sum's gradient is each row's own

    (_, (loss, seen)), gradient = jax.value_and_grad(total, has_aux=True)(logits)
    return loss, gradient, seen


def make_masks(logits, height, width):
    """[B, k, n, n] -> float32 [B, k, height, width], in (0, 1), with sum 1 over the k.

    Bilinear with half-pixel centres, edges repeated; then sigmoid(a_j) / sum sigmoid(a), by logarithms.
    """
    large = jax.image.resize(logits, (*logits.shape[:2], height, width), 'linear', antialias=False)
    return jax.nn.softmax(jax.nn.log_sigmoid(large), axis=1)


def blend(masks, sources):
    """The sum of the masked sources: float32 [B, H, W, C]."""
    return jnp.sum(masks[..., None] * sources, axis=1)


def mixed(problem, logits):
    """The mixed images that these logits give, float32 [B, H, W, C]."""
    return blend(make_masks(logits, *problem.sources.shape[2:4]), problem.sources)


def divergence(target, logits):
    """KL(target || softmax(logits)): float32 [B]."""
    return jnp.sum(xlogy(target, target) - target * jax.nn.log_softmax(logits), axis=-1)


def sees(logits, target):
    """Whether the highest logits are those of the target's classes, as many as it has: bool [B]."""
    wanted = target > 0
    lowest = jnp.min(jnp.where(wanted, logits, jnp.inf), axis=-1)
    return lowest > jnp.max(jnp.where(wanted, -jnp.inf, logits), axis=-1)


def smooth(maps, sigma):
    """Gaussian smoothing of [..., n, n], zeros outside.

    The kernel is not cut off. So the matrix is symmetric and positive definite, and against a smoothed
    gradient the loss descends.
    """
    at = jnp.arange(maps.shape[-1])
    kernel = jnp.exp(-0.5 * ((at[:, None] - at) / sigma) ** 2)
    reach = jnp.arange(-int(8 * sigma) - 1, int(8 * sigma) + 2)
    kernel /= jnp.sum(jnp.exp(-0.5 * (reach / sigma) ** 2))
    return jnp.einsum('ij,...jk,kl->...il', kernel, maps, kernel, precision='highest')


def _answer(seen):
    return jnp.argmax(seen, axis=-1).astype(jnp.int32)
