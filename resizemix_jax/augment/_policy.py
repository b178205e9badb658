"""Policies as arrays: reads and checks published files, and draws an operation per image."""

import json
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from resizemix_jax.augment import _ops as ops
from resizemix_jax.ranges import SHARE, Choice, Number, Text, shown

FILES = pathlib.Path(__file__).parent / 'policies'


class Steps(NamedTuple):
    """Operations with their chances, arrays of one shape: int32 op, bool signed, the others float32.

    The parameter is base + amount, with a random sign of the amount where `signed`; the operation happens
    with probability `prob`.
    """

    op: Any
    prob: Any
    base: Any
    amount: Any
    signed: Any

    def at(self, index):
        """The steps at an index of the leading axes."""
        return Steps(*(jnp.asarray(a)[index] for a in self))


def read_policy(name):
    """The content of a policy's file, checked.

    Args:
        name: of a file in augment/policies, or the path of a JSON file of the same form.

    Raises:
        ValueError: no such policy (the message lists them), or an invalid entry (the message shows it).
    """
    Text().check(policy=name)
    path = pathlib.Path(name) if name.endswith('.json') else FILES / f'{name}.json'
    try:
        found = path.is_file()
    except OSError:  # a name that no file can have
        found = False
    if not found:
        known = ', '.join(sorted(file.stem for file in FILES.glob('*.json')))
        raise ValueError(f'policy={shown(name)} must be the path of a .json file or one of: {known}')
    try:
        content = json.loads(path.read_text('utf-8'))
        rows = content['subpolicies']
        right = len({len(row) for row in rows}) == 1 and {len(e) for row in rows for e in row} == {3}
    except (KeyError, TypeError, ValueError):  # no JSON, or other JSON
        right = False
    if not right:
        raise ValueError(
            f"{path}: 'subpolicies' must be rows of equal length of [operation, probability, magnitude]; "
            f'{FILES / "autoaugment_cifar10.json"} is an example'
        )
    for row, entries in enumerate(rows):
        for entry in entries:
            op, prob, magnitude = entry
            where = f'{path.name}, row {row}, {entry}: '
            Choice(*ops.OPS).check(where, operation=op)
            SHARE.check(where, probability=prob)
            Number(0, 10).check(where, magnitude=magnitude)
    return content


def steps(entries, reading):
    """Nested lists of (op, probability, magnitude) as Steps of NumPy arrays of their shape.

    Args:
        entries: lists of equal lengths.
        reading: (op, magnitude) -> (base, amount, signed), see `magnitudes`.
    """
    if isinstance(entries[0], list):
        return Steps(*(np.stack(a) for a in zip(*(steps(e, reading) for e in entries), strict=True)))
    name, prob, magnitude = entries
    base, amount, signed = reading(name, magnitude)
    numbers = (np.float32(v) for v in (prob, base, amount))
    return Steps(np.int32(ops.OPS.index(name)), *numbers, np.bool_(signed))


def draw_index(key, count, batch, per):
    """Uniform in 0..count - 1, int32 [B]; per='batch' draws once for all images."""
    Choice('sample', 'batch').check(per=per)
    drawn = jax.random.randint(key, (batch if per == 'sample' else 1,), 0, count)
    return jnp.broadcast_to(drawn, (batch,))


def apply_step(
    key, images, step, *, per='sample', spread=False, fill=0, cutout_fill=0, interpolation='nearest',
    variant='pillow',
):  # fmt: skip
    """Applies to every image its step, with the step's probability.

    Law: the operation happens with probability `prob`; the sign of `amount`, where signed, is + or - with
    probability 1/2, or with `spread` a factor uniform in [-1, 1); Cutout's centre is uniform over the
    pixels, or with variant='ildoonet' over the points of the image.
    Drawn per image or once per batch (`per`); the centre always per image.

    Args:
        key: typed JAX key.
        images: uint8 [B, H, W, C].
        step: Steps of shape [B].
        fill, interpolation, variant: see `ops.apply`.
        cutout_fill: a value, or a colour; its mean fills images of one channel.

    Returns:
        uint8 [B, H, W, C].
    """
    batch, height, width, _ = images.shape
    count = batch if per == 'sample' else 1
    key_prob, key_sign, key_y, key_x = jax.random.split(key, 4)
    happens = jax.random.uniform(key_prob, (count,)) < step.prob
    sign = jax.random.uniform(key_sign, (count,), minval=-1, maxval=1)
    sign = jnp.where(step.signed, sign if spread else jnp.where(sign < 0, -1, 1), 1)
    value = (step.base + sign * step.amount).astype(jnp.float32)
    if variant == 'ildoonet':
        y, x = (jax.random.uniform(k, (batch,)) * side for k, side in ((key_y, height), (key_x, width)))
    else:
        y, x = (jax.random.randint(k, (batch,), 0, side) for k, side in ((key_y, height), (key_x, width)))
    op = jnp.where(happens, step.op, ops.OPS.index('Identity'))
    if images.shape[-1] == 1:
        cutout_fill = round(float(np.mean(cutout_fill)))
    return ops.apply(
        images, op, value, jnp.stack([y, x], axis=-1), fill=fill, cutout_fill=cutout_fill,
        interpolation=interpolation, variant=variant,
    )  # fmt: skip


def subpolicy(key, images, policy, reading, *, per, **how):
    """Applies one of the policy's rows to each image, its operations in order; see `autoaugment`.

    `how` holds the fills, the interpolation and the variant of `apply_step`.
    """
    batch, height, width, _ = images.shape
    rows = steps(read_policy(policy)['subpolicies'], lambda op, m: reading(op, m, height, width))
    key_row, key_do = jax.random.split(key)
    row = rows.at(draw_index(key_row, len(rows.op), batch, per))

    def one(place, images):
        step = row.at((slice(None), place))
        return apply_step(jax.random.fold_in(key_do, place), images, step, per=per, **how)

    # A loop on the device, so that an operation is compiled once instead of for every place.
    return lax.fori_loop(0, rows.op.shape[1], one, images)
