"""Every block of docs/recipes.md runs as it stands, alone, and does what the page says."""

import ast
import importlib.util
import pathlib
import re
import runpy

import jax
import numpy as np
import pytest

PAGE = pathlib.Path(__file__).parents[1] / 'docs' / 'recipes.md'
# Not a requirement of the tests: it is larger than all of them together.
MAY_BE_MISSING = {'torch'}


def blocks():
    """(name, code) of every block, named by its heading, and from the second one on by a number, too."""
    found = {}
    for section in re.split(r'^## ', PAGE.read_text('utf-8'), flags=re.M)[1:]:
        heading = section.splitlines()[0]
        for count, code in enumerate(re.findall(r'^```python\n(.*?)^```', section, re.M | re.S)):
            found[f'{heading} {count + 1}' if count else heading] = code
    return found


BLOCKS = blocks()


def run(name, folder):
    """The names that a block defines, run as a script of its own in `folder`."""
    for module in sorted(modules(BLOCKS[name])):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'{module} is not installed')
    script = folder / 'block.py'
    script.write_text(BLOCKS[name], 'utf-8')
    return runpy.run_path(str(script))


def modules(code):
    """The modules of other packages that a block imports, by their first names."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split('.')[0])
    return names - {'resizemix_jax'}


@pytest.mark.parametrize('name', BLOCKS)
@pytest.mark.slow
def test_a_block_runs_alone(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = run(name, tmp_path)
    if 'losses' in found:
        assert np.mean(found['losses'][-3:]) < 0.9 * found['losses'][0]
    else:
        check_mixed(found['images'], found['labels'])
    CHECKS.get(name, lambda found: None)(found)


def check_mixed(images, labels):
    assert images.ndim == 4 and len(images) == len(labels)
    assert np.isfinite(np.asarray(images, np.float32)).all()
    assert labels.dtype == np.float32
    np.testing.assert_allclose(labels.sum(-1), 1, rtol=1e-5)
    assert len(np.unique(np.asarray(labels))) > 2  # not all one-hot


def check_keras(found):
    assert found['model'].mixing.generator.state.value[1] == 10 * 4  # a draw a step: 10 epochs of 4
    assert pathlib.Path('network.keras').exists()


def check_dtypes(found):
    assert found['images'].dtype == 'bfloat16'


def check_several_classes(found):
    weights, both, present = (np.asarray(found[name]) for name in ('weights', 'both', 'present'))
    assert len(np.unique(weights.sum(-1).round(4))) > 2
    assert ((weights > 0) & (weights < 1)).any() and set(np.unique(both)) == {0, 1}
    assert both.sum() > present.sum()
    assert np.isfinite(found['loss'])


def check_mixers(found):
    images = np.arange(1, 65, dtype=np.float32)[:, None, None, None] * np.ones((1, 16, 16, 3), np.float32)
    labels = np.eye(64, dtype=np.float32)
    seen = {name: [kinds(*found[name](jax.random.key(i), images, labels)) for i in range(12)]
            for name in ('one_a_step', 'one_an_image')}  # fmt: skip
    assert all(len(drawn) == 1 for drawn in seen['one_a_step'])
    assert set().union(*seen['one_a_step']) == {'blended', 'pasted'}
    assert {'blended', 'pasted'} in seen['one_an_image']


def kinds(images, labels):
    """How the mixed ones of a batch of one-coloured images were made: {'blended', 'pasted'} or less."""
    mixed = np.asarray(labels).max(-1) < 1
    colours = [len(np.unique(image)) for image in np.asarray(images)[mixed]]
    return {'blended' if count == 1 else 'pasted' for count in colours}


def check_global_batch(found):
    assert found['images'].sharding.spec[0] == found['labels'].sharding.spec[0] == 'batch'
    assert communicates(found) and not partners_are_local(found)


def check_local_batch(found):
    assert found['images'].sharding.spec[0] == found['labels'].sharding.spec[0] == 'batch'
    assert not communicates(found) and partners_are_local(found)
    images, label = placed(found)
    label = jax.device_put(np.arange(len(label), dtype=np.int32) % 8, label.sharding)
    _, labels = found['mix'](jax.random.key(0), images, label)
    assert len({part.tobytes() for part in np.split(np.asarray(labels), jax.device_count())}) > 1


def placed(found):
    """A batch on the mesh of the block, whose class is the device that holds it."""
    devices = jax.device_count()
    batch = np.zeros((8 * devices, 8, 8, 3), np.float32), np.arange(8 * devices) // 8
    return jax.device_put(batch, found['images'].sharding.update(spec=jax.P('batch')))


def communicates(found):
    text = found['mix'].lower(jax.random.key(0), *placed(found)).compile().as_text()
    return any(word in text for word in ('all-gather', 'all-to-all', 'all-reduce', 'collective-permute'))


def partners_are_local(found):
    images, label = placed(found)
    _, labels = found['mix'](jax.random.key(0), images, label)
    own = np.asarray(labels)[np.arange(len(labels)), np.asarray(label)]
    return (own > 0.999).all()


CHECKS = {
    'Keras 3': check_keras,
    'uint8 images, policies, bfloat16': check_dtypes,
    'Soft and multi-label targets': check_several_classes,
    'One of several mixers': check_mixers,
    'Several devices: which batch?': check_global_batch,
    'Several devices: which batch? 2': check_local_batch,
}


def test_every_check_is_of_a_block():
    assert set(CHECKS) <= set(BLOCKS)


def test_only_torch_may_be_missing():
    needed = set().union(*map(modules, BLOCKS.values())) - MAY_BE_MISSING
    assert not {module for module in needed if importlib.util.find_spec(module) is None}
