import logging
import os
import shutil

import numpy as np
import pytest

from resizemix_jax.datasets.folder import folder
from resizemix_jax.errors import DataError
from resizemix_jax.run import identity
from tests import unprivileged
from tests.input import miniature

PICTURE = miniature.encode(miniature.pixels(20, 30, 0))


def write(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PICTURE)


@pytest.fixture
def pets(tmp_path):
    """Two classes, of two and one pictures."""
    write(tmp_path, 'train/cat/1.jpg', 'train/cat/2.jpg', 'train/dog/1.jpg', 'val/cat/3.jpg', 'val/dog/4.jpg')
    return tmp_path


def train(root):
    return folder(source=str(root)).read('train', '')


def names(split):
    """CLASS/FILE of each example."""
    return [os.path.relpath(split.records.file(row), split.records._root) for row in range(split.size)]


def refused(root, message):
    with pytest.raises(DataError, match=message):
        folder(source=str(root))


def test_folders_are_classes(tmp_path):
    miniature.write_folders(tmp_path / 'a')
    dataset = folder(source=str(tmp_path / 'a'))
    assert (dataset.sizes, dataset.num_classes) == ({'train': 41, 'eval': 23}, 4)
    (tmp_path / 'a/validation').rename(tmp_path / 'a/val')
    (tmp_path / 'a/train/class0/notes.txt').write_text('no picture')
    assert folder(source=str(tmp_path / 'a')).read('eval', '').size == 23
    shutil.rmtree(tmp_path / 'a/val/class2')  # not every class has to be evaluated
    split = folder(source=str(tmp_path / 'a'), image_size=16).read('eval', '')
    assert set(split.batch(np.arange(split.size), None)['label']) == {0, 1, 3}


@pytest.mark.parametrize('name', ['val', 'valid', 'validation', 'test'])
def test_the_folder_to_evaluate_on_has_several_names(name, pets):
    (pets / 'val').rename(pets / name)
    assert folder(source=str(pets)).read('eval', '').size == 2


@pytest.mark.parametrize('name', ['.ipynb_checkpoints', '__MACOSX', '.cache'])
def test_hidden_folders_are_no_classes(name, pets):
    write(pets, f'train/{name}/1.jpg', f'val/{name}/1.jpg', f'{name}/x.jpg', f'train/cat/{name}/5.jpg')
    split = train(pets)
    assert split.names == ('cat', 'dog') and split.size == 3


def test_hidden_files_are_no_pictures(pets):
    write(pets, 'train/cat/._1.jpg', 'train/cat/.hidden.png', 'train/.DS_Store')
    assert names(train(pets)) == ['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg']


def test_pictures_are_found_at_any_depth_in_the_order_of_torchvision(pets):
    write(pets, 'train/cat/more/0.jpg', 'train/cat/more/very/deep/7.PNG', 'train/bird/sub/1.jpg')
    split = train(pets)
    assert split.names == ('bird', 'cat', 'dog')
    assert names(split) == [
        'bird/sub/1.jpg', 'cat/1.jpg', 'cat/2.jpg', 'cat/more/0.jpg', 'cat/more/very/deep/7.PNG', 'dog/1.jpg',
    ]  # fmt: skip
    assert split.batch(np.arange(6), None)['label'].tolist() == [0, 1, 1, 1, 1, 2]


def test_an_empty_class_is_refused(pets):
    (pets / 'train/ant/none').mkdir(parents=True)
    refused(
        pets, r"class 'ant': .*train/ant holds no pictures \(.jpg.*it holds: nothing. Add pictures or remove"
    )
    for number in range(3):
        (pets / f'train/ant/none/{number}.heic').write_bytes(PICTURE)
    refused(pets, "class 'ant': .* it holds: 3 .heic. Add")
    shutil.rmtree(pets / 'train/ant')
    (pets / 'val/dog/4.jpg').unlink()
    refused(pets, "class 'dog': .*val/dog holds no pictures")


def test_broken_links_are_named(pets):
    (pets / 'train/cat/3.jpg').symlink_to(pets / 'gone.jpg')
    refused(pets, 'train/cat/3.jpg is a broken link to .*gone.jpg; restore its target or remove it')
    (pets / 'train/cat/3.jpg').unlink()
    (pets / 'train/bird').symlink_to(pets / 'gone')  # a class that would vanish, and renumber the others
    refused(pets, 'train/bird is a broken link to .*gone;')


def test_links_are_followed_but_not_in_circles(pets):
    write(pets, 'elsewhere/1.jpg', 'elsewhere/sub/2.jpg')
    (pets / 'train/bird').symlink_to(pets / 'elsewhere')
    (pets / 'train/cat/9.jpg').symlink_to(pets / 'elsewhere/1.jpg')
    assert train(pets).size == 6
    (pets / 'train/cat/again').symlink_to('..')
    refused(pets, 'train/cat/again is a link to .*train, which it lies in; remove it')


def test_only_regular_files_are_pictures(pets, caplog):
    os.mkfifo(pets / 'train/cat/pipe.jpg')  # to read it would wait for ever
    (pets / 'train/cat/folder.jpg').mkdir()
    split = train(pets)
    assert names(split) == ['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg']
    assert '1 not a regular file' in caplog.text


def test_the_log_says_the_classes_and_what_was_passed_over(pets, caplog):
    write(pets, 'train/cat/a.gif', 'train/dog/b.gif', 'train/dog/c.HEIC', 'train/dog/README', 'train/dog/.x')
    write(pets, 'train/list.csv')
    with caplog.at_level(logging.INFO):
        train(pets)
    assert [record.message for record in caplog.records] == [
        f'{pets}/train: 3 pictures of 2 classes: cat, dog',
        f'{pets}/train: passed over: 2 .gif, 1 .heic, 1 hidden, 1 outside the class folders, '
        '1 without an ending',
    ]


def test_other_folders_are_refused_with_the_remedy(tmp_path):
    with pytest.raises(ValueError, match='--config.dataset=folder:/path'):
        folder(source='')
    refused(tmp_path / 'none', 'there is no such directory')
    write(tmp_path, 'cats/1.jpg', 'dogs/1.jpg', 'x.jpg')
    refused(tmp_path, 'has no folder train; its folders: cats, dogs; its files: 1. Create .*/train/CLASS/')
    (tmp_path / 'train').mkdir()
    refused(tmp_path, 'has train but none of val, valid, validation, test; its .*. Create .*/val/CLASS/')
    (tmp_path / 'val').mkdir()
    refused(tmp_path, 'train has no folders. Each folder in it is a class: create .*/train/CLASS/')
    write(tmp_path, 'train/dogs/1.jpg', 'val/cats/1.jpg')
    refused(tmp_path, "class 'cats' is in val but not in train. Rename or move its folder")
    refused(tmp_path / 'x.jpg', 'cannot read .*x.jpg: Not a directory')


def test_folders_of_other_names_are_recognised(pets):
    (pets / 'train').rename(pets / 'Train')
    (pets / 'val').rename(pets / 'Val')
    refused(pets, 'has no folder train; its folders: Train, Val; .* Rename Train to train, and the folder to')
    (pets / 'Train').rename(pets / 'train')
    refused(pets, 'none of val, valid, validation, test; its folders: Val, train;')
    (pets / 'deeper').mkdir()
    (pets / 'train').rename(pets / 'deeper/train')
    refused(pets, f'has no folder train; .*Name the directory .*--config.dataset=folder:{pets}/deeper$')


def test_an_unreadable_folder_is_a_sentence(shared_path):
    write(shared_path, 'train/cat/1.jpg', 'val/cat/1.jpg')
    (shared_path / 'train/cat').chmod(0)
    with unprivileged.user():
        refused(shared_path, f'cannot read {shared_path}/train/cat: Permission denied; check the path')


def test_names_of_any_bytes_are_read_and_recorded(pets):
    write(pets, os.fsdecode(b'train/caf\xe9/\xff.jpg'))
    split = train(pets)
    assert split.names == ('caf\udce9', 'cat', 'dog') and split.batch(np.arange(1), None)['label'] == [0]
    assert identity.fingerprint(split)['classes'] == 3
