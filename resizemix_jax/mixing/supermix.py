"""SuperMix (Dabouei et al., 2021): a teacher decides which pixels of which image are kept.

`supermix` is the op. Its parts are public for a program that runs the search step by step
(--mode=generate): `check_numbers` and `check_classes`, then `draw_problem`, `begin`, `advance` while
`should_continue`, and `mixed`.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from resizemix_jax.mixing._mask_search import (
    VARIANTS,
    Problem,
    Search,
    advance,
    begin,
    mixed,
    should_continue,
)
from resizemix_jax.mixing._op import mixing_op
from resizemix_jax.ranges import NOT_NEGATIVE, POSITIVE, Choice, Number, Whole

__all__ = (
    'supermix', 'Problem', 'Search', 'draw_problem', 'begin', 'advance', 'should_continue', 'mixed',
    'draw_sources', 'check_teacher', 'check_classes', 'check_numbers',
    'check_ranges',
)  # fmt: skip

NEEDS = ('teacher',)


@mixing_op
def supermix(
    key: Array,
    images: Array,
    labels: Array,
    *,
    teacher: Callable[[Array], Array] | None = None,
    k: int = 2,
    alpha: float = 3.0,
    mask_size: int = 8,
    sigma: float = 1.0,
    lambda_s: float = 25.0,
    max_iters: int = 50,
    leftover: float = 0.7,
    variant: str = 'released',
) -> tuple[Array, Array]:
    """Mixes k images by masks that are optimised until the teacher predicts the class of each.

    Law:
        sources  the batch is shuffled; an image is mixed with the k - 1 that follow it, around the end.
        weights  w ~ Dirichlet(alpha, ..., alpha) over the k sources, independently per image.
        target   sum_j w_j * onehot(the teacher's argmax for source j): its classes, not the labels.
        masks    k maps of mask_size x mask_size logits, 0 at first; bilinear to H x W, sigmoid, divided by
                 their sum over the k. So they are in (0, 1) and sum to 1 at every pixel.
        image    sum_j m_j * x_j, in float32; no clipping.
        loss     f = KL(target || teacher(image)) + lambda_s * mean |m (m - 1)|, the mean over the masks'
                 pixels at H x W and the k; one loss per image.
        step     logits -= clip(|f| / (<g, S g> + 1e-10), 1e-4, 2000) * S g; g the gradient of f with
                 respect to the logits, S a Gaussian of width sigma, in cells of the logits, with zeros
                 outside: the step at which a linear f reaches 0. One step size per image.
        S        'released': cut to int(5 sigma) taps on each axis, then divided by its sum. An even number
                 of taps, as of sigma 2, is centred half a cell to the lower right. 'symmetric': not cut.
        finished an image is finished, and no longer changes, once a step has made the teacher's k highest
                 classes those of the target. Sources that share a class make the target's set smaller:
                 'released': such an image is never finished. 'symmetric': the set is compared with as many
                 of the teacher's highest classes.
        end      when at most the share `leftover` of the batch is unfinished, or after max_iters steps.
        label    finished: sum_j w_j * labels of source j. Unfinished: image and label stay as they were.

    Source: arXiv:2003.05034; alldbi/SuperMix supermix.py, an offline generator, whose images are labelled
    with the teacher's argmax: --mode=generate does that. As an op it runs in every step, and costs a forward
    and a backward pass of the teacher for every step of the search. What the paper leaves open (the border
    and the cells of S, one f and one step size per image, no image finished before its first step) is as in
    that code. There the set of a target with a shared class is filled up with an arbitrary class, so that the
    teacher matches it by accident only; here never. variant='symmetric' is what version 0.1 did. The
    published 0.7 ends a search early: more than half of a batch can stay unmixed. `leftover=0.0` searches for
    all of them, but with 'released' never ends early if a row shares a class.

    No gradient: the search is a `lax.while_loop`, through which jax.grad raises ValueError. A training needs
    none, since the parameters that it moves come after the op.

    Args:
        key, images, labels: see the contract of `resizemix_jax.mixing`.
        teacher: images float32 [B, H, W, C] -> logits [B, K], a trained network in evaluation mode, whose
            rows do not depend on each other.
        k: number of images that are mixed, 2 to 64.
        alpha: > 0.
        mask_size: 1..min(H, W); published: 8 for CIFAR, 16 for ImageNet.
        sigma: > 0; published: 1 for CIFAR, 2 for ImageNet.
        lambda_s: >= 0.
        max_iters: >= 1.
        leftover: share of the batch, in [0, 1).
        variant: 'released' or 'symmetric', of S and of the rule for shared classes.

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    teacher = check_teacher(teacher, images, labels)
    check_numbers(
        images.shape, k=k, alpha=alpha, mask_size=mask_size, sigma=sigma, lambda_s=lambda_s,
        max_iters=max_iters, leftover=leftover, variant=variant,
    )  # fmt: skip
    problem = draw_problem(key, images, teacher, k=k, alpha=alpha)
    start = begin(teacher, problem, mask_size=mask_size, lambda_s=lambda_s)
    found = lax.while_loop(
        functools.partial(should_continue, max_iters=max_iters, leftover=leftover),
        functools.partial(advance, teacher, problem, sigma=sigma, lambda_s=lambda_s, variant=variant),
        start,
    )
    mixed_images = mixed(problem, found.logits).astype(images.dtype)
    mixed_labels = jnp.einsum('bk,bkc->bc', problem.weights, labels[problem.chosen], precision='highest')
    mixed_images = jnp.where(found.finished[:, None, None, None], mixed_images, images)
    return mixed_images, jnp.where(found.finished[:, None], mixed_labels, labels)


def draw_problem(
    key: Array, images: Array, teacher: Callable[[Array], Array], *, k: int, alpha: float
) -> Problem:
    """Draws the sources, weights and targets by the law of `supermix`: a `Problem`."""
    key_order, key_weights = jax.random.split(key)
    chosen = draw_sources(key_order, images.shape[0], k)
    weights = jax.random.dirichlet(key_weights, jnp.full(k, alpha), (images.shape[0],))
    images = images.astype(jnp.float32)
    logits = teacher(images)
    predicted = jax.nn.one_hot(jnp.argmax(logits, axis=-1), logits.shape[-1])
    target = jnp.einsum('bk,bkc->bc', weights, predicted[chosen], precision='highest')
    return Problem(chosen, weights, images[chosen], target)


def draw_sources(key: Array, batch: int, k: int) -> Array:
    """The images that are mixed, int32 [B, k]: each one and the k - 1 that follow it in a random order."""
    order = jax.random.permutation(key, batch)
    place = jnp.argsort(order)
    return order[(place[:, None] + jnp.arange(k)) % batch]


def check_teacher(
    teacher: Callable[[Array], Array] | None, images: Array, labels: Array
) -> Callable[[Array], Array]:
    """The teacher; ValueError unless there is one whose logits have the shape of the labels."""
    if teacher is None:
        raise ValueError(
            'supermix needs teacher, a function from images to the logits of a trained network. '
            'With the command, train one, mix its images with --mode=generate, and train on those'
        )
    check_classes(labels.shape[-1])
    got = jax.eval_shape(teacher, jax.ShapeDtypeStruct(images.shape, jnp.float32)).shape
    if got != labels.shape:
        raise ValueError(f'the teacher gives logits {list(got)}; the labels need {list(labels.shape)}')
    return teacher


def check_classes(classes: int) -> None:
    """Raises ValueError for fewer than 2."""
    if classes < 2:
        raise ValueError(f'labels of {classes} class cannot be mixed; at least 2 classes are needed')


def check_numbers(shape: Sequence[int], *, mask_size: int, **numbers: Any) -> None:
    """Raises ValueError for the first value out of range, for images [B, H, W, C] of `shape`."""
    check_ranges(mask_size=mask_size, **numbers)
    if mask_size > min(shape[1:3]):
        raise ValueError(
            f'mask_size={mask_size} must be in 1..{min(shape[1:3])}: masks are upsampled to '
            f'{shape[1]} x {shape[2]}'
        )


def check_ranges(
    *,
    k: int,
    alpha: float,
    mask_size: int,
    sigma: float,
    lambda_s: float,
    max_iters: int,
    leftover: float,
    variant: str,
) -> None:
    """Raises ValueError for the first number that is out of range for images of any size."""
    Whole(2, 64).check(k=k)
    Choice(*VARIANTS).check(variant=variant)
    POSITIVE.check(alpha=alpha)
    # The released kernel has int(5 sigma) taps.
    (Number(0.2) if variant == 'released' else POSITIVE).check(sigma=sigma)
    Whole(1).check(mask_size=mask_size, max_iters=max_iters)  # no image is finished before its first step
    NOT_NEGATIVE.check(lambda_s=lambda_s)
    Number(0, 1, '[)').check(leftover=leftover)
