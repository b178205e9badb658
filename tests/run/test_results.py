import pytest

from configs import quickstart
from resizemix_jax.run import results


def rows(*accuracies):
    made = []
    for i, top1 in enumerate(accuracies, 1):
        made.append({'step': 10 * i, 'train_loss': 1.0, 'images_per_second': 100.0 * i, 'seconds': i - 0.5})
        made.append({'step': 10 * i, 'eval_top1': top1, 'eval_top5': 0.9, 'seconds': float(i)})
    return made


def test_best_last_and_median_of_the_last_ten():
    accuracies = [0.99, *(i / 100 for i in range(20, 32))]
    summary = results.summary(quickstart.get_config('seed=3'), rows(*accuracies), '1 x cpu')
    assert summary['top1_last'] == 0.31 and summary['top1_best'] == 0.99
    assert summary['top1_median10'] == pytest.approx(0.265)  # of 0.22..0.31
    assert (summary['steps'], summary['seconds'], summary['seed']) == (130, 13.0, 3)
    assert (summary['row'], summary['table'], summary['device']) == ('resizemix', 'quickstart', '1 x cpu')
    assert summary['images_per_second'] == 700.0
    assert summary['config']['optimizer']['lr'] == 0.1


def test_what_is_there_already():
    assert results.best_top1(rows(0.1, 0.3, 0.2)) == 0.3 and results.best_top1([]) == -1.0
    assert results.has_eval(rows(0.1), 10) and not results.has_eval(rows(0.1), 20)
    assert results.elapsed(rows(0.1, 0.2)) == 2.0 and results.elapsed([]) == 0.0
