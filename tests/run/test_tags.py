import pathlib

from resizemix_jax.run import tags


def test_tags_are_groups():
    row = {'train_loss': 1, 'train_learning_rate': 2, 'epoch': 3, 'eval_top1': 4, 'seconds': 5, 'trained': 6}
    assert list(tags.of_row(row)) == [
        'train/loss', 'train/learning_rate', 'train/epoch', 'eval/top1', 'time/seconds', 'time/trained',
    ]  # fmt: skip
    assert list(tags.of_row(row).values()) == [1, 2, 3, 4, 5, 6]


def test_scores_are_what_was_measured():
    result = {
        'top1_last': 1,
        'top1_best': 2,
        'top1_median10': 3,
        'test_top1_best': 4,
        'seed': 5,
        'seconds': 6,
    }
    assert tags.of_result(result) == {
        'result/top1_last': 1, 'result/top1_best': 2, 'result/top1_median10': 3, 'result/test_top1_best': 4,
    }  # fmt: skip


def test_a_picture_is_named_without_its_step():
    assert tags.of_picture(pathlib.Path('gallery/grad_cam_00000120.png')) == 'gallery/grad_cam'
