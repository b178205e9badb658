"""PuzzleMix (Kim et al., 2020): blocks of two images, chosen and moved so that salient ones are visible."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from resizemix_jax.mixing import _grid as grid
from resizemix_jax.mixing import _min_cut as min_cut
from resizemix_jax.mixing import _pairing as pairing
from resizemix_jax.mixing._op import mixing_op
from resizemix_jax.mixing._transport import arrange
from resizemix_jax.ranges import NOT_NEGATIVE, POSITIVE, Flag, Whole

NEEDS = ('saliency', 'std')

UNIT = 1000  # the integer that stands for an energy of 1 / b^2 in the cut
LEAST = 1e-4  # lower bound of a share before its logarithm


@mixing_op
def puzzlemix(
    key: Array,
    images: Array,
    labels: Array,
    *,
    saliency: Array | None = None,
    alpha: float = 1.0,
    beta: float = 1.2,
    gamma: float = 0.5,
    eta: float = 0.2,
    n_labels: int = 3,
    neigh: int = 4,
    transport: bool = True,
    t_eps: float = 0.8,
    t_size: int = -1,
    std: float | Array = 1.0,
    blocks: Sequence[int] = (2, 4, 8, 16),
) -> tuple[Array, Array]:
    """Every block shows the image that is more salient there, after salient blocks moved to visible places.

    Law:
        partner  a uniform permutation of the batch; fixed points are allowed.
        b        a grid of b x b equal blocks, b uniform over those of `blocks` that divide H and W, once a
                 batch: 2, 4, 8 or 16 at 32 and 224 pixels, 2 or 4 at 28.
        lam0     ~ Beta(alpha, alpha), once a batch, the intended source share.
        x        the source's share of every block, one of 0, 1 / (n - 1), .., 1 with n = n_labels, minimises
                     sum over blocks      (1 - x) s_source + x s_target + eta / b^2 * prior(x)
                   + sum over neighbours  beta' * gamma * D(x, x') + beta' * (x - x')^2
                 with beta' = beta / (16 b), and
                 s        the map's mean in the block, divided by the image's sum of means;
                 prior    of x = k / (n - 1): -log of the chance of k in Binomial(n - 1, lam0);
                 D        the mean difference, over channels and along the border, of the pixels in [0, 1],
                          averaged over neigh x neigh, that meet there, where each side is the target or the
                          source; between 0 and 1 as `border_costs` says.
        move     of each image, blocks move to places where it is visible (`_transport.arrange`), the target
                 to x < 1, the source to x > 0: whole blocks, or parts of `t_size` pixels
                 (`_grid.parts_to_move`).
        image    (1 - x) * moved target + x * moved source, with a block's x for all its pixels.
        lam      the mean of x, per image; not lam0.
        label    (1 - lam) * target + lam * source.
        always applied.

    Source: arXiv:2003.09590; snu-mllab/PuzzleMix mixup.py, whose lam and mask are the target's share. There
    gco searches x with alpha-beta swaps on the CPU, in units of 1 / (1000 b^2), truncated; here the same
    energy in the same units, rounded, has its exact minimum (`_min_cut`), and of several minima the one that
    shows least of the source. There 1e-8 is added within the logarithms; here lam0 is clipped to [1e-4, 1 -
    1e-4], which for 3 labels is the same bound. A border with a negative weight, which gamma > 1 can produce,
    is set to 0, since a minimum cut requires it. The public code takes square images only, and neigh and
    t_size that divide a block; here a part is the largest divisor of a block within these bounds (`_grid`).

    Args:
        key, images, labels: see the contract of `resizemix_jax.mixing`.
        saliency: float [B, H, W], >= 0. The method's own is `saliency.input_gradient`. A map that is 0 or not
            finite counts as uniform.
        alpha: > 0.
        beta, gamma, eta: >= 0, weights of the smoothness of x, the smoothness of the picture, and lam0.
        n_labels: 2 to 9.
        neigh: >= 1, pixels.
        transport: whether blocks move.
        t_eps: >= 0, the cost of moving.
        t_size: >= 1, pixels, or -1 for whole blocks.
        std: what the images in [0, 1] were divided by, one number or one a channel (the mean that was
            subtracted is not needed); 1.0 if they were not.
        blocks: whole numbers from 2 to 16.

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    POSITIVE.check(alpha=alpha)
    NOT_NEGATIVE.check(beta=beta, gamma=gamma, eta=eta, t_eps=t_eps)
    Whole(2, 9).check(n_labels=n_labels)
    Whole(1).check(neigh=neigh)
    Flag().check(transport=transport)
    check(images, saliency, std)
    sides = grid.grids(images, blocks)
    pieces = [grid.parts_to_move(images, side, t_size) for side in sides]
    key_partner, key_lam, key_side = jax.random.split(key, 3)
    partner = pairing.draw_partner(key_partner, images.shape[0])
    lam0 = pairing.draw_beta(key_lam, alpha, 1)[0]

    def mix(side, piece, images, saliency):
        share = source_share(
            images * jnp.asarray(std, jnp.float32), grid.block_means(saliency, side), partner, lam0,
            beta=beta, gamma=gamma, eta=eta, n_labels=n_labels, neigh=neigh,
        )  # fmt: skip
        if transport:
            target, source = move(
                images, saliency, partner, grid.upsample_blocks(share, (side * piece,) * 2), t_eps
            )
        else:
            target, source = images, images[partner]
        x = grid.upsample_blocks(share, images.shape[1:3])[..., None].astype(images.dtype)
        return (1 - x) * target + x * source, jnp.mean(share, axis=(1, 2))

    branches = [functools.partial(mix, side, piece) for side, piece in zip(sides, pieces, strict=True)]
    index = jax.random.randint(key_side, (), 0, len(branches))
    mixed, lam = lax.switch(index, branches, images, saliency)
    return mixed, pairing.mix_labels(labels, partner, lam)


def source_share(
    pixels: Array,
    worth: Array,
    partner: Array,
    lam0: Array,
    *,
    beta: float,
    gamma: float,
    eta: float,
    n_labels: int,
    neigh: int,
) -> Array:
    """The x of the law for a grid of b x b blocks, float32 [B, b, b].

    Args:
        pixels: float32 [B, H, W, C], in [0, 1] up to a constant.
        worth: float32 [B, b, b], each image's with sum 1.
        partner: int32 [B].
        lam0: float32 [].
        beta, gamma, eta, n_labels, neigh: see `puzzlemix`.
    """
    side = worth.shape[1]
    batch, height, width, channels = pixels.shape
    unit, smooth, most = UNIT * side**2, beta / (16 * side), n_labels - 1
    rows, cols = (
        size // side // grid.largest_divisor(size // side, neigh) * side for size in (height, width)
    )
    pooled = pixels.reshape(batch, rows, height // rows, cols, width // cols, channels).mean(axis=(2, 4))
    above, below, edge_down = border_costs(pooled, partner, side)
    first, second, edge_right = (a.swapaxes(1, 2) for a in border_costs(pooled.swapaxes(1, 2), partner, side))
    picture = jnp.zeros_like(worth).at[:, :-1].add(above).at[:, 1:].add(below)
    picture = picture.at[:, :, :-1].add(first).at[:, :, 1:].add(second)
    # Costs are times (n - 1)^2, so that those of the borders are weight * (difference of labels)^2.
    cost = most * unit * (worth - worth[partner] + smooth * gamma * picture)
    lam0 = jnp.clip(lam0, LEAST, 1 - LEAST)
    label = jnp.arange(most)
    prior = most**2 * UNIT * eta * (jnp.log1p(-lam0) - jnp.log(lam0) + jnp.log((label + 1) / (most - label)))
    steps = to_integers(cost).transpose(1, 2, 0) + to_integers(prior)[:, None, None, None]
    weights = (
        jnp.maximum(to_integers(unit * smooth * (1 + gamma * edge)), 0).transpose(1, 2, 0)
        for edge in (edge_down, edge_right)
    )
    return min_cut.cheapest_labels(steps, *weights).transpose(2, 0, 1) / jnp.float32(most)


def border_costs(pooled: Array, partner: Array, side: int) -> tuple[Array, Array, Array]:
    """The D of the law at the borders between a row of blocks and the next, as three terms.

    With D_ac for upper a and lower c, each target (0) or source (1):
    (1 - x) (1 - x') D_00 + (1 - x) x' D_01 + x (1 - x') D_10 + x x' D_11 is at 0 and 1, up to a constant,
    x * above + x' * below + (x - x')^2 * edge.

    Args:
        pooled: float32 [B, h, w, C], with h and w multiples of `side`.
        partner: int32 [B].
        side: b.

    Returns:
        above, below, edge: float32 [B, b - 1, b].
    """
    step = pooled.shape[1] // side
    upper, lower = pooled[:, step - 1 : -1 : step], pooled[:, step::step]

    def difference(a, c):
        between = jnp.mean(jnp.abs(a - c), axis=-1)
        return jnp.mean(between.reshape(*between.shape[:2], side, -1), axis=-1)

    d00 = difference(upper, lower)
    d01, d10, d11 = difference(upper, lower[partner]), difference(upper[partner], lower), d00[partner]
    return (d10 + d11 - d00 - d01) / 2, (d01 + d11 - d00 - d10) / 2, (d01 + d10 - d00 - d11) / 2


def to_integers(energy: Array) -> Array:
    """Rounded, int32; NaN is 0. Finite pixels in [0, 1] and 9 labels stay far below the limit."""
    limit = min_cut.LIMIT // 2
    return jnp.round(jnp.clip(jnp.nan_to_num(energy), -limit, limit)).astype(jnp.int32)


def move(images: Array, saliency: Array, partner: Array, share: Array, t_eps: float) -> tuple[Array, ...]:
    """The targets and their sources with their blocks moved; the grid is that of `share` [B, g, g]."""
    batch, side, _ = share.shape
    worth = grid.block_means(saliency, side)
    visible = jnp.concatenate([share < 1, share > 0])
    origin = arrange(visible, jnp.concatenate([worth, worth[partner]]), t_eps)
    rows = jnp.arange(batch), partner
    return tuple(grid.rearrange(images, row, o) for row, o in zip(rows, jnp.split(origin, 2), strict=True))


def check(images: Array, saliency: Array | None, std: float | Array) -> None:
    """Raises ValueError for a missing map, or a `std` that does not fit the images."""
    pairing.check_saliency(saliency, images, 'puzzlemix', 'input_gradient')
    if np.shape(std) not in ((), (images.shape[-1],)):
        raise ValueError(f'std={std} must be one number, or one for each of the {images.shape[-1]} channels')
