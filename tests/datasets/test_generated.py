"""A generated set on disk: it reads as it was written, as TFDS reads it too, or it is not there at all."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow_datasets as tfds

from resizemix_jax.datasets import generated
from resizemix_jax.datasets.fake import fake
from resizemix_jax.errors import DataError
from resizemix_jax.input import writing
from resizemix_jax.input.dataset import ImageSplit, image_arrays
from resizemix_jax.input.held_out import divided

DATASET = fake(image_shape=(6, 5, 3), num_classes=4, train_size=9, eval_size=3)
NAMES = ('ant', 'bee', 'cat', 'dog')


def splits():
    train, evaluation = (DATASET.read(split, '') for split in ('train', 'eval'))
    return dataclasses.replace(train, names=NAMES), evaluation


def write(directory, **origin):
    generated.write(directory, DATASET, *splits(), **origin)


def test_a_set_reads_as_it_was_written(tmp_path):
    write(tmp_path / 'set', seed=3)
    dataset = generated.generated(data_dir=str(tmp_path / 'set'))
    about = dict(reader=None, name='', undivided='')
    assert dataset._replace(**about) == DATASET._replace(**about)
    for split, expected in zip(('train', 'eval'), splits(), strict=True):
        read = dataset.read(split, '/elsewhere')
        np.testing.assert_array_equal(read.images, expected.images)
        np.testing.assert_array_equal(read.label, expected.label)
        assert read.names == NAMES
    assert [path.name for path in tmp_path.iterdir()] == ['set']  # nothing else is left


def test_no_part_of_it_can_be_held_out(tmp_path):
    write(tmp_path / 'set', seed=3)
    dataset = generated.generated(data_dir=str(tmp_path / 'set'))
    with pytest.raises(ValueError, match="^held_out=0.2: dataset='generated': .* mixtures of its own images"):
        divided(dataset, 0.2, 0)


def test_tfds_reads_it(tmp_path):
    write(tmp_path / 'set', seed=3)
    builder = tfds.builder_from_directory(tmp_path / 'set' / 'generated' / '1.0.0')
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {
        'train': 9,
        'test': 3,
    }
    assert builder.info.metadata['seed'] == 3 and builder.info.features['label'].names == list(NAMES)
    np.testing.assert_array_equal(builder.as_data_source('train')[8]['image'], splits()[0].images[8])


def test_classes_without_names_are_numbered(tmp_path):
    generated.write(tmp_path / 'set', DATASET, *(dataclasses.replace(s, names=()) for s in splits()))
    assert generated.generated(data_dir=str(tmp_path / 'set')).num_classes == 4


def test_what_was_interrupted_is_not_there(tmp_path, monkeypatch):
    encode, calls = writing.encode_png, []

    def stop(image):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return encode(image)

    monkeypatch.setattr(writing, 'encode_png', stop)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / 'set')
    assert len(calls) == 5 and not list(tmp_path.iterdir())
    write(tmp_path / 'set')
    assert generated.generated(data_dir=str(tmp_path / 'set')).sizes['train'] == 9


def test_nothing_is_overwritten(tmp_path):
    write(tmp_path / 'set')
    with pytest.raises(OSError, match='not empty'):
        write(tmp_path / 'set')


def test_a_missing_or_torn_set_names_the_command(tmp_path):
    with pytest.raises(DataError, match='holds no generated set(.|\n)*--mode=generate --config=FILE'):
        generated.generated(data_dir=str(tmp_path))
    write(tmp_path / 'set')
    dataset = generated.generated(data_dir=str(tmp_path / 'set'))
    next(tmp_path.glob('set/*/*/*train*')).unlink()
    with pytest.raises(DataError, match='1 of the 1 files(.|\n)*--mode=generate --config=FILE'):
        dataset.read('train', '')


def test_other_content_is_refused(tmp_path):
    train, evaluation = splits()
    wrong = ImageSplit(train.images[:, :, :4], train.label, NAMES)
    narrow = DATASET._replace(buckets=image_arrays((6, 4, 3)))
    evaluation = dataclasses.replace(evaluation, images=evaluation.images[:, :, :4])
    generated.write(tmp_path / 'set', narrow, wrong, evaluation)
    about = tmp_path / 'set' / 'generated' / '1.0.0' / 'metadata.json'
    about.write_text(about.read_text().replace('[6, 4, 3]', '[6, 5, 3]'))
    with pytest.raises(DataError, match=r'images uint8\[6, 4, 3\], .* promises images uint8\[6, 5, 3\]'):
        generated.generated(data_dir=str(tmp_path / 'set')).read('train', '')


@pytest.mark.parametrize(
    'change',
    [{'num_classes': 0}, {'train_size': 0}, {'num_classes': None}, {'mean': 3}, {'image_shape': [0, 5, 3]}],
)
def test_damaged_metadata_is_a_sentence(change, tmp_path):
    write(tmp_path / 'set')
    file = tmp_path / 'set/generated/1.0.0/metadata.json'
    about = json.loads(file.read_text())
    for content in (json.dumps(about | change), json.dumps({k: about[k] for k in about.keys() - change})):
        file.write_text(content)
        with pytest.raises(DataError, match=f'{file} is damaged(.|\n)*--mode=generate --config=FILE'):
            generated.generated(data_dir=str(tmp_path / 'set'))


@pytest.mark.parametrize('content', [b'', b'[]', b'\xff', b'{"train_size"'])
def test_metadata_that_is_not_json_is_a_sentence(content, tmp_path):
    write(tmp_path / 'set')
    file = tmp_path / 'set/generated/1.0.0/metadata.json'
    file.write_bytes(content)
    with pytest.raises(DataError, match=f'{file} is damaged'):
        generated.generated(data_dir=str(tmp_path / 'set'))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(num_classes=0), 'num_classes=0 must be >= 2'),
        (dict(train_size='9'), "train_size='9' must be a whole number"),
        (dict(image_shape=[6, 5]), 'must be a tuple of 3 values'),
        (dict(std=[0.25, 0.0, 0.25]), r'std=\[0.25, 0.0, 0.25\] must be'),
        (dict(mean=None), 'mean=None must be'),
        ('std', "it has no 'std'"),
        ('', 'Expecting value'),
    ],
)
def test_a_damaged_description_is_a_sentence(change, message, tmp_path):
    write(tmp_path / 'set')
    file = tmp_path / 'set' / 'generated' / '1.0.0' / 'metadata.json'
    about = json.loads(file.read_text())
    if change == 'std':
        del about['std']
    file.write_text(
        json.dumps(about | change) if isinstance(change, dict) else json.dumps(about) * bool(change)
    )
    with pytest.raises(DataError, match=f'metadata.json is damaged: .*{message}.*\n *python main.py'):
        generated.generated(data_dir=str(tmp_path / 'set'))
