import json

import numpy as np
import pytest
import tensorflow_datasets

from resizemix_jax.datasets.imagenet import imagenet
from resizemix_jax.datasets.tfds import tfds
from resizemix_jax.errors import DataError
from resizemix_jax.input import writing
from resizemix_jax.input.held_out import divided
from tests.input import miniature

FEATURES = tensorflow_datasets.features


def write(directory, name, splits):
    """Writes a set of tiny pictures of three classes."""
    features = {'image': FEATURES.Image(), 'label': FEATURES.ClassLabel(names=['ant', 'bee', 'cat'])}
    data = miniature.encode(miniature.pixels(20, 30, 0))
    content = {split: [{'image': data, 'label': i % 3} for i in range(n)] for split, n in splits.items()}
    writing.write(directory, name, '1.0.0', FEATURES.FeaturesDict(features), content)


def write_labels(directory, feature, labels):
    """Writes a set whose label is another feature."""
    features = FEATURES.FeaturesDict({'image': FEATURES.Image(), 'label': feature})
    content = [
        {
            'image': miniature.encode(miniature.pixels(20, 30, seed)),
            'label': np.full(feature.shape, label, feature.np_dtype),
        }
        for seed, label in enumerate(labels)
    ]
    writing.write(directory, 'numbers', '1.0.0', features, {'train': content, 'test': content[1:2]})


def test_a_dataset_is_described_by_its_directory(tmp_path):
    write(tmp_path, 'insects', {'train': 7, 'test': 4, 'validation': 5})
    dataset = tfds(source='insects', image_size=16, data_dir=str(tmp_path))
    assert (dataset.name, dataset.image_shape, dataset.num_classes) == ('tfds:insects', (16, 16, 3), 3)
    assert (dataset.sizes, dataset.streamed) == ({'train': 7, 'eval': 5}, True)
    split = dataset.read('eval', str(tmp_path))
    assert split.size == 5 and split.names == ('ant', 'bee', 'cat')
    assert split.batch(np.arange(5), None)['label'].tolist() == [0, 1, 2, 0, 1]
    other = tfds(source='insects:test:train', data_dir=str(tmp_path))
    assert other.sizes == {'train': 4, 'eval': 7}


@pytest.mark.parametrize(
    'source', ['', ':a:b', 'insects:train', '../insects', '/insects', 'a/b/c', 'a:train[:5', 'a:b:c:d']
)
def test_another_form_of_source_is_refused(source, tmp_path):
    with pytest.raises(ValueError, match='must be tfds:NAME or tfds:NAME:TRAIN:EVAL'):
        tfds(source=source, data_dir=str(tmp_path))


@pytest.mark.slow
def test_no_part_is_held_out_but_the_slices_are_named(written):
    directory = str(written['tfrecord'])
    with pytest.raises(
        ValueError, match=r"'--config.dataset=tfds:imagenet2012:train\[:90%\]:train\[90%:\]'; "
    ):
        divided(tfds(source='imagenet2012', data_dir=directory), 0.1, 0)
    with pytest.raises(ValueError, match=r'all records of train\[:90%\], a slice already; set held_out=0$'):
        divided(tfds(source='imagenet2012:train[:90%]:train[90%:]', data_dir=directory), 0.1, 0)


@pytest.mark.parametrize(
    ('train', 'evaluation'),
    [
        ('train[:90%]', 'train[90%:]'),
        ('train[:5]', 'train[5:]'),
        ('train[10:20]+train[33:]', 'validation[-7:]'),
        ('train[:3]+train[1:4]', 'train+validation'),
        ('train[1shard:]', 'all'),
    ],
)
@pytest.mark.parametrize('file_format', ['array_record', 'tfrecord'])
def test_slices_are_those_of_tfds(train, evaluation, file_format, written):
    path = next((written[file_format] / 'imagenet2012').iterdir())
    whole = {split: miniature.pictures(split, n) for split, n in miniature.SPLITS.items()}
    dataset = tfds(source=f'imagenet2012:{train}:{evaluation}', data_dir=str(written[file_format]))
    for split, chosen in (('train', train), ('eval', evaluation)):
        read = dataset.read(split, str(written[file_format])).records
        info = tensorflow_datasets.builder_from_directory(path).info.splits[chosen]
        firsts = {}  # file -> (split, the number of its first example)
        for name in whole:
            number = 0
            some = tensorflow_datasets.builder_from_directory(path).info.splits[name]
            for file, count in zip(some.filepaths, some.shard_lengths, strict=True):
                firsts[str(file)], number = (name, number), number + count
        expected = []
        for part in info.file_instructions:
            name, first = firsts[part.filename]
            expected += whole[name][first + part.skip :][: part.take]
        assert dataset.sizes[split] == read.size == len(expected)
        assert [read.read(row) for row in range(read.size)] == expected
        assert len(dict(read.files)) == len(read.files)


def test_a_part_of_a_split_and_the_rest_are_the_split(written):
    dataset = tfds(source='imagenet2012:train[:90%]:train[90%:]', data_dir=str(written['tfrecord']))
    assert dataset.sizes == {'train': 37, 'eval': 4}  # 36.9 of 41, rounded
    parts = [dataset.read(split, str(written['tfrecord'])).records for split in ('train', 'eval')]
    read = [part.read(row) for part in parts for row in range(part.size)]
    assert read == miniature.pictures('train', 41)


@pytest.mark.parametrize(
    ('split', 'message'),
    [
        ('train[:x%]', r"has no split 'train\[:x%\]' \(.*it has train, validation"),
        ('train[200:]', r"has no split 'train\[200:\]' \(.*41 examples"),
        ('trial[:3]', r"has no split 'trial\[:3\]' \(.*; it has"),
        ('all[:3]', r"has no split 'all\[:3\]' \("),
        ('train[5:5]', r"'train\[5:5\]' is empty"),
        ('train[90%:10%]', r"'train\[90%:10%\]' is empty"),
    ],
)
def test_a_slice_that_is_none_is_an_error(split, message, written):
    with pytest.raises(DataError, match=message):
        tfds(source=f'imagenet2012:{split}:validation', data_dir=str(written['tfrecord']))


def test_an_empty_split_is_an_error(tmp_path):
    write(tmp_path, 'insects', {'train': 7, 'test': 0})
    with pytest.raises(DataError, match="insects: 'test' is empty in"):
        tfds(source='insects', data_dir=str(tmp_path))


def test_a_dataset_with_configs_is_read_by_name_and_config(tmp_path):
    for config, size in (('full-size.v2', 5), ('160px', 4)):
        write(tmp_path / 'insects', config, {'train': size, 'test': 3})
    dataset = tfds(source='insects/full-size.v2', image_size=16, data_dir=str(tmp_path))
    assert dataset.sizes == {'train': 5, 'eval': 3}
    assert dataset.read('train', str(tmp_path)).batch(np.arange(5), None)['label'].tolist() == [0, 1, 2, 0, 1]
    assert tfds(source='insects/160px:test:train', data_dir=str(tmp_path)).sizes == {'train': 3, 'eval': 4}
    message = 'insects holds the configs 160px, full-size.v2. Choose one: --config.dataset=tfds:insects/160px'
    with pytest.raises(DataError, match=message):
        tfds(source='insects', data_dir=str(tmp_path))
    with pytest.raises(DataError, match='insects/320px is not prepared in'):
        tfds(source='insects/320px', data_dir=str(tmp_path))


@pytest.mark.parametrize('feature', [
    FEATURES.Scalar(np.int32), FEATURES.Scalar(np.uint8), FEATURES.Tensor(shape=(), dtype=np.int64),
    FEATURES.Tensor(shape=(1,), dtype=np.int64),
])  # fmt: skip
def test_plain_integers_are_labels_once_their_number_is_given(feature, tmp_path):
    write_labels(tmp_path, feature, [4, 0, 3, 1])
    with pytest.raises(DataError, match='Give it with --config.dataset_args.num_classes=K; the labels'):
        tfds(source='numbers', data_dir=str(tmp_path))
    dataset = tfds(source='numbers', image_size=16, num_classes=5, data_dir=str(tmp_path))
    split = dataset.read('train', '' or str(tmp_path))
    assert (dataset.num_classes, split.num_classes, split.names) == (5, 5, ())
    assert split.batch(np.arange(4), None)['label'].tolist() == [4, 0, 3, 1]
    fewer = tfds(source='numbers', image_size=16, num_classes=4, data_dir=str(tmp_path))
    with pytest.raises(DataError, match=r'1 of 4 examples cannot be read.*its label 4 is not in 0..3'):
        fewer.read('train', str(tmp_path)).batch(np.arange(4), None)


def test_metadata_without_a_number_of_classes_wants_it_given_too(tmp_path):
    write(tmp_path, 'insects', {'train': 7, 'test': 4})
    path = tmp_path / 'insects/1.0.0'
    (path / 'label.labels.txt').unlink()
    for stated in ('"0"', 'null'):
        about = json.loads((path / 'features.json').read_text())
        about['featuresDict']['features']['label']['classLabel']['numClasses'] = json.loads(stated)
        (path / 'features.json').write_text(json.dumps(about))
        with pytest.raises(DataError, match='1.0.0 does not state the number of classes'):
            tfds(source='insects', data_dir=str(tmp_path))
        assert tfds(source='insects', num_classes=3, data_dir=str(tmp_path)).num_classes == 3


@pytest.mark.parametrize('num_classes', [-1, 4])
def test_another_number_of_classes_than_the_metadata_s_is_refused(num_classes, tmp_path):
    write(tmp_path, 'insects', {'train': 7, 'test': 4})
    with pytest.raises(ValueError, match=f'num_classes={num_classes} must be 3, or 0: as the meta'):
        tfds(source='insects', num_classes=num_classes, data_dir=str(tmp_path))
    assert tfds(source='insects', num_classes=3, data_dir=str(tmp_path)).num_classes == 3


@pytest.mark.parametrize(
    'feature', [FEATURES.Scalar(np.float32), FEATURES.Tensor(shape=(2,), dtype=np.int64)]
)
def test_other_numbers_are_no_labels(feature, tmp_path):
    write_labels(tmp_path, feature, [0, 1])
    with pytest.raises(DataError, match='expected an image feature and a class label or integer'):
        tfds(source='numbers', num_classes=5, data_dir=str(tmp_path))


def test_a_missing_split_is_an_error(tmp_path):
    write(tmp_path, 'insects', {'train': 7})
    message = "has no split 'test'; it has train. Choose two with --config.dataset=tfds:"
    with pytest.raises(DataError, match=message):
        tfds(source='insects', data_dir=str(tmp_path))


def test_a_dataset_without_class_labels_is_an_error(tmp_path):
    features = FEATURES.FeaturesDict({'image': FEATURES.Image(), 'boxes': FEATURES.Text()})
    data = miniature.encode(miniature.pixels(20, 30, 0))
    splits = {split: [{'image': data, 'boxes': ''}] for split in ('train', 'test')}
    writing.write(tmp_path, 'boxes', '1.0.0', features, splits)
    message = r'expected an image feature and a class label or integer; found boxes \(Text\), image \(Image\)'
    with pytest.raises(DataError, match=message):
        tfds(source='boxes', data_dir=str(tmp_path))


def test_another_number_of_classes_is_an_error(tmp_path):
    write(tmp_path, 'imagenet2012', {'train': 4})
    with pytest.raises(DataError, match='has 3 classes, not 1000'):
        imagenet().read('train', str(tmp_path))
