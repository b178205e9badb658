import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from resizemix_jax import metrics


@pytest.mark.slow
def test_the_mixed_loss_is_the_mix_of_the_losses(key):
    logits = jax.random.normal(key, (6, 5))
    own, source = jax.nn.one_hot(jnp.arange(6) % 5, 5), jax.nn.one_hot((jnp.arange(6) + 2) % 5, 5)
    lam = 0.3
    mixed = metrics.softmax_cross_entropy(logits, (1 - lam) * own + lam * source)
    public = (1 - lam) * metrics.softmax_cross_entropy(logits, own) + lam * metrics.softmax_cross_entropy(
        logits, source
    )
    np.testing.assert_allclose(mixed, public, rtol=1e-5)
    np.testing.assert_allclose(
        mixed, optax.softmax_cross_entropy(logits, 0.7 * own + 0.3 * source), rtol=1e-5
    )


@pytest.mark.slow
def test_an_infinite_logit_is_not_hidden():
    """As in optax; the safe form is that of a large negative logit."""
    logits, labels = jnp.array([[0.0, 1.0, -jnp.inf]]), jnp.eye(3)[:1]
    assert np.isnan(metrics.softmax_cross_entropy(logits, labels)).all()
    assert np.isnan(optax.softmax_cross_entropy(logits, labels)).all()
    masked = metrics.softmax_cross_entropy(logits.at[0, 2].set(-1e9), labels)
    np.testing.assert_allclose(masked, optax.safe_softmax_cross_entropy(logits, labels), rtol=1e-6)


def test_bce_is_the_mean_over_classes(key):
    logits, labels = jax.random.normal(key, (6, 5)), jnp.full((6, 5), 0.25)
    expected = optax.sigmoid_binary_cross_entropy(logits, labels).mean(-1)
    np.testing.assert_allclose(metrics.sigmoid_cross_entropy(logits, labels), expected, rtol=1e-5)


def torch_bce(logits, labels):
    """BCELoss of the softmax, as torch documents it, in float64."""
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p = p / p.sum(-1, keepdims=True)
    with np.errstate(divide='ignore'):
        each = labels * np.maximum(np.log(p), -100) + (1 - labels) * np.maximum(np.log(1 - p), -100)
    return -each.mean(-1)


@pytest.mark.slow
def test_bce_of_the_softmax_is_its_formula(key):
    logits = np.asarray(3 * jax.random.normal(key, (40, 5)), np.float64)
    labels = np.full((40, 5), 0.1) + 0.5 * np.eye(5)[np.arange(40) % 5]
    made = metrics.LOSSES['bce_softmax'](jnp.asarray(logits, jnp.float32), jnp.asarray(labels, jnp.float32))
    assert made.dtype == jnp.float32
    np.testing.assert_allclose(made, torch_bce(logits, labels), rtol=1e-5)
    logits[:, 1] = logits[:, 0] = 7  # two that are equally likely
    made = metrics.softmax_binary_cross_entropy(jnp.asarray(logits), jnp.asarray(labels))
    np.testing.assert_allclose(made, torch_bce(logits, labels), rtol=1e-5)


def torch_bce_gradient(logits, labels):
    """The gradient of the sum of `torch_bce` with respect to the logits, with torch's clamp, in float64."""
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p = p / p.sum(-1, keepdims=True)
    with_p = (p - labels) / np.maximum(p * (1 - p), 1e-12) / logits.shape[-1]
    return p * (with_p - (with_p * p).sum(-1, keepdims=True))


@pytest.mark.parametrize('std', [1.0, 3.0])
@pytest.mark.slow
def test_bce_torch_is_torch_s_formula_and_gradient(std, key):
    logits = np.asarray(std * jax.random.normal(key, (40, 10)), np.float64)
    labels = np.full((40, 10), 0.02) + 0.8 * np.eye(10)[np.arange(40) % 10]
    given = jnp.asarray(logits, jnp.float32), jnp.asarray(labels, jnp.float32)
    value, gradient = jax.value_and_grad(lambda *a: metrics.LOSSES['bce_torch'](*a).sum())(*given)
    np.testing.assert_allclose(value, torch_bce(logits, labels).sum(), rtol=1e-4)
    expected = torch_bce_gradient(logits, labels)
    np.testing.assert_allclose(gradient, expected, rtol=2e-3, atol=2e-3 * abs(expected).max())


@pytest.mark.slow
def test_bce_torch_clips_where_bce_softmax_is_exact():
    logits, labels = jnp.array([[40.0, 0.0, 0.0]]), jnp.array([[0.0, 1.0, 0.0]])
    value, gradient = jax.value_and_grad(lambda x: metrics.torch_binary_cross_entropy(x, labels)[0])(logits)
    # p is 1 in float32, so log(1 - p) is -100; the others are exp(-40).
    assert float(value) == pytest.approx((100 + 40) / 3, rel=1e-5)
    exact, slope = jax.value_and_grad(lambda x: metrics.softmax_binary_cross_entropy(x, labels)[0])(logits)
    assert float(exact) == pytest.approx((40 + 40 - np.log(2)) / 3, rel=1e-5)
    # exp(-40) / 1e-12 of the gradient is left.
    assert abs(float(gradient[0, 1])) < 1e-5 and abs(float(slope[0, 1])) > 0.3


@pytest.mark.parametrize('scale', [0.0, 20.0, 60.0, 1e4])
@pytest.mark.slow
def test_bce_of_the_softmax_and_its_gradient_are_finite_for_sure_networks(scale):
    logits = scale * jnp.array([[1.0, 0.0, -1.0]] * 4)
    labels = jnp.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.25, 0.25]])
    value, gradient = jax.jit(
        jax.value_and_grad(lambda x: metrics.softmax_binary_cross_entropy(x, labels).sum())
    )(logits)
    assert np.isfinite(value) and np.isfinite(gradient).all()
    each = metrics.softmax_binary_cross_entropy(logits, labels)
    if scale == 20.0:  # 1 - p = exp(-20), where float32's p is 1
        assert float(each[1]) == pytest.approx(40 / 3, rel=1e-4) and abs(gradient[1]).max() > 0.3
    if scale == 1e4:
        assert float(each[2]) == pytest.approx(200 / 3) and float(each[0]) == 0


def test_smoothing_keeps_the_sum():
    labels = metrics.smooth(jnp.eye(4), 0.1)
    np.testing.assert_allclose(labels.sum(-1), 1, rtol=1e-6)
    assert float(labels[0, 0]) == pytest.approx(0.925) and float(labels[0, 1]) == pytest.approx(0.025)


def test_label_share_is_lam_weighted():
    labels = jnp.array([[0.7, 0.3, 0.0]] * 3)
    np.testing.assert_allclose(metrics.label_share(jnp.eye(3), labels), [0.7, 0.3, 0.0], rtol=1e-6)


@pytest.mark.parametrize('k', [1, 2, 3])
@pytest.mark.slow
def test_in_top_is_a_stable_sort(k, key):
    logits = jax.random.randint(key, (200, 3), 0, 3).astype(jnp.float32)  # with many ties
    label = jax.random.randint(key, (200,), 0, 3)
    ranked = np.argsort(-np.asarray(logits), axis=-1, kind='stable')[:, :k]
    expected = (ranked == np.asarray(label)[:, None]).any(-1)
    np.testing.assert_array_equal(metrics.in_top(logits, label, k), expected)
    if k == 1:
        np.testing.assert_array_equal(logits.argmax(-1) == label, expected)


@pytest.mark.slow
def test_nan_scores_are_wrong():
    assert metrics.in_top(jnp.full((1, 4), jnp.nan), jnp.array([0]), 1).tolist() == [0.0]
