"""Every operation against Pillow itself, to the bit; bilinear warps to a level."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from resizemix_jax.augment import _magnitudes as magnitudes
from resizemix_jax.augment import _ops as ops
from tests.augment.pillow import VALUES, check, images, photograph, pillow

SHAPES = ((32, 32, 3), (31, 47, 3), (7, 5, 3), (2, 3, 3), (32, 32, 1), (13, 8, 1))

apply = jax.jit(ops.apply, static_argnames=('fill', 'cutout_fill', 'interpolation', 'variant'))


def drawn(shape, count=512):
    """Every operation at every value of its grid, on the images in turn, as lists of `count`."""
    pictures = images(*shape)
    cases = [(name, np.float32(value)) for name, values in VALUES.items() for value in values]
    # Operations that look at the image, or have one value, meet every image.
    cases += [(name, np.float32(values[0])) for name, values in VALUES.items() for _ in range(len(pictures))]
    cases += [('Identity', np.float32(0))] * (-len(cases) % count)
    chosen = pictures[np.arange(len(cases)) % len(pictures)]
    for start in range(0, len(cases), count):
        names, values = zip(*cases[start : start + count], strict=True)
        yield chosen[start : start + count], names, np.array(values)


def codes(names):
    return np.array([ops.OPS.index(name) for name in names], np.int32)


@pytest.mark.parametrize('shape', SHAPES, ids=str)
@pytest.mark.slow
def test_every_operation_and_value_equals_pillow(shape):
    for pictures, names, values in drawn(shape):
        out = apply(pictures, codes(names), values)
        assert out.dtype == np.uint8
        check(out, [pillow(*case) for case in zip(pictures, names, values, strict=True)], names, values)


@pytest.mark.parametrize('shape', ((32, 32, 3), (31, 47, 3), (13, 8, 1)), ids=str)
@pytest.mark.slow
def test_bilinear_warps_are_within_one_level_of_pillow(shape):
    names = [name for name in ops.WARPS if name != 'Cutout' for _ in VALUES[name]]
    values = np.concatenate([VALUES[name] for name in ops.WARPS if name != 'Cutout']).astype(np.float32)
    pictures = images(*shape)[np.arange(len(names)) % 7]
    out = np.asarray(apply(pictures, codes(names), values, fill=9, interpolation='bilinear')).astype(int)
    how = dict(fill=(9,) * 3 if shape[2] == 3 else 9, resample=Image.Resampling.BILINEAR)
    expected = [pillow(*case, **how) for case in zip(pictures, names, values, strict=True)]
    difference = abs(out - np.stack(expected))
    # Pillow works in doubles and truncates; at the border a point may be inside in one of the two only.
    assert (difference == 1).mean() < 0.03 and (difference > 1).mean() < 0.0015
    shifts = [k for k, name in enumerate(names) if name.startswith('Translate') and values[k] % 1 == 0]
    assert not difference[shifts].any()


@pytest.mark.parametrize('shape', [(32, 32, 3), (37, 53, 3), (13, 8, 1)], ids=str)
@pytest.mark.slow
def test_solarize_add_and_cutout_of_ildoonet(shape):
    height, width, channels = shape
    colour = (125, 123, 114) if channels == 3 else 120
    names = ['SolarizeAdd', 'Cutout'] * 31
    values = [magnitudes.ildoonet(name, k // 2, *shape[:2])[0] for k, name in enumerate(names)]
    pictures = images(*shape)[np.arange(len(names)) % 7]
    centres = np.random.default_rng(3).uniform(0, (height, width), (len(names), 2)).astype(np.float32)
    centres[:8] = [[0, 0], [0, width - 0.5], [height - 0.5, 0], [height - 0.5, width - 0.5]] * 2

    def public(image, name, value, centre):
        made = Image.fromarray(image[..., 0] if channels == 1 else image)
        if name == 'SolarizeAdd':
            added = np.clip(np.asarray(made).astype(int) + int(value), 0, 255).astype(np.uint8)
            return np.asarray(ImageOps.solarize(Image.fromarray(added), 128)).reshape(shape)
        y0, x0 = (int(max(0, c - value / 2)) for c in centre)
        box = x0, y0, min(width, x0 + value), min(height, y0 + value)
        ImageDraw.Draw(made).rectangle(box, colour)
        return np.asarray(made).reshape(shape)

    out = apply(pictures, codes(names), np.float32(values), centres, cutout_fill=colour, variant='ildoonet')
    check(out, [public(*case) for case in zip(pictures, names, values, centres, strict=True)], names, values)
    grey = apply(np.full((1, 1, 2, 1), [[[100], [200]]], np.uint8), codes(['SolarizeAdd']), np.float32([51]),
                 variant='ildoonet')  # fmt: skip
    assert grey.ravel().tolist() == [104, 4]  # 151 and 251, inverted


@pytest.mark.parametrize('shape', [(32, 32, 3), (37, 53, 3), (224, 224, 3), (300, 300, 1)], ids=str)
@pytest.mark.slow
def test_contrast_and_sharpness_of_the_tpu_code(shape):
    height, width, channels = shape
    level = {(32, 32): 4, (37, 53): 7, (224, 224): 196, (300, 300): 255}[shape[:2]]
    names = ['Contrast', 'Sharpness'] * 4
    values = np.float32([magnitudes.tpu('Color', m, *shape[:2])[0] for m in (0, 0, 5, 5, 9, 9, 17, 17)])
    pictures = images(*shape)[[0, 0, 4, 4, 6, 6, 1, 1]]

    def public(image, name, factor):
        image = image.astype(np.float32)
        degenerate = np.full_like(image, level)
        if name == 'Sharpness':
            degenerate = image.copy()
            windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3), (0, 1))
            total = windows.sum((-2, -1)) + 4 * image[1:-1, 1:-1]
            degenerate[1:-1, 1:-1] = total // 13
        return np.clip(degenerate + factor * (image - degenerate), 0, 255).astype(np.uint8)

    out = apply(pictures, codes(names), values, variant='tpu')
    check(out, [public(*case) for case in zip(pictures, names, values, strict=True)], names, values)


@pytest.mark.slow
def test_large_images_with_fill_colours():
    names = [name for name in ops.OPS for _ in range(3)]
    values = np.array([VALUES[n][k * len(VALUES[n]) // 3] for k, n in enumerate(names) for k in [k % 3]])
    values = values.astype(np.float32)
    pictures = np.stack([photograph(224, 224, 3, seed=k) for k in range(len(names))])
    centres = np.random.default_rng(2).integers(0, 224, (len(names), 2)).astype(np.int32)
    out = apply(pictures, codes(names), values, centres, fill=(125, 123, 114), cutout_fill=(128, 0, 7))
    fills = [(128, 0, 7) if name == 'Cutout' else (125, 123, 114) for name in names]
    cases = zip(pictures, names, values, fills, centres, strict=True)
    check(out, [pillow(*case) for case in cases], names, values)


@pytest.mark.slow
def test_optimised_code_gives_the_same_bits():
    # The other tests run without what conftest.py switches off, which may fuse a product and a sum into one
    # rounding.
    pictures, names, values = next(drawn((32, 32, 3)))
    lowered = jax.jit(ops.apply).lower(pictures, codes(names), values)
    options = {'xla_backend_optimization_level': 3, 'xla_llvm_disable_expensive_passes': False}
    if 'emitters' in os.environ.get('XLA_FLAGS', ''):
        options['xla_cpu_use_fusion_emitters'] = True
    fast = lowered.compile(compiler_options=options)
    np.testing.assert_array_equal(fast(pictures, codes(names), values), apply(pictures, codes(names), values))


@pytest.mark.slow
def test_a_mixed_batch_equals_its_images_one_by_one(key):
    names = [name for name in ops.OPS for _ in range(4)]
    order = np.asarray(jax.random.permutation(key, len(names)))
    names = [names[k] for k in order]
    values = np.array([VALUES[name][len(VALUES[name]) // 3] for name in names], np.float32)
    pictures = np.stack([photograph(12, 9, 3, seed=k) for k in range(len(names))])
    out = apply(pictures, codes(names), values)
    single = [apply(p[None], codes([n]), v[None])[0] for p, n, v in zip(pictures, names, values, strict=True)]
    np.testing.assert_array_equal(out, np.stack(single))
    assert len({o.tobytes() for o in np.asarray(out)}) > 60


@pytest.mark.slow
def test_one_compilation_serves_all_draws():
    traces = []

    @jax.jit
    def function(*args):
        traces.append(args)
        return ops.apply(*args)

    for name, values in VALUES.items():
        function(images(8, 8, 3), codes([name] * 7), np.full(7, values[-1], np.float32))
    assert len(traces) == 1


@pytest.mark.slow
def test_vmap_and_pmap_agree_with_jit():
    pictures, names, values = next(drawn((7, 5, 3), 48 * 8))
    out = apply(pictures, codes(names), values)
    parts = [a.reshape(8, 48, *a.shape[1:]) for a in (pictures, codes(names), values)]
    for function in (jax.vmap(ops.apply), jax.pmap(ops.apply)):
        np.testing.assert_array_equal(function(*parts).reshape(out.shape), out)


@pytest.mark.slow
def test_an_index_out_of_range_does_nothing():
    pictures = images(8, 8, 3)
    count = len(ops.OPS)
    out = apply(pictures, np.array([-1, count, 99, 0, -5, count, count], np.int32), np.ones(7, np.float32))
    np.testing.assert_array_equal(out, pictures)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'images': np.zeros((2, 8, 8, 3), np.float32)}, r'must be uint8 \[B, H, W, C\]; got float32'),
        ({'images': np.zeros((8, 8, 3), np.uint8)}, r'must be uint8 .*; got uint8\[8, 8, 3\]'),
        ({'images': np.zeros((2, 8, 8, 2), np.uint8)}, r'images have 2 channels; .* gray \(1\) or colour'),
        ({'op': np.zeros(3, np.int32)}, r'op is int32 \(3,\) and must be int32 \(2,\)'),
        ({'op': np.zeros(2, np.float32)}, r'op is float32 .* must be int32'),
        ({'value': np.zeros((), np.float32)}, r'value is float32 \(\) and must be float32 \(2,\)'),
        ({'value': np.zeros(2, np.int32)}, 'value is int32 .* must be float32'),
        ({'centre': np.zeros(2, np.int32)}, r'centre is int32 \(2,\) and must be int32 \(2, 2\)'),
        ({'fill': (1, 2)}, r'fill=\(1, 2\) must be one value in 0..255, or one for each of 3 channels'),
        ({'cutout_fill': 256}, 'cutout_fill=256 must be'),
        ({'variant': 'torch'}, "variant='torch' must be one of: pillow, tpu, ildoonet"),
        ({'centre': np.zeros((2, 2), np.int32), 'variant': 'ildoonet'}, 'centre is int32 .* must be float32'),
    ],
)
@pytest.mark.slow
def test_bad_arguments_are_refused(change, message):
    good = {
        'images': np.zeros((2, 8, 8, 3), np.uint8),
        'op': np.zeros(2, np.int32),
        'value': np.zeros(2, np.float32),
    }
    with pytest.raises(ValueError, match=message):
        ops.apply(**(good | change))


@pytest.mark.slow
def test_temporaries_stay_below_four_batches():
    pictures = jnp.zeros((32, 64, 64, 3), jnp.uint8)
    lowered = jax.jit(ops.apply).lower(pictures, jnp.zeros(32, jnp.int32), jnp.zeros(32))
    assert lowered.compile().memory_analysis().temp_size_in_bytes < 4 * pictures.nbytes


@pytest.mark.slow
def test_table_of_op_names_is_complete():
    assert len(set(ops.OPS)) == len(ops.OPS) == 18
    assert set(VALUES) == set(ops.OPS)
    assert not set(ops.WARPS) & set(ops.TABLES)
