import sys

import pytest

from configs import quickstart
from resizemix_jax.find import find, names
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
    assert summary['score'] == 'top1'
    assert summary['top1_last'] == 0.31 and summary['top1_best'] == 0.99 and summary['top5_last'] == 0.9
    assert summary['top1_median10'] == pytest.approx(0.265)  # of 0.22..0.31
    assert (summary['steps'], summary['seconds'], summary['seed']) == (130, 13.0, 3)
    assert (summary['row'], summary['table'], summary['device']) == ('resizemix', 'quickstart', '1 x cpu')
    assert summary['images_per_second'] == 700.0
    assert summary['config']['mixing'] == 'resizemix'


@pytest.mark.parametrize(('evaluations', 'there'), [(9, False), (10, True)])
def test_a_median_needs_ten_evaluations(evaluations, there):
    summary = results.summary(quickstart.get_config(), rows(*[0.5] * evaluations), '1 x cpu')
    assert ('top1_median10' in summary) == there


def test_what_the_run_is_and_how_much_of_its_device_it_used():
    made = rows(0.1, 0.2)
    plain = results.summary(quickstart.get_config(), made, '1 x cpu')
    assert 'model_flops_utilization' not in plain and plain['identity'] == []
    for row, used in zip(made[::2], (0.3, 0.5), strict=True):
        row['model_flops_utilization'] = used
    summary = results.summary(quickstart.get_config(), made, '1 x v4', 2e9, [{'commit': 'abc'}])
    assert summary['model_flops_utilization'] == 0.4 and summary['flops_per_step'] == 2e9
    assert summary['identity'] == [{'commit': 'abc'}]


def test_compilation_is_known_only_where_every_part_of_the_run_recorded_it():
    made = rows(0.1, 0.2)
    assert 'compile_seconds' not in results.summary(quickstart.get_config(), made, 'x')
    made[-1]['compile_seconds'] = 0.5  # continued by a newer version
    assert 'compile_seconds' not in results.summary(quickstart.get_config(), made, 'x')
    for k, row in enumerate(made):
        row['compile_seconds'] = 0.25 + k
    assert results.summary(quickstart.get_config(), made, 'x')['compile_seconds'] == 3.25
    assert results.compiled(made) == 3.25 and results.compiled([]) == 0.0


def test_rows_are_searched_for_evaluations_and_time():
    assert results.best(rows(0.1, 0.3, 0.2), 'eval_top1') == 0.3 and results.best([], 'eval_top1') == -1.0
    assert results.has_eval(rows(0.1), 10, 'eval_top1') and not results.has_eval(rows(0.1), 20, 'eval_top1')
    assert results.elapsed(rows(0.1, 0.2)) == 2.0 and results.elapsed([]) == 0.0


def test_the_score_is_the_task_s():
    for name in names('tasks'):
        module = sys.modules[find('tasks', name).__module__]
        assert results.score_of({'task': name}) == module.SCORE
