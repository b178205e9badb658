"""The maps against an oracle in NumPy that knows no gradient but differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.find import find
from resizemix_jax.saliency import class_maps

B, H, W, C, K = 3, 4, 5, 6, 7


def make_head(seed=0):
    """A head as the networks have it: elementwise, averaged, linear."""
    rng = np.random.default_rng(seed)
    kernel, bias = rng.normal(size=(C, K)), rng.normal(size=K)

    def head(features, lib=jnp):
        pooled = lib.tanh(features).mean(axis=(1, 2))
        return pooled @ kernel + bias

    features = rng.normal(size=(B, H, W, C))
    return head, features, kernel, bias


def oracle(head, features, chosen, reduction):
    """Grad-CAM by central differences in float64, one element at a time."""
    heat = np.empty((B, H, W))
    for i in range(B):
        gradient = np.empty((H, W, C))
        for index in np.ndindex(H, W, C):
            ends = []
            for sign in (1, -1):
                moved = features[i : i + 1].copy()
                moved[(0, *index)] += sign * 1e-5
                ends.append(head(moved, np)[0, chosen[i]])
            gradient[index] = (ends[0] - ends[1]) / 2e-5
        weights = gradient.mean(axis=(0, 1))
        heat[i] = np.maximum(getattr(np, reduction)(weights * features[i], axis=-1), 0)
    return heat


@pytest.mark.parametrize('reduction', class_maps.REDUCTIONS)
@pytest.mark.parametrize('target', class_maps.TARGETS)
def test_grad_cam_is_its_formula(target, reduction):
    head, features, _, _ = make_head()
    label = np.array([1, 4, 2], np.int32)
    chosen = label if target == 'label' else head(features, np).argmax(axis=-1)
    assert (chosen == label).all() == (target == 'label')
    heat = class_maps.grad_cam(
        head, jnp.asarray(features, jnp.float32), label, target=target, reduction=reduction
    )
    expected = oracle(head, features, chosen, reduction)
    assert heat.dtype == jnp.float32 and (expected > 0).any() and (expected == 0).any()
    np.testing.assert_allclose(heat, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('target', class_maps.TARGETS)
def test_cam_is_the_weighted_sum_of_the_features(target):
    head, features, kernel, bias = make_head()
    label = np.array([1, 4, 2], np.int32)
    logits = head(features, np)
    chosen = label if target == 'label' else logits.argmax(axis=-1)
    heat = class_maps.cam(head, jnp.asarray(features, jnp.float32), label, target=target)
    expected = np.einsum('bhwc,bc->bhw', np.tanh(features), kernel.T[chosen]) + bias[chosen][:, None, None]
    np.testing.assert_allclose(heat, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(heat.mean(axis=(1, 2)), logits[np.arange(B), chosen], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('train', [False, True])
@pytest.mark.slow
def test_cam_of_a_network_averages_to_its_logits(train):
    """With BatchNorm's own statistics of the batch too: the positions of all images are the same set."""
    model = find('models', 'wide_resnet')(K, depth=10, width=1)
    images = jax.random.normal(jax.random.key(0), (4, 16, 12, 3))
    label = jnp.array([0, 1, 2, 3])

    @jax.jit
    def run(images):
        variables = model.init(jax.random.key(1), images)

        def head(features):
            out = model.apply(
                variables, features, train=train, method='head', mutable=['batch_stats'] if train else False
            )
            return out[0] if train else out

        features = model.apply(variables, images, method='features')
        return class_maps.cam(head, features, label), head(features)

    heat, logits = run(images)
    assert heat.shape == (4, 4, 3)
    np.testing.assert_allclose(heat.mean(axis=(1, 2)), logits[jnp.arange(4), label], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('target', class_maps.TARGETS)
def test_the_input_gradient_is_that_of_the_cross_entropy(target):
    head, images, _, _ = make_head()
    label = np.array([1, 4, 2], np.int32)
    chosen = label if target == 'label' else head(images, np).argmax(axis=-1)

    def losses(images):
        logits = head(images, np)
        return np.log(np.exp(logits).sum(axis=-1)) - logits[np.arange(B), chosen]

    gradient = np.empty(images.shape)
    for index in np.ndindex(H, W, C):
        moved = np.zeros(images.shape)
        moved[(slice(None), *index)] = 1e-5
        gradient[(slice(None), *index)] = (losses(images + moved) - losses(images - moved)) / 2e-5
    heat = class_maps.input_gradient(head, jnp.asarray(images, jnp.float32), label, target=target)
    assert heat.dtype == jnp.float32
    np.testing.assert_allclose(heat, np.sqrt((gradient**2).mean(axis=-1)), rtol=1e-3, atol=1e-6)


def test_a_class_without_evidence_has_an_empty_map():
    features = jnp.ones((1, 2, 2, 3))
    heat = class_maps.grad_cam(lambda x: -x.mean(axis=(1, 2)), features, jnp.array([0]), target='label')
    np.testing.assert_array_equal(heat, 0)


def test_maps_of_half_precision_features_are_float32():
    head, features, _, _ = make_head()
    for method in class_maps.METHODS.values():
        heat = jax.jit(lambda x, m=method: m(head, x, jnp.zeros(B, jnp.int32)))(
            jnp.asarray(features, jnp.bfloat16)
        )
        assert heat.shape == (B, H, W) and heat.dtype == jnp.float32


def test_upsampling_is_bilinear_at_half_pixel_centres():
    rng = np.random.default_rng(0)
    heat = rng.normal(size=(2, 3, 4)).astype(np.float32)

    def along(values, size, axis):
        side = values.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * side / size - 0.5, 0, side - 1)
        low = np.minimum(np.floor(at).astype(int), side - 1)
        high = np.minimum(low + 1, side - 1)
        shape = [1] * values.ndim
        shape[axis] = -1
        part = (at - low).reshape(shape)
        return np.take(values, low, axis) * (1 - part) + np.take(values, high, axis) * part

    expected = along(along(heat, 12, 1), 10, 2)
    np.testing.assert_allclose(class_maps.upsample(jnp.asarray(heat), 12, 10), expected, atol=1e-5)


@pytest.mark.parametrize(
    ('name', 'keywords', 'message'),
    [
        ('grad_cam', {'target': 'top5'}, "target='top5' must be one of: argmax, label"),
        ('cam', {'target': 'top5'}, "target='top5' must be one of: argmax, label"),
        ('input_gradient', {'target': 'top5'}, "target='top5' must be one of: argmax, label"),
        ('grad_cam', {'reduction': 'max'}, "reduction='max' must be one of: mean, sum"),
    ],
)
@pytest.mark.slow
def test_bad_choices_are_refused(name, keywords, message):
    head, features, _, _ = make_head()
    with pytest.raises(ValueError, match=message):
        class_maps.METHODS[name](head, jnp.asarray(features), jnp.zeros(B, jnp.int32), **keywords)
