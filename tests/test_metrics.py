import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from resizemix_jax import metrics


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


def test_bce_is_the_mean_over_classes(key):
    logits, labels = jax.random.normal(key, (6, 5)), jnp.full((6, 5), 0.25)
    expected = optax.sigmoid_binary_cross_entropy(logits, labels).mean(-1)
    np.testing.assert_allclose(metrics.sigmoid_cross_entropy(logits, labels), expected, rtol=1e-5)


def test_smoothing_keeps_the_sum():
    labels = metrics.smooth(jnp.eye(4), 0.1)
    np.testing.assert_allclose(labels.sum(-1), 1, rtol=1e-6)
    assert float(labels[0, 0]) == pytest.approx(0.925) and float(labels[0, 1]) == pytest.approx(0.025)


def test_label_share_is_lam_weighted():
    labels = jnp.array([[0.7, 0.3, 0.0]] * 3)
    np.testing.assert_allclose(metrics.label_share(jnp.eye(3), labels), [0.7, 0.3, 0.0], rtol=1e-6)


@pytest.mark.parametrize('k', [1, 2, 3])
def test_in_top_is_a_stable_sort(k, key):
    logits = jax.random.randint(key, (200, 3), 0, 3).astype(jnp.float32)  # with many ties
    label = jax.random.randint(key, (200,), 0, 3)
    ranked = np.argsort(-np.asarray(logits), axis=-1, kind='stable')[:, :k]
    expected = (ranked == np.asarray(label)[:, None]).any(-1)
    np.testing.assert_array_equal(metrics.in_top(logits, label, k), expected)
    if k == 1:
        np.testing.assert_array_equal(logits.argmax(-1) == label, expected)


def test_nan_scores_are_wrong():
    assert metrics.in_top(jnp.full((1, 4), jnp.nan), jnp.array([0]), 1).tolist() == [0.0]
