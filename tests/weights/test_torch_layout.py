import numpy as np
import pytest

from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.models import wide_resnet as module
from resizemix_jax.weights.torch_layout import Layout, Network
from tests.reference.make_weights import FILE, NETWORKS, digest
from tests.weights import networks

RECORDED = np.load(FILE)
SMALL = [name for name, (*_, logits) in NETWORKS.items() if logits]


@pytest.mark.parametrize('name', NETWORKS)
@pytest.mark.slow
def test_the_names_and_shapes_are_those_of_the_public_network(name):
    _, _, shapes = networks.layout_and_shapes(name)
    if f'{name}/shapes' in RECORDED:  # shows the difference
        assert shapes == eval(str(RECORDED[f'{name}/shapes']))  # noqa: S307
    assert digest(shapes) == str(RECORDED[f'{name}/digest'])


@pytest.mark.slow
@pytest.mark.parametrize('name', SMALL)
def test_the_logits_are_those_of_the_public_network(name):
    network = networks.network(name)
    _, images, variables = networks.state_dict(name, network)
    logits = networks.apply(network, variables, images)
    expected = RECORDED[f'{name}/logits']
    assert np.abs(logits - expected).max() <= 3e-6 * np.abs(expected).max()


@pytest.mark.parametrize('name', SMALL)
def test_there_and_back_every_bit_is_the_same(name):
    layout, template, _ = networks.layout_and_shapes(name)
    rng = np.random.default_rng(0)
    drawn = Network(
        *({p: rng.standard_normal(leaf.shape, np.float32) for p, leaf in part.items()} for part in template)
    )
    tensors = layout.to_torch(drawn, step=7)
    back = layout.from_torch(tensors, template, 'a file')
    for part, expected in zip(back, drawn, strict=True):
        assert part.keys() == expected.keys()
        assert all(np.array_equal(part[path], expected[path]) for path in part)
    counters = {int(tensors[key]) for key in tensors if key.endswith('num_batches_tracked')}
    assert counters == ({7} if template.batch_stats else set())
    assert all(array.flags['C_CONTIGUOUS'] for array in tensors.values())


def test_other_names_are_listed():
    layout, template, shapes = networks.layout_and_shapes('wrn10')
    tensors = {key: np.zeros(shape, np.float32) for key, shape in shapes.items()}
    tensors['extra.weight'] = tensors.pop('bn1.bias')
    with pytest.raises(
        DataError, match=r'x\.pth is not of this network: it lacks bn1\.bias and has extra\.weight'
    ):
        layout.from_torch(tensors, template, 'x.pth')


def test_a_part_of_the_network_needs_a_part_of_the_file():
    layout, template, shapes = networks.layout_and_shapes('wrn10')
    tensors = {key: np.zeros(shape, np.float32) for key, shape in shapes.items() if 'fc' not in key}
    found = layout.from_torch(tensors, template, 'x.pth', prefix='backbone/')
    assert found.params and all(path.startswith('backbone/') for part in found for path in part)


def test_a_network_without_a_layout_is_a_sentence():
    with pytest.raises(
        ConfigError, match="model='my_code.net' has no torch layout; there are layouts of: resnet"
    ):
        Layout('my_code.net', {})


def test_every_network_of_the_package_has_a_layout():
    assert {model for model, *_ in NETWORKS.values()} >= {'resnet', 'wide_resnet', 'shake_shake', 'vit'}
    assert {args.get('variant', 'original') for _, args, *_ in NETWORKS.values()} == set(module.VARIANTS)
