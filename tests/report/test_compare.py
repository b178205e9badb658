import numpy as np
import pytest
from scipy import stats

from resizemix_jax.errors import ConfigError
from resizemix_jax.report import compare
from tests import made_up

A, B = (0.80, 0.82, 0.81), (0.83, 0.82, 0.86)


@pytest.fixture(scope='module')
def sides(tmp_path_factory):
    path = tmp_path_factory.mktemp('runs')
    for seed, (one, two) in enumerate(zip(A, B, strict=True)):
        made_up.run(path, f'row=cutmix,seed={seed}', [0.9, one], name=f'a_{seed}')
        made_up.run(path, f'row=resizemix,seed={seed}', [0.1, two], name=f'b_{seed}')
    made_up.run(path, 'row=resizemix,seed=9', [0.1], name='b_9', finished=False)
    return path


def test_two_runs(sides):
    text = compare.compare(sides / 'a_0', sides / 'b_0')
    for part in (
        'table3 cutmix wrn28_10 -> table3 resizemix wrn28_10', 'mixing: cutmix -> resizemix',
        'mixing_args.tau: absent -> [0.1, 0.8]', 'No test: seeds finished on both sides: 1;',
    ):  # fmt: skip
        assert part in text
    assert [line.split()[-3:] for line in text.splitlines() if 'top-1 last' in line] == [['80', '83', '+3']]
    assert [line.split()[-3:] for line in text.splitlines() if 'top-1 best' in line] == [['90', '83', '-7']]


def test_two_sides_of_several_seeds_are_tested_in_pairs(sides):
    text = compare.compare(f'{sides}/a_*', f'{sides}/b_*')
    differences = 100 * (np.array(B) - np.array(A))
    t_test = stats.ttest_rel(np.array(B), np.array(A)).pvalue
    mean, spread = differences.mean(), differences.std(ddof=1)
    assert f'B - A, top-1 last, 3 seeds in pairs: {mean:+.2f} ± {spread:.2f} points' in text
    assert f'paired t-test, two-sided: p = {t_test:.3g}' in text
    low, high = stats.t.interval(0.95, 2, mean, spread / 3**0.5)
    assert f'95% interval of the mean over seeds: {low:+.2f} to {high:+.2f} points' in text
    assert 'With this spread 3 pairs show 8.2 points with probability 0.8; 0.5 points take 201 pairs' in text
    # of the 8 signs of (3, 0, 5), 4 have a sum as large as 8: the 0 may have either
    assert 'exact permutation test of the signs, two-sided: p = 0.5' in text
    assert 'with 3 pairs the permutation test cannot give p below 0.25.' in text
    assert f'unfinished, not counted: {sides}/b_9' in text
    assert 'top-1 best, 3 seeds in pairs' in compare.compare(f'{sides}/a_*', f'{sides}/b_*', 'best')


def test_of_two_runs_of_a_seed_one_counts(tmp_path):
    for name, top1 in (('a_1', 0.5), ('a_2', 0.9), ('b', 0.6)):
        made_up.run(tmp_path, 'row=cutmix', [top1], name=name)
    text = compare.compare(f'{tmp_path}/a_*', f'{tmp_path}/b')
    assert f'not shown: {tmp_path}/a_2: {tmp_path}/a_1 has the same config and seed' in text
    assert [line.split()[-3:] for line in text.splitlines() if 'top-1 last' in line] == [['50', '60', '+10']]


def test_equal_differences_have_no_t(tmp_path):
    for seed in (0, 1):
        made_up.run(tmp_path, f'row=cutmix,seed={seed}', [0.5], name=f'a_{seed}')
        made_up.run(tmp_path, f'row=cutmix,seed={seed}', [0.5], name=f'b_{seed}', epochs=3)
    text = compare.compare(f'{tmp_path}/a_*', f'{tmp_path}/b_*')
    assert 'table3 cutmix wrn28_10\n    epochs: 200 -> 3' in text
    assert 'undefined, all are equal' in text and 'two-sided: p = 1' in text


def test_of_several_cells_the_common_ones_are_compared(tmp_path):
    for side, recipe in (('a', 'paper'), ('b', 'released')):
        for row in ('cutmix', 'resizemix'):
            made_up.run(tmp_path / side, f'row={row},recipe={recipe}', [0.5])
    made_up.run(tmp_path / 'a', 'row=baseline', [0.5])
    text = compare.compare(tmp_path / 'a', tmp_path / 'b')
    assert text.count('recipe: paper -> released') == 2
    assert 'Not compared, no single counterpart: table3 baseline wrn28_10' in text


def test_sides_that_share_no_cell_are_refused_and_listed(tmp_path, sides):
    with pytest.raises(ConfigError, match='absent holds no run to compare'):
        compare.compare(tmp_path / 'absent', sides)
    made_up.run(tmp_path / 'x', 'row=baseline', [0.5])
    with pytest.raises(
        ConfigError, match='share no cell of a table (.|\n)*B has table3 cutmix wrn28_10, table3 r'
    ):
        compare.compare(tmp_path / 'x', sides)


def test_the_median_needs_ten_evaluations(tmp_path, sides):
    text = compare.compare(f'{sides}/a_*', f'{sides}/b_*', 'median10')
    assert 'No test: the median of the last 10 evaluations needs 10; seeds with fewer: 0, 1, 2' in text
    assert 'median of the last 10, %' not in text
    for seed in (0, 1):
        made_up.run(tmp_path, f'row=cutmix,seed={seed}', [0.5] * 10, name=f'a_{seed}')
        made_up.run(tmp_path, f'row=resizemix,seed={seed}', [0.2] + [0.6] * 10, name=f'b_{seed}')
    text = compare.compare(f'{tmp_path}/a_*', f'{tmp_path}/b_*', 'median10')
    assert 'B - A, top-1 median of the last 10, 2 seeds in pairs: +10.00' in text
    assert '    top-1 median of the last 10, %          50        60       +10' in text


def numbers(text):
    """Words -> the numbers at the end of the line that begins with them."""
    lines = [line.strip().split('  ', 1) for line in text.splitlines() if line.startswith('    ')]
    return {parts[0]: parts[1].split() for parts in lines if len(parts) == 2}


def test_a_task_s_own_score_is_compared_and_never_with_another(tmp_path):
    for seed in (0, 1):
        made_up.run(tmp_path, f'row=cutmix,seed={seed}', [0.5], name=f'a_{seed}')
        for side, row, value in (('b', 'cutmix', 0.2), ('c', 'aa', 0.3)):
            made_up.run(
                tmp_path, f'row={row},seed={seed}', [value], name=f'{side}_{seed}', task='tests.boxes'
            )
    text = compare.compare(f'{tmp_path}/b_*', f'{tmp_path}/c_*')
    assert 'B - A, close last, 2 seeds in pairs: +10.00' in text
    assert numbers(text)['close last, %'] == ['20', '30', '+10']
    assert numbers(text)['loss last'] == ['0.5', '0.5', '+0']
    text = compare.compare(f'{tmp_path}/a_*', f'{tmp_path}/b_*')
    assert 'No test: A is measured by top-1, B by close' in text


def test_the_scores_are_of_the_test_split_whatever_a_side_was_evaluated_on(tmp_path):
    held = dict(evaluated_on='held_out', test_top1_last=0.4, test_top1_best=0.45, test_loss_last=0.7)
    for seed in (0, 1):
        made_up.run(tmp_path, f'row=cutmix,seed={seed}', [0.5] * 10, name=f'a_{seed}')
        for side, score in (('b', 0.8), ('c', 0.6)):
            made_up.run(
                tmp_path, f'row=cutmix,seed={seed}', [score] * 10, name=f'{side}_{seed}', held_out=0.1,
                mixing_args__prob=0.25 if side == 'c' else 0.5, result=held,
            )  # fmt: skip
    text = compare.compare(f'{tmp_path}/a_*', f'{tmp_path}/b_*')
    assert (
        'held_out: 0.0 -> 0.1' in text and 'B: seeds 0, 1\n        its scores are of the test split' in text
    )
    assert numbers(text)['top-1 last, %'] == ['50', '40', '-10']
    assert numbers(text)['top-1 best, %'] == ['50', '45', '-5']
    assert numbers(text)['loss last'] == ['0.5', '0.7', '+0.2']
    assert 'held-out part:' not in text and 'test_top1' not in text
    assert 'B - A, top-1 last, 2 seeds in pairs: -10.00' in text
    text = compare.compare(f'{tmp_path}/b_*', f'{tmp_path}/c_*', 'median10')
    assert numbers(text)['held-out part: last, %'] == ['80', '60', '-20']
    assert numbers(text)['top-1 last, %'] == ['40', '40', '+0']
    assert 'No test: the last 10 evaluations were on a held-out part; seeds with such: 0, 1' in text


def test_times_have_a_unit_of_their_size(tmp_path):
    for name, seconds, compiled in (('a', 38.0, 9.5), ('b', 19.0, 0.5)):
        result = dict(seconds=seconds, compile_seconds=compiled)
        made_up.run(tmp_path, 'row=cutmix', [0.5], name=name, result=result)
    made_up.run(tmp_path, 'row=cutmix', [0.5], name='old', result=dict(seconds=7200.0))
    text = compare.compare(tmp_path / 'a', tmp_path / 'b')
    assert numbers(text)['time, s'] == ['38', '19', '-19']
    assert numbers(text)['compilation in it, s'] == ['9.5', '0.5', '-9']
    found = numbers(compare.compare(tmp_path / 'a', tmp_path / 'old'))
    assert found['time, s'] == ['38', '7,200', '+7,162'] and 'compilation in it, s' not in found


def test_a_path_with_the_signs_of_a_pattern_is_itself(tmp_path):
    for name in ('a[1]', 'a1', 'b'):
        made_up.run(tmp_path, 'row=cutmix', [0.5], name=name)
    assert f'{tmp_path}/a1' not in compare.compare(tmp_path / 'a[1]', tmp_path / 'b')
