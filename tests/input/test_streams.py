"""Streamed splits: the same batches from either format and any number of processes; damage is counted."""

import logging
import os

import numpy as np
import pytest

from resizemix_jax.datasets.folder import folder
from resizemix_jax.datasets.imagenet import imagenet
from resizemix_jax.errors import DataError
from resizemix_jax.input import pipeline, streams
from resizemix_jax.input.dataset import permutation
from tests.input import miniature, odd
from tests.input.batches import assert_same
from tests.input.miniature import read

TRAIN, EVAL = miniature.SPLITS.values()


@pytest.mark.slow
def test_both_formats_give_the_same_batches(written):
    one, two = (read(directory) for directory in written.values())
    assert (
        one.size == two.size == TRAIN
        and one.buckets[0]['images'][0] == (32, 32, 3)
        and len(one.names) == 1000
    )
    assert_same(*([pipeline.train_batch(s, 8, 0, k) for k in range(10)] for s in (one, two)))
    one, two = (read(directory, 'eval') for directory in written.values())
    assert_same(*(pipeline.eval_batches(s, 8) for s in (one, two)))


def test_folders_give_the_same_crops(written, tmp_path):
    miniature.write_folders(tmp_path)
    split = folder(source=str(tmp_path), image_size=32, max_damaged=0).read('eval', '')
    other = read(written['tfrecord'], 'eval')
    assert split.size == EVAL and split.names == ('class0', 'class1', 'class2', 'class3')
    order = [int(os.path.basename(split.records.file(row))[:3]) for row in range(EVAL)]
    assert sorted(order) == list(range(EVAL))
    assert_same([split.batch(np.arange(EVAL), None)], [other.batch(np.array(order), None)])


@pytest.mark.parametrize('count', [1, 2])
@pytest.mark.slow
def test_processes_make_the_batches_that_this_one_makes(count, written):
    split = read(written['tfrecord'])
    direct = [pipeline.train_batch(split, 8, 3, step) for step in range(2, 9)]  # over an epoch's end
    assert direct[0]['images'].dtype == np.uint8 and direct[0]['images'].shape == (8, 32, 32, 3)
    assert_same(pipeline.train_batches(split, 8, 3, 2, 9, workers=0), direct)
    assert_same(pipeline.train_batches(split, 8, 3, 2, 9, workers=count), direct)
    half = [{k: v[4:] for k, v in batch.items()} for batch in direct]
    assert_same(pipeline.train_batches(split, 8, 3, 2, 9, share=(1, 2), workers=count), half)


@pytest.mark.slow
def test_evaluation_counts_every_example_once(written):
    split = read(written['array_record'], 'eval')
    expected = [label for _, label in miniature.pictures('validation', EVAL)]
    for count in (0, 2):
        batches = list(pipeline.eval_batches(split, 6, workers=count))
        assert {b['images'].shape for b in batches} == {(6, 32, 32, 3)}
        assert np.concatenate([b['label'][b['valid'] > 0] for b in batches]).tolist() == expected
    shares = [list(pipeline.eval_batches(split, 6, share=(p, 2))) for p in range(2)]
    assert sum(b['valid'].sum() for share in shares for b in share) == EVAL


def test_crops_differ_between_epochs_and_seeds_and_not_by_what_is_beside_them(written):
    split = read(written['tfrecord'])
    crops = [split.batch(np.array([5]), draw)['images'] for draw in ((0, 0), (0, 1), (1, 0))]
    assert not np.array_equal(crops[0], crops[1]) and not np.array_equal(crops[0], crops[2])
    np.testing.assert_array_equal(
        split.batch(np.array([9, 5, 5]), (0, 0))['images'][1:], crops[0].repeat(2, 0)
    )


def test_every_example_has_draws_of_its_own(written, monkeypatch):
    drawn = []

    def train_image(data, image_size, rng, resize):
        drawn.append(rng.random())
        return np.zeros((image_size, image_size, 3), np.uint8)

    monkeypatch.setattr(streams.decoding, 'train_image', train_image)
    split = read(written['tfrecord'])
    for draw in ((0, 0), (0, 1), (1, 0), (0, 0)):
        split.batch(np.arange(TRAIN), draw)
    assert len(set(drawn)) == 3 * TRAIN and drawn[:TRAIN] == drawn[3 * TRAIN :]


@pytest.mark.parametrize('file_format', ['array_record', 'tfrecord'])
@pytest.mark.parametrize('count', [0, 2])
@pytest.mark.slow
def test_in_training_the_next_of_the_order_takes_the_place_of_a_damaged_one(
    count, file_format, tmp_path, written, caplog
):
    order = permutation(0, 0, TRAIN)
    bad = [order[3], order[4], order[20]]  # two of them follow each other
    miniature.write(tmp_path, file_format, damaged=[('train', row) for row in bad])
    split, whole = read(tmp_path), read(written[file_format])
    rows = order[:40].copy()
    rows[3] = rows[4] = rows[5]
    rows[20] = rows[21]
    expected = [whole.batch(part, (0, 0)) for part in rows.reshape(5, 8)]
    with caplog.at_level(logging.WARNING):
        assert_same(pipeline.train_batches(split, 8, 0, 0, 5, workers=count), expected)
    assert sorted(split.damaged) == sorted(bad)
    warnings = [r.message for r in caplog.records if 'cannot be read' in r.message]
    assert len(warnings) == 3  # each is named once, although two batches may meet it
    assert (
        f'imagenet train: example {order[20]}, in {split.records.file(order[20])}, cannot be read'
        in ''.join(warnings)
    )


def test_the_last_of_the_order_is_followed_by_its_first(tmp_path, written):
    order = permutation(0, 0, TRAIN)
    miniature.write(tmp_path, damaged=[('train', order[-1])])
    batch, expected = (
        read(d).batch(rows, (0, 0)) for d, rows in ((tmp_path, order[-1:]), (written['tfrecord'], order[:1]))
    )
    assert_same([batch], [expected])


@pytest.mark.slow
def test_in_evaluation_a_damaged_one_is_grey_and_counted(tmp_path, written):
    miniature.write(tmp_path, damaged=[('validation', 7)])
    split = read(tmp_path, 'eval')
    batches = list(pipeline.eval_batches(split, 8, workers=2))
    assert sum(b['valid'].sum() for b in batches) == EVAL and list(split.damaged) == [7]
    assert (batches[0]['images'][7] == 128).all() and batches[0]['label'][7] == 7 % miniature.CLASSES
    assert_same(batches[1:], list(pipeline.eval_batches(read(written['tfrecord'], 'eval'), 8))[1:])


@pytest.mark.parametrize('count', [0, 1])
@pytest.mark.slow
def test_damage_in_progressive_files_is_counted_and_never_shown(count, tmp_path):
    """libjpeg warns before it fails, and its buffer is not written."""
    data = miniature.encode(miniature.pixels(64, 64, 0), 'progressive')
    rng = np.random.default_rng(0)
    torn = [odd.overwritten(data, 300, rng) for _ in range(40)]
    torn = [file for file in torn if isinstance(odd.pillow(file), Exception)][:8]
    for split in ('train', 'val'):
        (tmp_path / split / 'a').mkdir(parents=True)
        for i, file in enumerate([*torn, *[data] * 8]):
            (tmp_path / split / 'a' / f'{i:02}.jpg').write_bytes(file)
    source = folder(source=str(tmp_path), image_size=32, max_damaged=0.9)
    train, evaluation = source.read('train', ''), source.read('eval', '')
    whole = train.batch(np.array([8]), None)['images'][0]
    batch = next(iter(pipeline.eval_batches(evaluation, 16, workers=count)))
    assert sorted(evaluation.damaged) == list(range(8))
    assert (batch['images'][:8] == 128).all() and (batch['images'][8:] == whole).all()
    twice = [list(pipeline.train_batches(train, 8, 0, 0, 2, workers=count)) for _ in range(2)]
    assert_same(*twice)
    assert sorted(train.damaged) == list(range(8))


@pytest.mark.parametrize('count', [0, 2])
@pytest.mark.slow
def test_too_much_damage_ends_the_run(count, tmp_path):
    miniature.write(tmp_path, 'tfrecord', damaged=[('train', row) for row in range(10, 16)])
    split = read(tmp_path, max_damaged=0.1)
    message = r'imagenet train: 5 of 41 examples cannot be read, and max_damaged=0.1 allows 4; the last: '
    with pytest.raises(
        DataError, match=message + r'example 1\d(.|\n)*--config.dataset_args.max_damaged=SHARE'
    ):
        list(pipeline.train_batches(split, 8, 0, 0, 20, workers=count))
    with pytest.raises(DataError, match='max_damaged=0.0001 allows 0'):
        list(pipeline.train_batches(read(tmp_path, max_damaged=1e-4), 8, 0, 0, 20, workers=0))


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'image_size': 0}, 'image_size=0 must be >= 1'),
        ({'eval_resize': 200}, 'eval_resize=200 must be >= image_size=224, or 0'),
        ({'resize': 'cubic'}, "resize='cubic' must be one of: antialias, dali, linear, area"),
        ({'max_damaged': 1.0}, r'max_damaged=1.0 must be in \[0, 1\)'),
    ],
)
@pytest.mark.slow
def test_a_view_out_of_range_is_refused(values, message, tmp_path):
    miniature.write_folders(tmp_path)
    with pytest.raises(ValueError, match=message):
        imagenet(**values)
    with pytest.raises(ValueError, match=message):
        folder(source=str(tmp_path), **values)
