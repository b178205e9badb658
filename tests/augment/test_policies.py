"""The laws of the policies: reading, drawing, refusals. `test_ops` tests the operations."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.augment import _policy as policies
from resizemix_jax.augment.autoaugment import autoaugment
from resizemix_jax.find import find, keywords, names
from tests.augment.policy_file import write

WARPING = [
    name for name in names('augment') if {'fill', 'interpolation'} <= set(keywords(find('augment', name)))
]
IMAGES = np.random.default_rng(0).integers(0, 256, (8, 12, 10, 3), np.uint8)


def test_published_files_are_complete():
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


@pytest.mark.slow
def test_rows_are_equally_likely_and_operations_have_their_probability(tmp_path, key):
    # Rows that turn one grey into others: 255 - 10 surely; then, one time in four, the four upper bits.
    rows = [[['Invert', 1.0, 0], ['Posterize', 0.25, 0]], [['Identity', 1.0, 0], ['Identity', 1.0, 0]]]
    images = jnp.full((8000, 2, 2, 1), 10, jnp.uint8)
    out = np.asarray(jax.jit(functools.partial(autoaugment, policy=write(tmp_path, rows)))(key, images))
    assert (out == out[:, :1, :1]).all()
    values, counts = np.unique(out[:, 0, 0, 0], return_counts=True)
    assert values.tolist() == [10, 240, 245]
    expected = np.array([4000, 1000, 3000])
    assert (abs(counts - expected) < 6 * expected**0.5).all()


@pytest.mark.slow
def test_one_draw_a_batch(tmp_path):
    rows = [[['Invert', 0.5, 0], ['Identity', 1.0, 0]], [['Solarize', 0.5, 9], ['Identity', 1.0, 0]]]
    images = jnp.full((16, 2, 2, 1), 30, jnp.uint8)
    function = jax.jit(functools.partial(autoaugment, policy=write(tmp_path, rows), per='batch'))
    outputs = [np.unique(function(jax.random.key(seed), images)) for seed in range(12)]
    assert all(len(values) == 1 for values in outputs)
    assert len({int(values[0]) for values in outputs}) == 2


@pytest.mark.slow
def test_both_signs_are_equally_likely(tmp_path, key):
    image = np.zeros((1, 5, 5, 1), np.uint8)
    image[0, 2, 2] = 9
    rows = [[['TranslateX', 1.0, 1], ['Identity', 1.0, 0]]]
    images = jnp.broadcast_to(image, (4000, 5, 5, 1))
    out = np.asarray(jax.jit(functools.partial(autoaugment, policy=write(tmp_path, rows)))(key, images))
    columns, counts = np.unique(np.nonzero(out)[2], return_counts=True)
    assert columns.tolist() == [1, 3] and abs(counts[0] - 2000) < 6 * 2000**0.5


@pytest.mark.parametrize('name', WARPING)
@pytest.mark.slow
def test_fill_and_interpolation_reach_the_warps(name, tmp_path, key):
    """On white images, of which black and grey can only come from outside."""
    images = jnp.full((32, 8, 8, 1), 255, jnp.uint8)
    values = {
        'operation': {'name': 'Rotate'},
        'augmix': {'width': 1, 'depth': 1},
        'randaugment': {'n': 4, 'm': 27},
        'pba': {'progress': 0.95},
    }
    if name in ('autoaugment', 'fast_autoaugment', 'dada'):
        most = 9 if name == 'autoaugment' else 1.0
        values[name] = {'policy': write(tmp_path, [[['Rotate', 1.0, most], ['Identity', 1.0, 0.0]]])}
    function = functools.partial(find('augment', name), **values.get(name, {}))
    black, violet = (np.asarray(jax.jit(functools.partial(function, fill=f))(key, images)) for f in (0, 77))
    assert (black != violet).any()
    with pytest.raises(ValueError, match="interpolation='cubic' must be one of: nearest, bilinear"):
        function(key, images, interpolation='cubic')
    for fill in (300, float('nan'), 'black', None, (1, 2), (0, 0, 256)):
        with pytest.raises(ValueError, match=r'fill=.* must be one value in 0\.\.255'):
            function(key, images, fill=fill)


@pytest.mark.parametrize(
    ('name', 'values', 'message'),
    [
        (
            'autoaugment',
            {'policy': 'autoaugment_mnist'},
            "policy='autoaugment_mnist' must be .* autoaugment_cif",
        ),
        ('autoaugment', {'scale': 'pil'}, "scale='pil' must be one of: tf, torchvision, tpu"),
        ('autoaugment', {'per': 'image'}, "per='image' must be one of: sample, batch"),
        ('randaugment', {'n': -1}, 'n=-1 must be from 0 to 100'),
        ('randaugment', {'m': 31}, r"scale='torchvision': m=31 must be in \[0, 30\]"),
        ('randaugment', {'m': 11, 'scale': 'timm'}, r"scale='timm': m=11 must be in \[0, 10\]"),
        ('randaugment', {'scale': 'mine'}, "scale='mine' must be one of: torchvision, ildoonet, tpu, timm"),
        ('operation', {'name': 'Flip'}, "name='Flip' must be one of: Identity, ShearX"),
        ('operation', {'level': 2.0}, r'level=2.0 must be in \[0, 1\]'),
        ('augmix', {'severity': 11}, r'severity=11 must be in \(0.1, 10\]'),
        ('augmix', {'width': 0}, 'width=0 must be from 1 to 100'),
    ],
)
def test_bad_input_is_refused(name, values, message, key):
    with pytest.raises(ValueError, match=message):
        find('augment', name)(key, IMAGES, **values)


@pytest.mark.parametrize(
    'rows',
    [[], [[]], [[['Invert', 1.0, 0]], []], [[['Invert', 1.0]]], [3], {'a': 1}],
    ids=['none', 'empty', 'uneven', 'short', 'number', 'dict'],
)
def test_a_file_of_another_form_is_refused(rows, tmp_path, key):
    with pytest.raises(ValueError, match=r"mine.json: 'subpolicies' must be rows of equal length of \[oper"):
        autoaugment(key, IMAGES, policy=write(tmp_path, rows))


@pytest.mark.parametrize(
    ('entry', 'message'),
    [
        (['Flip', 0.5, 1], r"mine.json, row 0, \['Flip', 0.5, 1\]: operation='Flip' must be one of"),
        (['Rotate', 1.0, float('nan')], 'magnitude=nan must be a finite number'),
        (['Rotate', 1.0, 11], r'magnitude=11 must be in \[0, 10\]'),
        (['Rotate', 1.5, 1], r"row 0, \['Rotate', 1.5, 1\]: probability=1.5 must be in \[0, 1\]"),
    ],
)
def test_a_file_with_a_bad_entry_is_refused(entry, message, tmp_path, key):
    with pytest.raises(ValueError, match=message):
        autoaugment(key, IMAGES, policy=write(tmp_path, [[entry, entry]]))
