import importlib.util

import pytest

from resizemix_jax.data import prepare


def test_tensorflow_is_asked_for(monkeypatch, capsys):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name: None if name == 'tensorflow' else found(name)
    )
    assert prepare.main(['cifar100']) == 2
    assert 'pip install -r requirements-prepare.txt' in capsys.readouterr().err


def test_an_unknown_name_lists_the_known(capsys):
    with pytest.raises(SystemExit) as exit_:
        prepare.main(['cifar'])
    assert exit_.value.code == 2
    assert 'cifar100' in capsys.readouterr().err


def test_prepared_means_that_it_is_read(monkeypatch, tmp_path, capsys):
    # TFDS leaves a dataset that is already there as it is; so no network is needed to go through the command.
    from tests.data import directories

    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: True)
    directories.write(tmp_path, 'cifar10', {'train': 20, 'test': 10})
    assert prepare.main(['cifar10', f'--data_dir={tmp_path}']) == 0
    assert f'cifar10 is in {tmp_path}' in capsys.readouterr().out
