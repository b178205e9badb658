import pytest

from resizemix_jax import build
from resizemix_jax.input.dataset import Split
from resizemix_jax.run import evaluations, files, workdir
from tests import tiny


class Data(Split):
    names, size, files = ('cat', 'dog'), 37, ()


class Renamed(Data):
    names = ('dog', 'cat')


@pytest.mark.slow
def test_a_row_is_added_each_time(tmp_path):
    plan = build.plan(tiny.config())
    for top1 in (0.5, 0.25):
        evaluations.add(tmp_path, plan, Data(), [('seed', 0, 1)], {'last_step': 8, 'last_top1': top1})
    found, _ = files.read_rows(tmp_path / 'evaluations.jsonl')
    assert [row['last_top1'] for row in found] == [0.5, 0.25] and found[0]['changes'] == [['seed', 0, 1]]


def test_a_directory_that_cannot_be_written_is_a_warning(tmp_path, caplog):
    evaluations.add(tmp_path / 'absent', build.plan(tiny.config()), Data(), [], {'last_step': 8})
    assert 'The result is not kept: cannot open' in caplog.text


def test_changes_are_those_that_can_be_seen_in_the_numbers(tmp_path, caplog):
    assert evaluations.changes(tmp_path, tiny.config()) == []
    files.write_json(tmp_path / 'config.json', workdir.stored(tiny.config()))
    assert evaluations.changes(tmp_path, tiny.config(workers=1, log_every_steps=9)) == []
    assert not caplog.text
    found = evaluations.changes(tmp_path, tiny.config(data_dir='/x', half_eval='resize'))
    assert found == [('data_dir', '', '/x'), ('half_eval', 'full', 'resize')]
    assert 'half_eval: full -> resize' in caplog.text


def test_other_classes_are_a_warning(tmp_path, caplog):
    evaluations.check_classes(tmp_path, Data())
    row = {'step': 0, 'data': {'eval': workdir.identity.fingerprint(Data())}}
    files.write_rows(tmp_path / 'identity.jsonl', [row])
    evaluations.check_classes(tmp_path, Data())
    assert not caplog.text
    evaluations.check_classes(tmp_path, Renamed())
    assert 'The classes of this data differ' in caplog.text
