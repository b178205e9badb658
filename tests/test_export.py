"""--mode=export."""

import json
import pathlib
import re
import sys

import jax
import numpy as np
import pytest

from resizemix_jax import build, command, train
from resizemix_jax.errors import ConfigError, not_installed
from resizemix_jax.export import export, to_stablehlo
from resizemix_jax.run import network as networks
from resizemix_jax.weights import files
from tests import tiny

ROOT = pathlib.Path(__file__).parents[1]
CONFIG = dict(steps=2, epochs=1, half_eval='resize', **tiny.WIDE)


@pytest.fixture(scope='module')
def workdir(tmp_path_factory):
    workdir = tmp_path_factory.mktemp('export') / 'run'
    train.train_and_evaluate(tiny.config(**CONFIG), workdir)
    assert command.main(['main.py', '--mode=export', f'--workdir={workdir}']) == 0
    return workdir


@pytest.mark.slow
def test_the_program_gives_the_network_s_probabilities_for_any_number_of_images(workdir):
    program = jax.export.deserialize(bytearray((workdir / 'export' / 'model.stablehlo').read_bytes()))
    assert set(program.platforms) == {'cpu', 'cuda', 'tpu'}
    plan = build.plan(tiny.config(**CONFIG))
    network = networks.restore(plan, workdir)
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), np.uint8)
    predict = jax.jit(plan.task.predict)
    for some in (images, images[:2]):
        found = np.asarray(program.call(some))
        assert np.allclose(found, predict(network.params, network.batch_stats, some), atol=1e-6)
        assert np.allclose(found.sum(1), 1, atol=1e-6)


def block(word):
    """The block of docs/weights.md that has a word, for the images of these tests."""
    page = (ROOT / 'docs/weights.md').read_text('utf-8')
    found = [code for code in re.findall(r'^```python\n(.*?)^```', page, re.M | re.S) if word in code]
    assert len(found) == 1
    return found[0].replace('28, 28, 1', '8, 8, 1')


@pytest.mark.slow
def test_the_block_of_the_page_runs_the_program(workdir, monkeypatch):
    monkeypatch.chdir(workdir / 'export')
    names = {}
    exec(block('jax.export'), names)
    assert names['probabilities'].shape == (2, 4)


def test_a_network_that_wants_one_batch_size_is_a_sentence():
    plan = build.plan(tiny.config())
    network = networks.Network({}, {}, 1)

    class Task:
        def predict(self, params, batch_stats, images):
            return np.zeros(len(images))

    with pytest.raises(
        ConfigError, match="model='tests.small' cannot be exported for batches of any size: Ty"
    ):
        to_stablehlo(plan._replace(task=Task()), network)


def test_the_blocks_of_other_libraries_can_be_parsed():
    """They are run by hand: neither torch (gigabytes) nor ONNX Runtime is in the environment of the tests."""
    for word in ('import torch\n', 'import onnxruntime\n'):
        compile(block(word), word, 'exec')


def test_the_files_have_the_tensors_and_say_how_to_use_them(workdir):
    tensors, facts = files.read(workdir / 'export' / 'model.safetensors')
    others, _ = files.read(workdir / 'export' / 'model.pth')
    assert tensors.keys() == others.keys()
    assert all(np.array_equal(tensors[name], others[name]) for name in tensors)
    assert tensors['conv1.weight'].shape == (16, 1, 3, 3)
    row = json.loads((workdir / 'metrics.jsonl').read_text().splitlines()[-1])
    assert json.loads(facts['score']) == {'top1': row['eval_top1']}
    assert (facts['model'], facts['row'], facts['step'], facts['seed']) == (
        'wide_resnet',
        'resizemix',
        '2',
        '0',
    )
    assert json.loads(facts['model_args'])['depth'] == 10 and json.loads(facts['image_shape']) == [8, 8, 1]


def test_the_card_says_what_it_is(workdir):
    card = (workdir / 'export' / 'README.md').read_text()
    assert card.startswith('---\nlibrary_name: jax\n') and '- top1: ' in card
    assert 'those of xternalz/WideResNet-pytorch' in card and "half_eval='resize'" in card
    assert '{' not in card


def test_nothing_is_overwritten_and_nothing_is_left_half(workdir, tmp_path):
    with pytest.raises(ConfigError, match='export exists, and nothing is overwritten; name another'):
        export(tiny.config(**CONFIG), workdir)
    made = export(tiny.config(**CONFIG), workdir, tmp_path / 'other')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['other'] and made == tmp_path / 'other'


def test_a_directory_that_would_be_in_the_way_is_not_deleted(workdir, tmp_path):
    (tmp_path / 'other.part').mkdir()
    (tmp_path / 'other.part' / 'mine').write_text('kept')
    with pytest.raises(ConfigError, match=r'other\.part exists, as an export that was stopped leaves it'):
        export(tiny.config(**CONFIG), workdir, tmp_path / 'other')
    assert (tmp_path / 'other.part' / 'mine').read_text() == 'kept'


def test_a_workdir_without_a_checkpoint_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match='has no checkpoint to export; train first'):
        export(tiny.config(**CONFIG), tmp_path)
    assert not (tmp_path / 'export').exists()


@pytest.mark.slow
@pytest.mark.parametrize('package', ['safetensors', 'flatbuffers'])
def test_a_missing_package_is_found_before_anything_is_written(package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError) as error:
        export(tiny.config(**CONFIG), tmp_path)
    assert "pip install 'resizemix-jax[export]'" in not_installed(error.value)
    assert not list(tmp_path.iterdir())


def test_a_network_without_a_layout_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigError, match="model='tests.flat' has no torch layout"):
        export(tiny.config(steps=2, epochs=1, model='tests.flat'), tmp_path)
