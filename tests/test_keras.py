"""The layer `Mixing`, on Keras itself."""

import os
import subprocess
import sys
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np
import pytest

os.environ['KERAS_BACKEND'] = 'jax'
keras = pytest.importorskip('keras', reason='keras is not installed')

from resizemix_jax import cutmix, resizemix  # noqa: E402
from resizemix_jax.keras import Mixing  # noqa: E402

IMAGES = np.random.default_rng(0).normal(size=(8, 8, 8, 3)).astype(np.float32)
LABEL = np.arange(8) % 5
LABELS = np.eye(5, dtype=np.float32)[LABEL]


def equal(found, expected):
    for one, two in zip(found, expected, strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(np.asarray(one, np.float32), np.asarray(two, np.float32))


def state(layer):
    return np.asarray(layer.generator.state.value).tolist()


@pytest.mark.slow
def test_it_does_what_the_op_does():
    key = jax.random.wrap_key_data(jnp.array([3, 0], jnp.uint32))
    expected = jax.jit(lambda *batch: resizemix(key, *batch, per='sample'))(IMAGES, LABELS)
    equal(Mixing('resizemix', per='sample', seed=3)((IMAGES, LABELS)), expected)
    equal(Mixing(resizemix, per='sample', seed=3)((IMAGES, LABELS)), expected)


@pytest.mark.slow
def test_a_dict_returns_as_one():
    pair = Mixing('cutmix', prob=1.0, seed=0)((IMAGES, LABELS))
    mixed = Mixing('cutmix', prob=1.0, seed=0)({'images': IMAGES, 'labels': LABELS})
    assert set(mixed) == {'images', 'labels'}
    equal((mixed['images'], mixed['labels']), pair)


@pytest.mark.parametrize('label', [LABEL, LABEL.astype(np.uint8)[:, None], LABELS.astype(np.float64)])
@pytest.mark.parametrize('training', [True, False])
@pytest.mark.slow
def test_labels_of_any_kind_become_soft(label, training):
    found = Mixing('resizemix', num_classes=5, seed=0)((IMAGES, label), training=training)
    equal(found, Mixing('resizemix', seed=0)((IMAGES, LABELS), training=training))
    assert found[1].shape == (8, 5) and found[1].dtype == jnp.float32


@pytest.mark.slow
def test_every_call_makes_new_draws_and_the_seed_decides():
    layer, twin = Mixing('resizemix', seed=1), Mixing('resizemix', seed=1)
    first, second = layer((IMAGES, LABELS)), layer((IMAGES, LABELS))
    assert (first[0] != second[0]).any()
    equal(twin((IMAGES, LABELS)), first)
    equal(twin((IMAGES, LABELS)), second)
    assert state(layer) == [1, 2]


def test_nothing_is_mixed_or_drawn_outside_training():
    layer = Mixing('resizemix', seed=1)
    equal(layer((IMAGES, LABELS), training=False), (IMAGES, LABELS))
    assert state(layer) == [1, 0]


@pytest.mark.slow
def test_bytes_keep_their_scale():
    images = np.full((4, 8, 8, 3), 200, np.uint8)
    mixed, _ = Mixing('resizemix')((images, LABELS[:4]))
    equal((mixed,), (images.astype(np.float32),))


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.slow
def test_labels_stay_float32_under_a_bfloat16_policy(training):
    smooth = 0.9 * LABELS + np.float32(0.02)
    images, labels = Mixing('resizemix', dtype='mixed_bfloat16', seed=0)((IMAGES, smooth), training=training)
    assert images.dtype == jnp.bfloat16
    equal((labels,), Mixing('resizemix', seed=0)((IMAGES, smooth), training=training)[1:])


def test_a_map_of_the_dict_guides_an_op_that_takes_one():
    layer = Mixing('saliencymix', prob=1.0, per='sample', seed=0)
    saliency = abs(IMAGES).mean(-1)
    mixed = layer({'images': IMAGES, 'labels': LABELS, 'saliency': saliency})
    other = Mixing('saliencymix', prob=1.0, per='sample', seed=0)(
        {'images': IMAGES, 'labels': LABELS, 'saliency': saliency[:, ::-1, ::-1]}
    )
    assert set(mixed) == {'images', 'labels'}
    assert (mixed['images'] != other['images']).any()


def test_in_a_functional_model():
    inputs = keras.Input((8, 8, 3)), keras.Input((), dtype='int32')
    outputs = Mixing('resizemix', num_classes=5, seed=0)(inputs)
    assert [output.shape for output in outputs] == [(None, 8, 8, 3), (None, 5)]
    model = keras.Model(inputs, outputs)
    found = model([IMAGES, LABEL.astype(np.int32)], training=True)
    equal(found, Mixing('resizemix', seed=0)((IMAGES, LABELS)))
    equal(model.predict([IMAGES, LABEL], verbose=0), (IMAGES, LABELS))


@keras.saving.register_keras_serializable('tests')
def mirrored(key, images, labels, *, axis=2):
    """An op of somebody's own."""
    del key
    return jnp.flip(images, axis), labels


@pytest.mark.parametrize(
    'make',
    [
        lambda: Mixing('resizemix', tau=[0.2, 0.6], per='sample', num_classes=5, seed=3, name='mix'),
        lambda: Mixing(cutmix, prob=1.0, num_classes=5, seed=3, dtype='bfloat16'),
        lambda: Mixing(mirrored, axis=1, seed=3),
    ],
    ids=['name', 'function', 'own'],
)
@pytest.mark.slow
def test_a_saved_layer_is_the_same(make, tmp_path):
    layer = make()
    inputs = keras.Input((8, 8, 3)), keras.Input((5,))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / 'model.keras')
    loaded = keras.saving.load_model(tmp_path / 'model.keras').layers[-1]
    assert loaded.get_config() == layer.get_config()
    equal(loaded((IMAGES, LABELS)), layer((IMAGES, LABELS)))


class Trained(keras.Model):
    """Mixes in the training step, as docs/recipes.md shows, and keeps what it was trained on."""

    def __init__(self, mixing):
        super().__init__()
        self.mixing = mixing
        self.head = keras.Sequential([keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(5)])
        self.seen = []

    def call(self, images):
        return self.head(images)

    def train_step(self, state, data):
        trainable, non_trainable, *rest = state
        variables = self.non_trainable_variables
        with keras.StatelessScope(zip(variables, non_trainable, strict=True)) as scope:
            data = self.mixing(data)
        jax.debug.callback(lambda labels: self.seen.append(np.asarray(labels)), data[1], ordered=True)
        non_trainable = [scope.get_current_value(variable) for variable in variables]
        return super().train_step((trainable, non_trainable, *rest), data)


@pytest.mark.parametrize('steps_per_execution', [1, 2])
@pytest.mark.slow
def test_a_compiled_fit_makes_new_draws_in_every_step(steps_per_execution):
    model = Trained(Mixing('resizemix', per='sample', seed=7))
    model.compile('sgd', keras.losses.CategoricalCrossentropy(from_logits=True), jit_compile=True,
                  steps_per_execution=steps_per_execution)  # fmt: skip
    model.fit(IMAGES, LABELS, batch_size=8, epochs=4, shuffle=False, verbose=0)
    model.evaluate(IMAGES, LABELS, verbose=0)
    jax.effects_barrier()
    assert state(model.mixing) == [7, 4]
    twin = Mixing('resizemix', per='sample', seed=7)
    equal(model.seen, [twin((IMAGES, LABELS))[1] for _ in range(4)])
    assert len({labels.tobytes() for labels in model.seen}) == 4


@pytest.mark.parametrize(
    ('backend', 'said'),
    [
        ('numpy', "ValueError: the Keras backend is 'numpy' and must be 'jax'"),
        pytest.param(
            'tensorflow',
            "ModuleNotFoundError: No module named 'tensorflow': before keras is imported",
            marks=pytest.mark.skipif(bool(find_spec('tensorflow')), reason='TensorFlow is installed'),
        ),
    ],
)
@pytest.mark.slow
def test_another_backend_is_refused(backend, said):
    code = "from resizemix_jax.keras import Mixing; Mixing('resizemix')"
    ran = subprocess.run([sys.executable, '-c', code], env={**os.environ, 'KERAS_BACKEND': backend},
                         capture_output=True, text=True, check=False)  # fmt: skip
    last = ran.stderr.splitlines()[-1]
    assert last.startswith(said) and 'KERAS_BACKEND=jax' in last


def test_channels_first_are_refused():
    with pytest.raises(ValueError, match="data_format='channels_first' must be 'channels_last'.*transpose"):
        Mixing('resizemix', data_format='channels_first')
    keras.config.set_image_data_format('channels_first')
    try:
        with pytest.raises(ValueError, match="data_format='channels_first' must be"):
            Mixing('resizemix')
        assert Mixing('resizemix', data_format='channels_last').data_format == 'channels_last'
    finally:
        keras.config.set_image_data_format('channels_last')


@pytest.mark.parametrize(
    ('op', 'keywords', 'message'),
    [
        ('resizemx', {}, "there is no 'resizemx'.*did you mean resizemix"),
        ('resizemix', {'alpha': 1}, 'resizemix does not take alpha; it takes: tau, per, method, antialias'),
        (5, {}, 'op=5 must be the name of a mixing op or a function'),
    ],
)
def test_what_is_no_op_is_refused(op, keywords, message):
    with pytest.raises(ValueError, match=message):
        Mixing(op, **keywords)


@pytest.mark.parametrize(
    ('data', 'got'),
    [
        (IMAGES, 'got ArrayImpl'),
        ((IMAGES, LABELS, LABEL), 'got tuple'),
        ({'images': IMAGES}, "got a dict of 'images'"),
        (
            {'images': IMAGES, 'labels': LABELS, 'bounding_boxes': LABELS},
            "'bounding_boxes'. Leave out.*boxes",
        ),
    ],
)
@pytest.mark.slow
def test_data_of_another_form_are_refused(data, got):
    with pytest.raises(
        ValueError, match=rf"takes \(images, labels\) or a dict of 'images', 'labels'; .*{got}"
    ):
        Mixing('resizemix')(data)
