"""The law of ResizeMix, by coded images, by frozen vectors and by statistics."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from resizemix_jax.mixing import _region as region
from resizemix_jax.mixing import resizemix as module
from resizemix_jax.mixing.resizemix import resizemix
from tests.mixing import coded, contexts

KEYS = jax.random.split(jax.random.key(1), 300)


@functools.cache
def drawn(per, method='nearest'):
    """300 batches of 16 coded images, mixed."""
    function = functools.partial(resizemix, per=per, method=method)
    return coded.many(function, KEYS, *coded.batch(16, channels=1))


def sources(labels, batch):
    """The partner and lam that a mixed one-hot row shows; partner -1 where the row stayed one-hot."""
    others = np.where(np.eye(batch, dtype=bool), 0, labels)
    lam = others.max(-1)
    return np.where(lam > 0, others.argmax(-1), -1), lam


# The smooth methods differ in the kernel that `jax.image` makes, not in what is pasted where.
@pytest.mark.slow
@pytest.mark.parametrize('method', ['nearest', 'linear'])
@pytest.mark.parametrize('per', ['batch', 'sample'])
def test_label_weight_is_the_pasted_share_in_every_sample(per, method):
    images, labels = drawn(per, method)
    partner, lam = sources(labels, 16)
    mixed = partner >= 0
    own = np.arange(16)[:, None, None, None]
    # A resized constant image is constant, but for rounding in the smooth methods.
    pasted = (abs(images - own) > 0.01).mean(axis=(2, 3, 4))
    np.testing.assert_allclose(pasted[mixed], lam[mixed], atol=1e-6)
    value = (images * (abs(images - own) > 0.01)).max(axis=(2, 3, 4))
    from_below = partner > np.arange(16)
    np.testing.assert_allclose(value[mixed & from_below], partner[mixed & from_below], atol=1e-3)


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_patch_sides_are_3_to_25_at_32_pixels(per):
    _, lam = sources(drawn(per)[1], 16)
    sides = np.sqrt(lam[lam > 0] * 32 * 32)
    np.testing.assert_allclose(sides, sides.round(), atol=1e-3)
    assert set(sides.round().astype(int)) == set(range(3, 26))


def test_mean_source_share_at_32_pixels():
    tau = jax.random.uniform(jax.random.key(0), (200_000,), minval=0.1, maxval=0.8)
    h, w = module.patch_size(tau, 32, 32)
    share = region.share(jnp.stack([0 * h, 0 * w, h, w], -1), 32, 32)
    assert float(share.mean()) == pytest.approx(0.2297, abs=0.002)
    # and what the op gives: 4800 independent draws, less the fixed points of the permutation
    _, lam = sources(drawn('sample')[1], 16)
    assert lam[lam > 0].mean() == pytest.approx(0.2297, abs=6 * 0.19 / 4500**0.5)


def test_one_tau_a_batch_or_one_an_image():
    for per, fewest in (('batch', 1), ('sample', 4)):
        _, lam = sources(drawn(per)[1], 16)
        distinct = [len(np.unique(row[row > 0])) for row in lam]
        assert min(distinct) >= fewest and (per == 'sample' or max(distinct) == 1)


@pytest.mark.parametrize('per', ['batch', 'sample'])
def test_partners_are_a_uniform_permutation(per):
    partner, _ = sources(drawn(per)[1], 16)
    for row in partner:
        kept = row[row >= 0]
        assert len(set(kept)) == len(kept)
    fixed = (partner < 0).mean()
    assert fixed == pytest.approx(1 / 16, abs=6 * (1 / 16 / 4800) ** 0.5)


@pytest.mark.parametrize('per', ['batch', 'sample'])
def test_boxes_differ_within_a_batch(per):
    images, _ = drawn(per)
    first = images[0, :, :, :, 0] != np.arange(16)[:, None, None]
    assert len({mask.tobytes() for mask in first}) > 8


def test_nearest_is_the_released_law():
    # tau = 0.37: n = 11, and the source pixels of torch's floor kernel with the given scale.
    expected = [0, 2, 5, 8, 10, 13, 16, 18, 21, 24, 27]
    images, _ = coded.coordinates(2)
    tau = jnp.array([0.37])
    assert module.patch_size(tau, 32, 32)[0].tolist() == [11]
    box = region.shifted_box(jnp.array([2, 31]), jnp.array([31, 2]), (11, 11), 32, 32)
    mixed = np.asarray(module.paste_nearest(images, jnp.array([1, 0]), tau, box))
    patch = mixed[0, 0:11, 21:32]
    assert (patch[..., 0] == 1).all()
    assert patch[:, 0, 1].tolist() == expected and patch[0, :, 2].tolist() == expected
    assert float(region.share(box, 32, 32)[0]) == pytest.approx(0.1181640625)
    assert (mixed[1, 21:32, 0:11, 0] == 0).all()


@pytest.mark.slow
def test_nearest_reads_the_same_pixels_by_gather_and_by_product(key):
    images = jax.random.normal(key, (4, 20, 30, 3))
    partner = jnp.array([3, 0, 1, 2])
    rows = module._nearest_index(20, jnp.array([0, 3, 5, 9]), jnp.array([0.1, 0.5, 0.33, 0.79]))
    cols = module._nearest_index(30, jnp.array([2, 0, 7, 1]), jnp.array([0.1, 0.5, 0.33, 0.79]))
    by_gather = region._read_by_gather(images, partner, rows, cols)
    np.testing.assert_array_equal(by_gather, region._read_by_product(images, partner, rows, cols))


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_a_smooth_patch_is_jax_image_resize_s(per, key):
    """The same draws with 'nearest' show the partners and the boxes."""
    images, labels = jax.random.normal(key, (6, 16, 20, 3)), jnp.eye(6)
    index = jnp.broadcast_to(jnp.arange(6.0)[:, None, None, None], images.shape)
    ops = [jax.jit(functools.partial(resizemix, per=per, method=m)) for m in ('nearest', 'linear')]
    for seed in range(6):
        draw = jax.random.key(seed)
        source = np.asarray(ops[0](draw, index, labels)[0])[..., 0].astype(int)
        mixed, mixed_labels = ops[1](draw, images, labels)
        np.testing.assert_array_equal(mixed_labels, ops[0](draw, images, labels)[1])
        for i in range(6):
            ys, xs = np.nonzero(source[i] != i)
            expected = np.array(images[i])
            if len(ys):
                box = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
                shape = *source[i][box].shape, 3
                expected[box] = jax.image.resize(images[source[i][box][0, 0]], shape, 'linear')
                np.testing.assert_allclose(mixed[i], expected, atol=1e-5)


@pytest.mark.parametrize('method', ['nearest', 'linear'])
@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_non_square_images(per, method):
    function = functools.partial(resizemix, per=per, method=method)
    images, labels = coded.many(function, KEYS[:50], *coded.batch(4, 20, 33, channels=1))
    partner, lam = sources(labels, 4)
    pasted = (abs(images - np.arange(4)[:, None, None, None]) > 0.01).mean(axis=(2, 3, 4))
    np.testing.assert_allclose(pasted[partner >= 0], lam[partner >= 0], atol=1e-6)


@pytest.mark.slow
def test_a_batch_has_few_branches_at_any_size(key):
    shapes = jax.ShapeDtypeStruct((2, 224, 300, 3), jnp.float32), jnp.eye(2)
    for per, branches in (('batch', module.BRANCHES), ('sample', 0)):
        jaxpr = jax.make_jaxpr(functools.partial(resizemix, method='linear', per=per))(key, *shapes)
        found = [len(e.params['branches']) for e in contexts.equations(jaxpr) if e.primitive.name == 'cond']
        assert max((n for n in found if n > 2), default=0) == branches


@pytest.mark.slow
@pytest.mark.parametrize('per', ['batch', 'sample'])
def test_a_batch_over_many_devices_stays_there(per, key):
    """Under one jit for all devices, patches travel to their targets' devices, and the images stay."""
    mesh = jax.make_mesh((4,), ('batch',), axis_types=(AxisType.Auto,), devices=jax.devices()[:4])
    split = NamedSharding(mesh, P('batch'))
    batch = jax.device_put((jax.random.normal(key, (16, 32, 32, 3)), jnp.eye(16)), split)
    op = jax.jit(functools.partial(resizemix, method='linear', per=per))
    compiled = op.lower(key, *batch).compile()
    mixed = compiled(key, *batch)
    assert [array.sharding.spec for array in mixed] == [P('batch')] * 2
    moved = re.findall(r'= f32\[([0-9,]+)\]\S* (?:all-|collective-|reduce-scatter)', compiled.as_text())
    assert moved and '16,32,32,3' not in moved
    for one, two in zip(mixed, op(key, *jax.device_put(batch, jax.devices()[0])), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.slow
def test_the_empty_patch_pastes_nothing(key):
    images, labels = coded.batch(4, 8, 8)
    for method in ('nearest', 'linear'):
        for per in ('batch', 'sample'):
            op = jax.jit(functools.partial(resizemix, tau=(0.1, 0.1), per=per, method=method))
            mixed, mixed_labels = op(key, images, labels)
            np.testing.assert_array_equal(mixed, images)
            np.testing.assert_array_equal(mixed_labels, labels)


@pytest.mark.parametrize('tau', [(0.9, 0.1), (0.0, 0.5), (0.1, 1.1), (1.1,), (float('nan'), 0.5), 1.5, None])
def test_bad_tau_is_refused(tau, key):
    with pytest.raises(ValueError, match='with 0 < low <= high <= 1'):
        resizemix(key, *coded.batch(2), tau=tau)


@pytest.mark.slow
def test_bad_method_is_refused(key):
    with pytest.raises(ValueError, match="method='bilinear' must be one of: nearest, linear"):
        resizemix(key, *coded.batch(2), method='bilinear')


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_smooth_forms_inside_shard_map_and_under_explicit_axes(per, key):
    images, labels = jax.random.normal(key, (4, 16, 16, 2)), jnp.eye(4)
    op = jax.jit(functools.partial(resizemix, method='linear', per=per, tau=(0.0625, 0.25)))
    contexts.check_shard_map(op, images, labels)
    contexts.check_explicit_axes(op, images, labels)
