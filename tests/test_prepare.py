import importlib.util
import json
import shutil
import types

import numpy as np
import pytest

from resizemix_jax import prepare
from resizemix_jax.datasets.fashion_mnist import fashion_mnist
from resizemix_jax.input import idx
from tests.input import directories, miniature


def test_tensorflow_is_asked_for(monkeypatch, capsys):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name: None if name == 'tensorflow' else found(name)
    )
    assert prepare.main(['cifar100']) == 2
    assert "In an environment of its own: pip install 'resizemix-jax[prepare]'" in capsys.readouterr().err


def test_an_unknown_name_lists_the_close_ones(capsys):
    assert prepare.main(['cifar']) == 2
    assert 'TFDS has no dataset cifar; similar names: cifar1' in capsys.readouterr().err


def test_prepared_means_that_it_is_read(monkeypatch, tmp_path, capsys):
    # TFDS leaves a dataset that is already there as it is; so no network is needed to go through the command.
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: True)
    directories.write(tmp_path, 'cifar10', {'train': 20, 'test': 10})
    assert prepare.main(['cifar10', f'--data_dir={tmp_path}']) == 0
    assert f'cifar10 is in {tmp_path}' in capsys.readouterr().out


@pytest.mark.parametrize('file_format', ['array_record', 'tfrecord'])
@pytest.mark.slow
def test_a_copy_of_either_format_is_found(file_format, tmp_path, capsys):
    path = miniature.write(tmp_path, file_format)
    assert prepare.main(['imagenet2012', f'--data_dir={tmp_path}']) == 0
    assert f'imagenet2012 is in {path}' in capsys.readouterr().out
    next(path.glob('*validation*00001-of*')).unlink()
    assert prepare.main(['imagenet2012', f'--data_dir={tmp_path}']) == 2
    assert "1 of the 2 files of 'validation' are missing" in capsys.readouterr().err


def archives(directory, **sizes):
    directory.mkdir(parents=True)
    for name, size in sizes.items():
        with open(directory / f'ILSVRC2012_img_{name}.tar', 'wb') as file:
            file.truncate(size)  # a file of holes: it takes no room


def test_the_archives_of_imagenet_are_checked_first(tmp_path, capsys):
    assert prepare.main(['imagenet2012', f'--data_dir={tmp_path}']) == 2
    error = capsys.readouterr().err
    assert 'ILSVRC2012_img_train.tar is missing; ILSVRC2012_img_val.tar is missing' in error
    assert f'into {tmp_path}/downloads/manual, or name their directory with --manual_dir=DIR' in error
    archives(tmp_path / 'a', train=147_897_477_120, val=6_744_924_159)
    assert prepare.main(['imagenet2012', f'--data_dir={tmp_path}', f'--manual_dir={tmp_path}/a']) == 2
    assert 'ILSVRC2012_img_val.tar has 6744924159 bytes, not 6744924160' in capsys.readouterr().err


def test_a_disk_that_is_too_small_is_told(tmp_path, monkeypatch, capsys):
    archives(tmp_path / 'a', train=147_897_477_120, val=6_744_924_160)
    command = ['imagenet2012', f'--data_dir={tmp_path}/new', f'--manual_dir={tmp_path}/a', '--dry_run']
    for free, code in ((300e9, 2), (310e9, 0)):
        monkeypatch.setattr(shutil, 'disk_usage', lambda path, free=free: types.SimpleNamespace(free=free))
        monkeypatch.setattr(importlib.util, 'find_spec', lambda name: True)
        assert prepare.main(command) == code
        output, error = capsys.readouterr()
        assert f'{free / 1e9:.1f} GB are free, about 309.3 GB are needed while preparing' in output
        assert ('free some space, or name another disk' in error) == (code == 2)
        assert ('nothing was done (--dry_run)' in output) == (code == 0)
    assert not (tmp_path / 'new').exists()


def test_what_has_to_be_got_by_hand_is_told(tmp_path, capsys):
    assert prepare.main(['resisc45', f'--data_dir={tmp_path}']) == 2
    assert 'resisc45 has to be downloaded by hand. TFDS says:' in capsys.readouterr().err


def test_an_address_is_refused_by_the_name_of_its_flag(tmp_path, capsys):
    assert prepare.main(['cifar10', '--data_dir=gs://bucket/data', '--dry_run']) == 2
    assert '--data_dir=gs://bucket/data is an address; name a directory' in capsys.readouterr().err
    assert prepare.main(['cifar10', f'--data_dir={tmp_path}', '--manual_dir=gs://bucket', '--dry_run']) == 2
    assert '--manual_dir=gs://bucket is an address' in capsys.readouterr().err


@pytest.mark.parametrize('name', ['', '../x', 'cifar10:train', 'cifar10/x', 'imagenette/none'])
def test_other_names_are_a_sentence(name, tmp_path, capsys):
    assert prepare.main([name, f'--data_dir={tmp_path}', '--dry_run']) == 2
    error = capsys.readouterr().err
    assert f'TFDS has no dataset {name}' in error or f'TFDS cannot prepare {name}: ValueError: ' in error


@pytest.mark.skipif(importlib.util.find_spec('tensorflow') is not None, reason='TensorFlow is here')
def test_a_dataset_whose_code_needs_tensorflow_is_a_sentence(tmp_path, capsys):
    assert prepare.main(['coco', f'--data_dir={tmp_path}', '--dry_run']) == 2
    assert 'coco needs a module to be prepared (' in capsys.readouterr().err


def test_configs_are_prepared_and_found_by_name(tmp_path, capsys):
    assert prepare.main(['imagenette', f'--data_dir={tmp_path}', '--dry_run']) == 2
    assert 'imagenette/full-size-v2: ' in capsys.readouterr().out
    directories.write(tmp_path / 'other', 'imagenette', {'train': 20, 'validation': 10})
    path = tmp_path / 'imagenette/full-size-v2/1.0.0'
    path.parent.mkdir(parents=True)
    shutil.move(tmp_path / 'other/imagenette/1.0.0', path)
    about = json.loads((path / 'dataset_info.json').read_text())
    (path / 'dataset_info.json').write_text(json.dumps(about | {'configName': 'full-size-v2'}))
    for name in ('imagenette/full-size-v2', 'imagenette'):
        assert prepare.main([name, f'--data_dir={tmp_path}']) == 0
        assert f'imagenette/full-size-v2 is in {path}' in capsys.readouterr().out


@pytest.mark.slow
def test_a_name_beside_versions_is_no_traceback(tmp_path, capsys):
    directories.write(tmp_path, 'cifar10', {'train': 20, 'test': 10})
    (path,) = (tmp_path / 'cifar10').iterdir()
    shutil.copytree(path, path.with_name('3.0.2.bak'))
    assert prepare.main(['cifar10', f'--data_dir={tmp_path}']) == 0
    (path / 'dataset_info.json').write_text('')
    assert prepare.main(['cifar10', f'--data_dir={tmp_path}']) == 2
    assert f'{path}/dataset_info.json is damaged' in capsys.readouterr().err


def test_the_published_files_are_enough(tmp_path, capsys):
    source, root = tmp_path / 'source', tmp_path / 'data'
    source.mkdir()
    command = ['fashion_mnist', f'--data_dir={root}', f'--manual_dir={source}']
    images, label = directories.write_idx(source, 'train', 30)
    assert prepare.main(command) == 2
    assert f'{source} has no t10k-images-idx3-ubyte.gz' in capsys.readouterr().err
    directories.write_idx(source, 'test', 20)
    assert prepare.main([*command, '--dry_run']) == 0
    assert 'nothing was done' in capsys.readouterr().out and not root.exists()
    assert prepare.main(command) == 0
    assert f'fashion_mnist is in {root}/fashion_mnist/3.0.1' in capsys.readouterr().out
    split = fashion_mnist().read('train', str(root))
    np.testing.assert_array_equal(split.images[..., 0], images)
    np.testing.assert_array_equal(split.label, label)
    assert split.names[0] == 'T-shirt/top'
    assert prepare.main(command) == 0  # it is there
    assert [p.name for p in root.iterdir()] == ['fashion_mnist']


def test_published_files_of_another_size_are_refused(tmp_path, capsys):
    for split in ('train', 'test'):
        directories.write_idx(tmp_path, split, 10)
        file, _ = idx.find(tmp_path, split)
        file.write_bytes(directories.encode_idx(np.zeros((10, 14, 14), np.uint8)))
    assert prepare.main(['mnist', f'--data_dir={tmp_path}/data', f'--manual_dir={tmp_path}']) == 2
    assert "mnist: its images are (28, 28), and those of 'train' (14, 14)" in capsys.readouterr().err
    assert not (tmp_path / 'data').exists()


def test_what_is_in_the_way_is_not_overwritten(tmp_path, capsys):
    (tmp_path / 'data/mnist/mine').mkdir(parents=True)
    assert prepare.main(['mnist', f'--data_dir={tmp_path}/data', f'--manual_dir={tmp_path}']) == 2
    assert 'data/mnist holds no prepared version; delete it' in capsys.readouterr().err
