"""RICAP (Takahashi et al., 2018): four crops of four images fill one."""

import jax
import jax.numpy as jnp
from jax import Array, lax

from resizemix_jax.mixing import _pairing as pairing
from resizemix_jax.mixing import _region as region
from resizemix_jax.mixing._op import mixing_op
from resizemix_jax.ranges import POSITIVE


@mixing_op
def ricap(
    key: Array, images: Array, labels: Array, *, beta: float = 0.3, per: str = 'batch'
) -> tuple[Array, Array]:
    """Fills the four corners of every image with crops of four partners.

    Law:
        corner   where the four cells meet: h = round(H * r) and w = round(W * r'), halves to even,
                 with r and r' ~ Beta(beta, beta) drawn independently. The cells are h x w, h x (W - w),
                 (H - h) x w and (H - h) x (W - w); an empty one has lam = 0.
        partner  a uniform permutation of the batch, drawn for each cell; no cell is reserved for the image
                 itself, so image i may be absent from row i.
        crop     for each cell uniform over the places where it fits the partner; it keeps its size.
        lam      of each cell its share of the pixels; the four sum to 1.
        label    the sum over the cells of lam * the partner's.
        per      'batch': corner and crops are drawn once for the batch, as in the public code;
                 'sample': independently per image. The partners are four permutations in both.
        always applied.

    Source: arXiv:1811.09030; jackryo/ricap trainers.py, beta 0.3 for CIFAR and ImageNet. Its loss, the
    weighted sum of four cross-entropies, is the cross-entropy of this label.

    Args:
        key, images, labels, per: see the contract of `resizemix_jax.mixing`.
        beta: > 0.

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    POSITIVE.check(beta=beta)
    batch, height, width, _ = images.shape
    count = pairing.draws(per, batch)
    key_corner, key_cells = jax.random.split(key)
    y, x = pairing.draw_beta(key_corner, beta, 2 * count).reshape(2, count)
    h = jnp.round(height * y).astype(jnp.int32)
    w = jnp.round(width * x).astype(jnp.int32)

    def fill(mixed, cell):
        key, box = cell
        key_partner, key_y, key_x = jax.random.split(key, 3)
        partner = pairing.draw_partner(key_partner, batch)
        rows = _crop(key_y, box[:, 0], box[:, 2], height)
        cols = _crop(key_x, box[:, 1], box[:, 3], width)
        rows, cols = (jnp.broadcast_to(at, (batch, at.shape[1])) for at in (rows, cols))
        source = region.read(images, partner, rows, cols)
        filled = jnp.where(region.inside(box, height, width), source, mixed[0])
        return (filled, mixed[1] + region.share(box, height, width)[:, None] * labels[partner]), None

    # A loop on the device, so that one cell is compiled instead of four.
    cells = jax.random.split(key_cells, 4), _cells(h, w, height, width)
    mixed, _ = lax.scan(fill, (images, jnp.zeros_like(labels)), cells)
    return mixed


def _cells(h, w, height, width):
    """The four boxes that meet at (h, w), row by row: int32 [4, N, 4]."""
    zero, bottom, right = jnp.zeros_like(h), jnp.full_like(h, height), jnp.full_like(w, width)
    corners = (zero, zero, h, w), (zero, w, h, right), (h, zero, bottom, w), (h, w, bottom, right)
    return jnp.stack([jnp.stack(corner, axis=-1) for corner in corners])


def _crop(key, begin, end, side):
    """The source's pixel for every pixel of one axis, a drawn offset away: int32 [N, side]."""
    offset = jax.random.randint(key, begin.shape, 0, side - (end - begin) + 1) - begin
    return jnp.clip(jnp.arange(side) + offset[:, None], 0, side - 1)
