"""`config.init`: what a training starts from."""

import json
import shutil

import numpy as np
import pytest

from resizemix_jax import build, train
from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.export import export
from resizemix_jax.run import files as run_files
from resizemix_jax.run.checkpoint import Checkpoints
from resizemix_jax.weights import files, initial
from resizemix_jax.weights.torch_layout import HEAD
from tests import tiny

SMALL = dict(steps=2, epochs=1, **tiny.WIDE)


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """A trained run, and its network as files."""
    workdir = tmp_path_factory.mktemp('source') / 'run'
    train.train_and_evaluate(tiny.config(**SMALL), workdir)
    export(tiny.config(**SMALL), workdir)
    return workdir


def network(workdir):
    with Checkpoints(workdir) as checkpoints:
        return checkpoints.network()[0]


def read(**values):
    config = tiny.config(**SMALL | values)
    return initial.read(config, build.template(build.plan(config)))


@pytest.mark.parametrize('name', ['', 'export/model.safetensors', 'export/model.pth'])
@pytest.mark.slow
def test_a_run_and_its_files_give_the_same_bits(name, source):
    found = read(init=str(source / name))
    expected = network(source)
    given = {f'params/{path}': array for path, array in found.network.params.items()}
    given |= {f'batch_stats/{path}': array for path, array in found.network.batch_stats.items()}
    assert given.keys() == expected.keys()
    assert all(np.array_equal(given[path], expected[path]) for path in expected)
    assert found.record['sha256'] == read(init=str(source)).record['sha256'] and found.record['new'] == []


def test_nothing_is_read_where_nothing_is_named():
    assert read() is None


def test_another_number_of_classes_gets_a_new_head(source, caplog):
    with caplog.at_level('INFO', logger='resizemix_jax'):
        found = read(init=str(source), dataset_args__num_classes=7)
    assert 'has 4 classes, and the dataset 7' in caplog.text
    assert found.record['new'] == [f'{HEAD}/bias', f'{HEAD}/kernel']
    assert not any(path.startswith(HEAD) for path in found.network.params)


def test_a_backbone_alone(source):
    found = read(init=str(source), init_scope='backbone')
    assert {path.partition('/')[0] for part in found.network for path in part} == {'backbone'}


@pytest.mark.slow
def test_a_training_starts_from_the_weights_and_records_them(source, tmp_path):
    config = tiny.config(
        **SMALL, init=str(source), dataset_args__num_classes=7, schedule_args__lr=1e-30,
        optimizer_args__weight_decay=0.0,
    )  # fmt: skip
    train.train_and_evaluate(config, tmp_path / 'run')
    before, after = network(source), network(tmp_path / 'run')
    same = {
        path for path in before if path.startswith('params') and np.array_equal(before[path], after[path])
    }
    assert same == {path for path in before if path.startswith('params') and HEAD not in path}
    rows = run_files.read_rows(tmp_path / 'run' / 'identity.jsonl')[0]
    assert rows[0]['init']['sha256'] and rows[0]['init']['step'] == 2
    # A run that continues has its own weights, wherever those that it started from are.
    shutil.copytree(tmp_path / 'run', tmp_path / 'moved')
    config.init = str(tmp_path / 'gone')
    with pytest.raises(ConfigError, match='init: .* -> '):
        train.train_and_evaluate(config, tmp_path / 'moved')


@pytest.mark.parametrize(
    ('values', 'error', 'message'),
    [
        ({'init': 'absent'}, ConfigError, "init='absent' has no checkpoint"),
        ({'init': 'absent.pth'}, ConfigError, 'absent.pth: there is no such file'),
        ({'init': 'gs://bucket/run'}, ConfigError, 'is an address; name a directory'),
        (
            {'model_args__depth': 16},
            DataError,
            'another network: it lacks backbone/group1_block2/',
        ),
        (
            {'model_args__width': 2},
            DataError,
            r'lacks backbone/group1_block1/shortcut/kernel and has',
        ),
        (
            {'dataset_args__image_shape': (8, 8, 3)},
            DataError,
            r'stem/kernel is \[3, 3, 1, 16\] there',
        ),
    ],
)
def test_what_does_not_fit_is_a_sentence(values, error, message, source):
    with pytest.raises(error, match=message):
        read(**{'init': str(source)} | values)


def test_weights_that_are_not_finite_are_refused(source, tmp_path):
    tensors, _ = files.read(source / 'export' / 'model.pth')
    tensors['bn1.bias'][0] = np.nan
    files.write_pth(tmp_path / 'x.pth', tensors)
    with pytest.raises(DataError, match="the tensor 'bn1.bias' has numbers that are NaN"):
        read(init=str(tmp_path / 'x.pth'))


@pytest.mark.slow
def test_the_record_is_json(source):
    assert json.loads(json.dumps(read(init=str(source)).record))['step'] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    'values',
    [
        {'schedule_args__lr': 0.01},
        {'init_scope': 'backbone', 'freeze': ('backbone/*',)},
        {'dataset_args__image_shape': (12, 10, 1)},
    ],
    ids=['fine-tuning', 'linear probing', 'another resolution'],
)
def test_the_examples_of_the_page(values, source, tmp_path):
    train.train_and_evaluate(tiny.config(**SMALL | values, init=str(source)), tmp_path)
    before, after = network(source), network(tmp_path)
    same = [path for path in before if np.array_equal(before[path], after[path])]
    if 'freeze' in values:
        assert same == [path for path in before if '/backbone/' in path]
    else:
        assert not [path for path in same if path.endswith('kernel')]


def test_a_head_that_is_wrong_otherwise_is_refused_and_foreign_metadata_is_not_read(source, tmp_path):
    tensors, _ = files.read(source / 'export' / 'model.pth')
    files.write_safetensors(tmp_path / 'x.safetensors', tensors, {'step': 'last'})
    assert read(init=str(tmp_path / 'x.safetensors')).record['step'] == 0
    tensors['fc.weight'] = tensors['fc.weight'][:, :-1]
    files.write_pth(tmp_path / 'x.pth', tensors)
    with pytest.raises(DataError, match='of another network: top/classifier/kernel is'):
        read(init=str(tmp_path / 'x.pth'))
