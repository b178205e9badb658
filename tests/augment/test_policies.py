"""The laws of the policies: what is read, drawn and refused. The operations are tested by themselves."""

import functools
import inspect
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.augment import magnitudes, ops
from resizemix_jax.augment import policy as policies
from resizemix_jax.augment.augmix import augmix
from resizemix_jax.augment.autoaugment import autoaugment
from resizemix_jax.augment.pba import pba
from resizemix_jax.augment.randaugment import SCALES, randaugment, released
from resizemix_jax.find import find, names

METHODS = [name for name in names('augment') if name not in ('none', 'crop_flip', 'normalize')]
IMAGES = np.random.default_rng(0).integers(0, 256, (8, 12, 10, 3), np.uint8)


def write(tmp_path, rows, **fields):
    path = tmp_path / 'mine.json'
    path.write_text(json.dumps({'name': 'mine', 'kind': 'policy', 'subpolicies': rows} | fields))
    return str(path)


@pytest.mark.parametrize('name', METHODS)
def test_what_holds_for_every_policy(name):
    """Shape and dtype, the key decides, one compilation, no key twice, and vmap and pmap agree."""
    function = find('augment', name)
    assert 'Law:' in function.__doc__
    parameters = list(inspect.signature(function).parameters.values())
    assert [p.name for p in parameters[:2]] == ['key', 'images']
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters[2:])
    late = {'progress': 0.9} if name == 'pba' else {'name': 'Cutout'} if name == 'operation' else {}
    jitted = jax.jit(functools.partial(function, **late))
    outputs = [np.asarray(jitted(jax.random.key(seed), IMAGES)) for seed in (0, 1, 0)]
    assert outputs[0].shape == IMAGES.shape and outputs[0].dtype == np.uint8
    np.testing.assert_array_equal(outputs[0], outputs[2])
    assert (outputs[0] != outputs[1]).any() and jitted._cache_size() == 1
    with jax.debug_key_reuse(True):
        jitted(jax.random.key(0), IMAGES)
    keys = jax.random.split(jax.random.key(0), 2)
    pair = np.stack([IMAGES, IMAGES[::-1]])
    alone = [jitted(key, images) for key, images in zip(keys, pair, strict=True)]
    parallel = jax.pmap(functools.partial(function, **late), devices=jax.devices()[:2])(keys, pair)
    np.testing.assert_array_equal(parallel, alone)
    grey = jax.eval_shape(functools.partial(function, **late), keys[0], IMAGES[..., :1])
    assert grey.shape == (8, 12, 10, 1)


@pytest.mark.parametrize(
    ('op', 'index', 'tf', 'torchvision'),
    [
        ('ShearY', 8, (0, 0.24, True), (0, 0.26667, True)),
        ('Rotate', 2, (0, 6, True), (0, 6.66667, True)),
        ('TranslateX', 9, (0, 9, True), (0, 14, True)),
        ('Solarize', 5, (128, 0, False), (113.3333, 0, False)),
        ('Posterize', 7, (2, 0, False), (5, 0, False)),
        ('Color', 7, (1.36, 0, False), (1, 0.7, True)),
        ('Equalize', 3, (0, 0, False), (0, 0, False)),
    ],
)
def test_the_two_readings_of_an_index(op, index, tf, torchvision):
    assert magnitudes.tf(op, index, 32, 32) == pytest.approx(tf)
    assert magnitudes.torchvision(op, index / 9, 32, 32) == pytest.approx(torchvision, rel=1e-4)


def test_the_readings_of_the_others():
    assert magnitudes.level('Rotate', 0.5, 32, 32) == (0, 0, True)  # the middle is the identity
    assert magnitudes.level('TranslateX', 1.0, 40, 20)[1] == pytest.approx(9)  # of the width
    assert magnitudes.level('TranslateY', 0.0, 40, 20)[1] == pytest.approx(-18)
    assert magnitudes.level('Posterize', 0.8, 32, 32)[0] == 7
    assert magnitudes.tpu('Rotate', 17, 32, 32)[1] == 51  # not cut at 10
    assert magnitudes.tpu('Solarize', 9, 32, 32)[0] == 230 and magnitudes.tf('Solarize', 9, 32, 32)[0] == 26
    assert magnitudes.tpu('Posterize', 2, 32, 32)[0] == 0  # black
    assert magnitudes.tpu('Cutout', 9, 32, 32)[0] == 2 * 36
    assert magnitudes.ildoonet('Color', 14, 32, 32)[0] == pytest.approx(0.94)
    assert magnitudes.ildoonet('SolarizeAdd', 15, 32, 32)[0] == 55
    assert released('Contrast', 14, 32, 32)[0] == pytest.approx(0.94)
    assert released('Posterize', 14, 32, 32)[0] == 5
    assert released('TranslateX', 14, 32, 30)[1] == pytest.approx(0.2333 * 30, rel=1e-3)
    assert released('ShearX', 14, 32, 32)[0] == pytest.approx(0.00407, rel=1e-2)


def test_published_files_are_whole():
    counts = {path.stem: policies.read_policy(path.stem) for path in policies.FILES.glob('*.json')}
    assert {name: len(content['subpolicies']) for name, content in counts.items()} == {
        'autoaugment_cifar10': 25, 'autoaugment_cifar10_tf95': 95, 'autoaugment_imagenet': 25,
        'autoaugment_imagenet_tpu_v0': 25, 'autoaugment_svhn': 25,
        'fast_autoaugment_cifar10': 493, 'fast_autoaugment_imagenet': 498, 'fast_autoaugment_svhn': 497,
        'fast_autoaugment_arsaug_early': 35, 'dada_cifar10': 25, 'dada_cifar100': 25, 'dada_svhn': 25,
        'dada_imagenet': 25, 'pba_cifar10': 17, 'pba_svhn': 14,
    }  # fmt: skip
    for content in counts.values():
        assert content['source'] and content['license']
        lengths = {len(row) for row in content['subpolicies']}
        assert lengths == ({30} if content['kind'] == 'schedule' else {2})
        if content['kind'] == 'schedule':
            assert sum(content['segments_epochs']) == content['total_epochs']


def test_every_row_is_drawn_alike_and_every_operation_with_its_probability(tmp_path, key):
    # Rows that turn one grey into others: 255 - 10 surely; then, one time in four, the four upper bits.
    rows = [[['Invert', 1.0, 0], ['Posterize', 0.25, 0]], [['Identity', 1.0, 0], ['Identity', 1.0, 0]]]
    images = jnp.full((8000, 2, 2, 1), 10, jnp.uint8)
    out = np.asarray(jax.jit(functools.partial(autoaugment, policy=write(tmp_path, rows)))(key, images))
    assert (out == out[:, :1, :1]).all()
    values, counts = np.unique(out[:, 0, 0, 0], return_counts=True)
    assert values.tolist() == [10, 240, 245]
    expected = np.array([4000, 1000, 3000])
    assert (abs(counts - expected) < 6 * expected**0.5).all()


def test_one_draw_a_batch(tmp_path):
    rows = [[['Invert', 0.5, 0], ['Identity', 1.0, 0]], [['Solarize', 0.5, 9], ['Identity', 1.0, 0]]]
    images = jnp.full((16, 2, 2, 1), 30, jnp.uint8)
    function = jax.jit(functools.partial(autoaugment, policy=write(tmp_path, rows), per='batch'))
    outputs = [np.unique(function(jax.random.key(seed), images)) for seed in range(12)]
    assert all(len(values) == 1 for values in outputs)
    assert len({int(values[0]) for values in outputs}) == 2


def test_signs_are_drawn_alike(tmp_path, key):
    image = np.zeros((1, 5, 5, 1), np.uint8)
    image[0, 2, 2] = 9
    rows = [[['TranslateX', 1.0, 1], ['Identity', 1.0, 0]]]
    images = jnp.broadcast_to(image, (4000, 5, 5, 1))
    out = np.asarray(jax.jit(functools.partial(autoaugment, policy=write(tmp_path, rows)))(key, images))
    columns, counts = np.unique(np.nonzero(out)[2], return_counts=True)
    assert columns.tolist() == [1, 3] and abs(counts[0] - 2000) < 6 * 2000**0.5


def test_pba_draws_none_one_or_two_operations(tmp_path, key):
    # A grey tells what was done to it; what never happens does not count.
    happens = [['Posterize', 1.0, 9]] * 10 + [['Invert', 1.0, 0]] * 10  # keeps 1 bit; 255 - v
    rows = [happens + [['Brightness', 0.0, 0]] * 10, [['Brightness', 0.0, 0]] * 30]
    path = write(tmp_path, rows, kind='schedule', segments_epochs=[3, 1], total_epochs=4)
    images = jnp.full((8000, 2, 2, 1), 100, jnp.uint8)
    jitted = jax.jit(functools.partial(pba, policy=path))
    out = np.asarray(jitted(key, images, progress=0.7))[:, 0, 0, 0]
    values, counts = np.unique(out, return_counts=True)
    # none: 100; one: 0 or 155; two, without replacement of 20: PP 0, PI 255, IP 128, II 100
    p, q = 9 / 19, 10 / 19
    expected = 8000 * np.array([0.15 + 0.25 * p, 0.2 + 0.25 * p, 0.25 * q, 0.15, 0.25 * q])
    assert values.tolist() == [0, 100, 128, 155, 255]
    assert (abs(counts - expected) < 6 * expected**0.5).all()
    assert (np.asarray(jitted(key, images, progress=0.8)) == 100).all()  # the last segment, of chances 0
    with pytest.raises(ValueError, match="policy='dada_cifar10' is no schedule over epochs"):
        pba(key, IMAGES, policy='dada_cifar10')


def test_the_released_translation_moves_both_axes():
    image = np.zeros((1, 20, 20, 1), np.uint8)
    image[0, 10, 10] = 9
    images = jnp.broadcast_to(image, (4, 20, 20, 1))
    function = jax.jit(
        functools.partial(randaugment, n=1, m=14, scale='released', per='batch', interpolation='nearest')
    )
    moved = set()
    for seed in range(150):
        _, ys, xs, _ = np.nonzero(np.asarray(function(jax.random.key(seed), images)) == 9)
        if len(ys) == 4 and (ys[0], xs[0]) != (10, 10):
            assert len({*zip(ys.tolist(), xs.tolist(), strict=True)}) == 1  # one draw for the batch
            moved.add((int(ys[0]) != 10, int(xs[0]) != 10))
            assert abs(ys[0] - 10) <= 5 and abs(xs[0] - 10) <= 5
    assert {(True, True), (True, False)} <= moved  # TranslateX and TranslateY


@pytest.mark.parametrize('name', METHODS)
def test_fill_and_interpolation_reach_the_warps(name, tmp_path, key):
    """On white images, of which black and grey can only come from outside."""
    images = jnp.full((32, 8, 8, 1), 255, jnp.uint8)
    keywords = {
        'operation': {'name': 'Rotate'},
        'augmix': {'width': 1, 'depth': 1},
        'randaugment': {'n': 4, 'm': 27},
        'pba': {'progress': 0.95},
    }
    if name in ('autoaugment', 'fast_autoaugment', 'dada'):
        most = 9 if name == 'autoaugment' else 1.0
        keywords[name] = {'policy': write(tmp_path, [[['Rotate', 1.0, most], ['Identity', 1.0, 0.0]]])}
    function = functools.partial(find('augment', name), **keywords.get(name, {}))
    black, violet = (np.asarray(jax.jit(functools.partial(function, fill=f))(key, images)) for f in (0, 77))
    assert (black != violet).any()
    with pytest.raises(ValueError, match="interpolation='cubic' must be nearest or bilinear"):
        function(key, images, interpolation='cubic')
    with pytest.raises(ValueError, match='fill=300 must be one value in 0..255'):
        function(key, images, fill=300)


def test_the_released_solarizing_adds_first(key):
    images = jnp.full((4000, 2, 2, 1), 100, jnp.uint8)
    function = functools.partial(randaugment, n=1, m=14, scale='released', interpolation='nearest', fill=100)
    out = np.asarray(jax.jit(function)(key, images))[:, 0, 0, 0].astype(int)
    # Of a grey image only 100, the brightness 94, the 5 bits of 96 and the inverse come from others.
    solarized = out[~np.isin(out, (100, 94, 96, 155))]
    assert abs(len(solarized) - 4000 / 14) < 6 * (4000 / 14) ** 0.5
    kept, inverted = solarized[solarized < 128], 255 - solarized[solarized >= 128]
    assert len(kept) > 80 and len(inverted) > 80
    for added in (kept - 100, inverted - 100):
        assert added.min() >= -25 and added.max() <= 25 and added.min() < -15 and added.max() > 15


def test_no_operation_changes_nothing(key):
    np.testing.assert_array_equal(randaugment(key, IMAGES, n=0), IMAGES)


@pytest.mark.parametrize('scale', SCALES)
def test_randaugment_s_spaces(scale):
    names_, largest, _, fill, interpolation = SCALES[scale]
    sizes = {'torchvision': 14, 'ildoonet': 16, 'tpu': 16, 'timm': 15, 'released': 14 - 1}
    assert len(set(names_)) == len(names_) - (scale == 'released') == sizes[scale]
    assert set(names_) <= set(ops.OPS) and largest in (10, 30)
    assert (fill == 128) == (scale in ('tpu', 'timm'))
    assert (interpolation == 'bilinear') == (scale in ('timm', 'released'))


def test_augmix_is_half_the_image_and_half_a_chain(key):
    # Of a white image, with weights near 1/2: nothing, black by solarizing, 240 or 224 by posterizing.
    images = jnp.full((4000, 3, 3, 1), 255, jnp.uint8)
    out = np.asarray(jax.jit(functools.partial(augmix, width=1, depth=1, alpha=1e4))(key, images))[:, 1, 1, 0]
    counts = {v: int((abs(out.astype(int) - v) <= 3).sum()) for v in (255, 128, 248, 240)}
    assert sum(counts.values()) == 4000
    deep = 0.5 / 2.9  # of the levels 0.1 to 3, those from 2.5 on
    for value, share in {255: 7 / 9, 128: 1 / 9, 248: (1 - deep) / 9, 240: deep / 9}.items():
        assert abs(counts[value] - 4000 * share) < 6 * (4000 * share) ** 0.5
    # Chains of one, two and three: white stays where none of them solarizes or posterizes.
    out = np.asarray(jax.jit(functools.partial(augmix, width=1, depth=3, alpha=1e4))(key, images))[:, 1, 1, 0]
    share = sum((7 / 9) ** length for length in (1, 2, 3)) / 3
    assert abs((out >= 252).sum() - 4000 * share) < 6 * (4000 * share) ** 0.5


@pytest.mark.parametrize(
    ('name', 'keywords', 'message'),
    [
        (
            'autoaugment',
            {'policy': 'autoaugment_mnist'},
            "policy='autoaugment_mnist' must be .* autoaugment_cif",
        ),
        ('autoaugment', {'scale': 'pil'}, "scale='pil' must be one of: tf, torchvision, tpu"),
        ('autoaugment', {'per': 'image'}, "per='image' must be 'sample' or 'batch'"),
        ('randaugment', {'n': -1}, 'n=-1 must be a whole number >= 0'),
        ('randaugment', {'m': 31}, "m=31 must be between 0 and 30 on the scale 'torchvision'"),
        ('randaugment', {'m': 11, 'scale': 'timm'}, "m=11 must be between 0 and 10 on the scale 'timm'"),
        ('randaugment', {'scale': 'mine'}, "scale='mine' must be one of: torchvision, ildoonet, tpu, timm"),
        ('operation', {'name': 'Flip'}, "name='Flip' must be one of: Identity, ShearX"),
        ('operation', {'level': 2.0}, r'level=2.0 must be in \[0, 1\]'),
        ('augmix', {'severity': 11}, r'severity=11 must be in \(0.1, 10\]'),
        ('augmix', {'width': 0}, 'width=0 and depth=3 must be >= 1'),
    ],
)
def test_bad_input_is_refused(name, keywords, message, key):
    with pytest.raises(ValueError, match=message):
        find('augment', name)(key, IMAGES, **keywords)


@pytest.mark.parametrize(
    'rows',
    [[], [[]], [[['Invert', 1.0, 0]], []], [[['Invert', 1.0]]]],
    ids=['none', 'empty', 'uneven', 'short'],
)
def test_a_file_of_another_form_is_refused(rows, tmp_path, key):
    with pytest.raises(ValueError, match=r"mine.json: 'subpolicies' must be rows of equal length of \[oper"):
        autoaugment(key, IMAGES, policy=write(tmp_path, rows))


@pytest.mark.parametrize(
    ('entry', 'message'),
    [
        (['Flip', 0.5, 1], "mine.json, row 0: 'Flip' must be one of"),
        (['Rotate', 1.5, 1], r"row 0: the probability of \['Rotate', 1.5, 1\] must be in \[0, 1\]"),
    ],
)
def test_a_file_with_a_bad_entry_is_refused(entry, message, tmp_path, key):
    with pytest.raises(ValueError, match=message):
        autoaugment(key, IMAGES, policy=write(tmp_path, [[entry, entry]]))
