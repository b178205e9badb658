"""PuzzleMix (Kim et al., 2020): blocks of two images, chosen and moved so that what is salient is seen."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from resizemix_jax.mixing import _min_cut as min_cut
from resizemix_jax.mixing import _pairing as pairing
from resizemix_jax.mixing._grid import block_means, grids, part, parts_to_move, rearrange, spread
from resizemix_jax.mixing._op import mixing_op
from resizemix_jax.mixing._transport import arrange

NEEDS = ('saliency', 'std')

UNIT = 1000  # what an energy of 1 / b^2 is in the integers of the cut
LEAST = 1e-4  # the least share whose logarithm is taken


@mixing_op
def puzzlemix(
    key, images, labels, *, saliency=None, alpha=1.0, beta=1.2, gamma=0.5, eta=0.2, n_labels=3, neigh=4,
    transport=True, t_eps=0.8, t_size=-1, std=1.0, blocks=(2, 4, 8, 16),
):  # fmt: skip
    """Every block shows the image that is more salient there, after salient blocks moved to where they show.

    Law:
        partner  a uniform permutation of the batch; fixed points are allowed.
        b        a grid of b x b equal blocks, b uniform over those of `blocks` that divide H and W, once a
                 batch: 2, 4, 8 or 16 at 32 and 224 pixels, 2 or 4 at 28.
        lam0     ~ Beta(alpha, alpha), once a batch, the source share that is aimed at.
        x        the source's share of every block, one of 0, 1 / (n - 1), .., 1 with n = n_labels, minimises
                     sum over blocks      (1 - x) s_source + x s_target + eta / b^2 * prior(x)
                   + sum over neighbours  beta' * gamma * D(x, x') + beta' * (x - x')^2
                 with beta' = beta / (16 b), and
                 s        the map's mean in the block, of the image's sum of means;
                 prior    of x = k / (n - 1): -log of the chance of k in Binomial(n - 1, lam0);
                 D        the mean difference, over channels and along the border, of the pixels in [0, 1],
                          averaged over neigh x neigh, that meet there, as each side is the target's or the
                          source's; between 0 and 1 as `border_costs` says.
        move     of each image, blocks move to places where it is seen (`transport.arrange`), the target to
                 x < 1, the source to x > 0: whole blocks, or parts of `t_size` pixels
                 (`grid.parts_to_move`).
        image    (1 - x) * moved target + x * moved source, with a block's x for all its pixels.
        lam      the mean of x, for each image its own; not lam0.
        label    (1 - lam) * target + lam * source.
        always applied.

    Source: arXiv:2003.09590; snu-mllab/PuzzleMix mixup.py, whose lam and mask are the target's share. There
    gco looks for x with alpha-beta swaps on the CPU, in units of 1 / (1000 b^2), truncated; here the same
    energy in the same units, rounded, has its exact minimum (`min_cut`), and of several the one that shows
    least of the source. There 1e-8 is added within the logarithms; here lam0 is held in [1e-4, 1 - 1e-4],
    which for 3 labels is the same bound. A border that would repel, as gamma > 1 can make it, is set to 0, as
    a cut needs. The code there takes squares only, and neigh and t_size that divide a block; here a part is
    as large as these allow and divides it (`grid`).

    Args:
        key, images, labels: see the contract of `resizemix_jax.mixing`.
        saliency: float [B, H, W], >= 0. The method's own is `saliency.input_gradient`. A map that is 0 or not
            finite counts as uniform.
        alpha: > 0.
        beta, gamma, eta: >= 0, smoothness of x, smoothness of the picture, weight of lam0.
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
    pairing.check_positive(alpha=alpha)
    check(images, saliency, std, n_labels, neigh, beta=beta, gamma=gamma, eta=eta, t_eps=t_eps)
    sides = grids(images, blocks)
    pieces = [parts_to_move(images, side, t_size) for side in sides]
    key_partner, key_lam, key_side = jax.random.split(key, 3)
    partner = pairing.draw_partner(key_partner, images.shape[0])
    lam0 = pairing.draw_beta(key_lam, alpha, 1)[0]

    def mix(side, piece, images, saliency):
        share = source_share(
            images * jnp.asarray(std, jnp.float32), block_means(saliency, side), partner, lam0,
            beta=beta, gamma=gamma, eta=eta, n_labels=n_labels, neigh=neigh,
        )  # fmt: skip
        if transport:
            target, source = move(images, saliency, partner, spread(share, (side * piece,) * 2), t_eps)
        else:
            target, source = images, images[partner]
        x = spread(share, images.shape[1:3])[..., None].astype(images.dtype)
        return (1 - x) * target + x * source, jnp.mean(share, axis=(1, 2))

    branches = [functools.partial(mix, side, piece) for side, piece in zip(sides, pieces, strict=True)]
    index = jax.random.randint(key_side, (), 0, len(branches))
    mixed, lam = lax.switch(index, branches, images, saliency)
    return mixed, pairing.mix_labels(labels, partner, lam)


def source_share(pixels, worth, partner, lam0, *, beta, gamma, eta, n_labels, neigh):
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
    rows, cols = (size // side // part(size // side, neigh) * side for size in (height, width))
    pooled = pixels.reshape(batch, rows, height // rows, cols, width // cols, channels).mean(axis=(2, 4))
    above, below, edge_down = border_costs(pooled, partner, side)
    first, second, edge_right = (a.swapaxes(1, 2) for a in border_costs(pooled.swapaxes(1, 2), partner, side))
    picture = jnp.zeros_like(worth).at[:, :-1].add(above).at[:, 1:].add(below)
    picture = picture.at[:, :, :-1].add(first).at[:, :, 1:].add(second)
    # Costs times (n - 1)^2: then those of the borders are weight * (difference of labels)^2.
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


def border_costs(pooled, partner, side):
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


def to_integers(energy):
    """Rounded, int32; NaN is 0. No cost of finite pixels in [0, 1] and 9 labels comes near the limit."""
    limit = min_cut.LIMIT // 2
    return jnp.round(jnp.clip(jnp.nan_to_num(energy), -limit, limit)).astype(jnp.int32)


def move(images, saliency, partner, share, t_eps):
    """The targets and their sources with their blocks moved; the grid is that of `share` [B, g, g]."""
    batch, side, _ = share.shape
    worth = block_means(saliency, side)
    seen = jnp.concatenate([share < 1, share > 0])
    origin = arrange(seen, jnp.concatenate([worth, worth[partner]]), t_eps)
    rows = jnp.arange(batch), partner
    return tuple(rearrange(images, row, o) for row, o in zip(rows, jnp.split(origin, 2), strict=True))


def check(images, saliency, std, n_labels, neigh, **weights):
    """Raises ValueError for a missing map or a number out of range."""
    pairing.check_saliency(saliency, images, 'puzzlemix', 'input_gradient')
    if np.shape(std) not in ((), (images.shape[-1],)):
        raise ValueError(f'std={std} must be one number, or one for each of the {images.shape[-1]} channels')
    if n_labels not in range(2, 10):
        raise ValueError(f'n_labels={n_labels} must be a whole number from 2 to 9')
    if neigh < 1:
        raise ValueError(f'neigh={neigh} must be >= 1')
    for name, value in weights.items():
        if not value >= 0:
            raise ValueError(f'{name}={value} must be >= 0')
