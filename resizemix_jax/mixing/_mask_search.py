"""SuperMix's search: gradient descent on masks until the teacher ranks the mixed classes first."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy

from resizemix_jax.mixing._op import vary_together

STEP_SIZES = (1e-4, 2000.0)
VARIANTS = ('released', 'symmetric')  # see `supermix`


class Problem(NamedTuple):
    """The images that are mixed, and the prediction that the teacher should make for the mixture.

    Attributes:
        chosen: int32 [B, k], the images of the batch that a row mixes; the first is its own.
        weights: float32 [B, k], of their classes in the target.
        sources: float32 [B, k, H, W, C], these images.
        target: float32 [B, K], a distribution over the classes; the search ends when those with a weight are
            ranked first.
    """

    chosen: jax.Array
    weights: jax.Array
    sources: jax.Array
    target: jax.Array


class Search(NamedTuple):
    """The state of the search.

    Attributes:
        logits: float32 [B, k, n, n], of the masks.
        loss: float32 [B], at these logits, and gradient: of each row's loss, of the shape of logits.
        answer: int32 [B], the class that the teacher predicts for the mixed image.
        finished: bool [B]; such a row no longer changes.
        steps: int32 [B], the number of steps that each row has taken.
    """

    logits: jax.Array
    loss: jax.Array
    gradient: jax.Array
    answer: jax.Array
    finished: jax.Array
    steps: jax.Array


def begin(teacher, problem, *, mask_size, lambda_s):
    """The first state, with equal masks. No row, a plain average here, is finished before its first step.

    Args:
        teacher: float32 [B, H, W, C] -> logits [B, K], each row independently (BatchNorm in evaluation mode).
        problem: `Problem`.
        mask_size: n.
        lambda_s: weight of the second term of the loss.
    """
    batch, count = problem.sources.shape[:2]
    logits = jnp.zeros((batch, count, mask_size, mask_size))
    finished, steps = jnp.zeros(batch, bool), jnp.zeros(batch, jnp.int32)
    # Inside shard_map, a gradient with respect to an array that is typed as equal on all devices is summed
    # over them.
    (logits, finished, steps), _ = vary_together(((logits, finished, steps), problem))
    loss, gradient, predicted = evaluate_loss(teacher, problem, logits, lambda_s)
    return Search(logits, loss, gradient, _top_class(predicted), finished, steps)


def advance(teacher, problem, search, *, sigma, lambda_s, variant):
    """One step of the unfinished rows, and the teacher's prediction after it."""
    direction = smooth(search.gradient, sigma, variant)
    slope = jnp.sum(search.gradient * direction, axis=(1, 2, 3))
    size = jnp.clip(jnp.abs(search.loss) / (slope + 1e-10), *STEP_SIZES)
    moved = search.logits - size[:, None, None, None] * direction
    logits = jnp.where(search.finished[:, None, None, None], search.logits, moved)
    loss, gradient, predicted = evaluate_loss(teacher, problem, logits, lambda_s)
    matched = target_is_top_k(predicted, problem.target)
    if variant == 'released':
        matched &= jnp.sum(problem.target > 0, axis=-1) == problem.weights.shape[-1]
    finished = search.finished | matched
    return Search(logits, loss, gradient, _top_class(predicted), finished, search.steps + ~search.finished)


def should_continue(search, *, max_iters, leftover):
    """Whether more than the share `leftover` of the rows is unfinished, and steps are left: bool []."""
    unfinished = ~search.finished
    return (jnp.sum(unfinished) > leftover * len(unfinished)) & (jnp.max(search.steps) < max_iters)


def evaluate_loss(teacher, problem, logits, lambda_s):
    """Each row's loss, its gradient, and the teacher's logits for the mixed images, float32 [B, K].

    The loss is KL(target || teacher) + lambda_s * mean |m (m - 1)|.
    """

    def total(logits):
        masks = make_masks(logits, *problem.sources.shape[2:4])
        predicted = teacher(blend(masks, problem.sources)).astype(jnp.float32)
        undecided = jnp.mean(jnp.abs(masks * (masks - 1)), axis=(1, 2, 3))
        loss = divergence(problem.target, predicted) + lambda_s * undecided
        # Rows are independent, so the gradient of the sum is that of each row's own loss.
        return jnp.sum(loss), (loss, predicted)

    (_, (loss, predicted)), gradient = jax.value_and_grad(total, has_aux=True)(logits)
    return loss, gradient, predicted


def make_masks(logits, height, width):
    """[B, k, n, n] -> float32 [B, k, height, width], in (0, 1), with sum 1 over the k.

    Bilinear with half-pixel centres, edges repeated; then sigmoid(a_j) / sum sigmoid(a), computed from
    logarithms.
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


def target_is_top_k(logits, target):
    """Whether the classes of the target have the highest logits: bool [B]."""
    wanted = target > 0
    lowest = jnp.min(jnp.where(wanted, logits, jnp.inf), axis=-1)
    return lowest > jnp.max(jnp.where(wanted, -jnp.inf, logits), axis=-1)


def smooth(maps, sigma, variant):
    """Gaussian smoothing of [..., n, n], zeros outside.

    'symmetric': the kernel is not cut. So the matrix is symmetric and positive definite, and a step against
    the smoothed gradient reduces the loss. 'released': int(5 sigma) taps; if they are even, output i is
    centred at i + 1/2.
    """
    at = jnp.arange(maps.shape[-1])
    apart = at - at[:, None]  # of the input from the output
    if variant == 'released':
        taps = int(5 * sigma)
        sigma = taps / 5
        reach = jnp.arange(taps) - (taps - 1) // 2
        inside, middle = (apart >= reach[0]) & (apart <= reach[-1]), (taps + 1) % 2 / 2
    else:
        reach = jnp.arange(-int(8 * sigma) - 1, int(8 * sigma) + 2)
        inside, middle = True, 0
    kernel = jnp.where(inside, jnp.exp(-0.5 * ((apart - middle) / sigma) ** 2), 0)
    kernel /= jnp.sum(jnp.exp(-0.5 * ((reach - middle) / sigma) ** 2))
    return jnp.einsum('ij,...jk,lk->...il', kernel, maps, kernel, precision='highest')


def _top_class(predicted):
    return jnp.argmax(predicted, axis=-1).astype(jnp.int32)
