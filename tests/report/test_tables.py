"""The numbers of a report are those of the runs' own metrics."""

import dataclasses
import json
import statistics
import time

import pytest

from resizemix_jax import config as configs
from resizemix_jax.errors import ConfigError
from resizemix_jax.report import tables as report
from resizemix_jax.tables import Row
from tests import made_up
from tests.configs.tables import TABLES

TABLE, PATH = TABLES['table3'], 'configs/table3.py'
SMALL = 'wide_resnet (depth=10, width=1) on fashion_mnist_10k'
CURVES = {  # seed -> scores of eleven evaluations
    0: [*[0.1] * 8, 0.2, 0.84, 0.82],
    1: [*[0.2] * 5, *[0.7] * 4, 0.80, 0.83],
    2: [*[0.1] * 5, *[0.6] * 4, 0.85, 0.84],
}


@pytest.fixture(scope='module')
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp('runs')
    for seed, curve in CURVES.items():
        made_up.run(path, f'row=cutmix,seed={seed}', curve)
    made_up.run(path, 'row=cutmix,seed=3', [0.99], finished=False)
    made_up.run(path, 'row=resizemix,model=ss26_2x96d,seed=4', [0.8])
    made_up.run(path, 'row=resizemix_plus', [0.5], finished=False)
    made_up.run(path, 'row=cutmix,scale=small', [0.3])
    made_up.run(path, 'row=resizemix,seed=7', [0.7], mixing_args__tau=(0.2, 0.3), name='a b')
    return path


def results(text, heading):
    """row -> its cells, of the table of results below a heading."""
    return made_up.first_table(text.split(f'## {heading}')[1])


@pytest.mark.parametrize('accuracy', report.ACCURACIES)
@pytest.mark.slow
def test_numbers_agree_with_the_raw_metrics(directory, accuracy):
    report.write(directory, TABLE, PATH, accuracy)
    of_run = {'last': lambda c: c[-1], 'best': max, 'median10': lambda c: statistics.median(c[-10:])}[
        accuracy
    ]
    values = []
    for seed in CURVES:
        text = (directory / f'row-cutmix_seed-{seed}' / 'metrics.jsonl').read_text()
        rows = [json.loads(line) for line in text.splitlines()]
        values.append(100 * of_run([row['eval_top1'] for row in rows if 'eval_top1' in row]))
    mean, spread = sum(values) / 3, statistics.stdev(values)
    table = results((directory / 'report.md').read_text(), "Runs of the table's own")
    assert table['CutMix'] == [
        '0', f'{mean:.2f} ± {spread:.2f} (3, more at 0%)', '83.40', f'{mean - 83.4:+.2f}'.replace('-', '−'),
        'not run', '85.00', '–',
    ]  # fmt: skip


@pytest.mark.slow
def test_the_layout_of_the_paper(directory):
    report.write(directory, TABLE, PATH)
    text = (directory / 'report.md').read_text()
    table = results(text, "Runs of the table's own")
    titles = [row.title for row in TABLE.rows]
    assert list(table) == ['Row', '---', *titles]
    assert table['Row'] == [
        'cost, GPU h', 'wrn28_10: ours', 'paper', 'difference', 'ss26_2x96d: ours', 'paper', 'difference',
    ]  # fmt: skip
    assert table['AA'] == ['5000', 'not run', '82.91', '–', 'not run', '85.72', '–']
    assert table['Faster AA'] == ['0.23', 'refused', '82.20', '–', 'refused', '84.40', '–']
    assert table['ResizeMix'][4:] == ['80.00 (1)', '85.26', '−5.26']
    assert table['ResizeMix+'][1] == 'at 0%'
    assert 'Refused: Faster AA: its authors published neither code nor policy that could be run.' in text
    assert (
        '| CutMix | wrn28_10 | 0, 1, 2 | 11.0 ± 0.0 min with compilation | 2.56 (2.56–2.56) s | 100 | '
        '1 x cpu | seed 3: 0%, step 10, top-1 99.00' in text
    )
    assert (
        f'--config=configs/table3.py:row=resizemix,model=ss26_2x96d,seed=4 --workdir={directory}/row' in text
    )


@pytest.mark.slow
def test_runs_that_differ_have_sections_of_their_own(directory):
    report.write(directory, TABLE, PATH)
    text = (directory / 'report.md').read_text()
    small = results(text, 'Runs that differ: scale=small')
    assert small == {'Row': [f'{SMALL} in place of wrn28_10: ours'], '---': ['---'], 'CutMix': ['30.00 (1)']}
    assert f"Trained here: {SMALL}, 6 epochs. The paper's numbers are of another network, dataset" in text
    assert f'![{SMALL} in place of wrn28_10: top-1 of every row' in text
    assert text.startswith(f'# {TABLE.title}\n')  # other runs are the table's own
    part = text.split('## Runs that differ: mixing_args.tau=[0.2, 0.3]')[1]
    assert 'mixing_args.tau=[0.2, 0.3] (the table has: [0.1, 0.8])' in part
    assert f"'--config.mixing_args.tau=(0.2, 0.3)' '--workdir={directory}/a b'" in part
    assert text.index("Runs of the table's own") < text.index('Runs that differ')


def test_a_report_of_runs_that_differ_alone_lists_all_rows(tmp_path):
    made_up.run(tmp_path, 'row=cutmix,scale=small', [0.3])
    report.write(tmp_path, TABLE, PATH)
    table = results((tmp_path / 'report.md').read_text(), 'Runs that differ: scale=small')
    title = (tmp_path / 'report.md').read_text().partition('\n')[0]
    assert title == f'# Rows of table3 with {SMALL}, 6 epochs'
    assert len(table) == 2 + len(TABLE.rows) and table['AA'] == ['not run']


def test_a_table_of_our_own_has_no_paper(tmp_path):
    made_up.run(tmp_path, 'row=cutmix', [0.3], table='small_study')
    report.write(tmp_path, TABLES['small_study'], 'configs/small_study.py')
    table = results((tmp_path / 'report.md').read_text(), 'Runs of')
    assert table['Row'] == ['wrn16_2: ours'] and table['CutMix'] == ['30.00 (1)']


HELD_OUT = dict(evaluated_on='held_out', test_top1_last=0.6, test_top1_best=0.65)


@pytest.mark.parametrize(
    ('accuracy', 'ours', 'part'),
    [
        ('last', '60.00 (1)', '70.00 (1)'),
        ('best', '65.00 (1)', '90.00 (1)'),
        ('median10', 'not on the test split', '70.00 (1)'),
    ],
)
@pytest.mark.slow
def test_runs_with_a_held_out_part_say_what_was_measured_where(accuracy, ours, part, tmp_path):
    scores = [0.9, *[0.7] * 9]
    made_up.run(tmp_path, 'row=cutmix', scores, held_out=0.1, result=HELD_OUT, name='held')
    made_up.run(tmp_path, 'row=cutmix', [0.8] * 10)
    report.write(tmp_path, TABLE, PATH, accuracy)
    text = (tmp_path / 'report.md').read_text()
    own, other = text.split('## Runs that differ: held_out=0.1')
    # The numbers of both splits stand in columns of their own, and beside no number of the paper.
    assert results(text, 'Runs that differ: held')['Row'] == [
        'wrn28_10: ours', 'wrn28_10: held-out part',
    ]  # fmt: skip
    assert results(text, 'Runs that differ: held')['CutMix'] == [ours, part]
    assert results(text, "Runs of the table's own")['CutMix'][1] == '80.00 (1)' and 'held-out' not in own
    assert 'held_out=0.1: during the training these runs were evaluated on a part' in other
    assert '10 % of the training images held out' in other
    assert 'after each evaluation on the held-out part, mean' in other
    assert ('chosen on the test split itself' in own) == (accuracy == 'best')
    assert 'chosen on the test split itself' not in other
    assert ('The last 10 evaluations of these runs were on a held-out part' in other) == (
        accuracy == 'median10'
    )


@pytest.mark.slow
def test_watch_writes_until_ctrl_c_and_waits_for_the_first_run(tmp_path, monkeypatch):
    pages = []

    def sleep(seconds):
        assert seconds == 7
        page = tmp_path / 'report.html'
        pages.append('content="7"' in page.read_text() if page.exists() else None)
        if len(pages) == 1:
            made_up.run(tmp_path, 'row=cutmix', [0.3])
        if len(pages) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, 'sleep', sleep)
    paths = report.watch(tmp_path, TABLE, PATH, 'last', 7)
    assert pages == [None, True] and [path.name for path in paths] == ['report.md', 'report.html']
    assert 'http-equiv' not in (tmp_path / 'report.html').read_text()  # nothing changes it any more


def test_watch_without_runs_ends_with_the_reason(tmp_path, monkeypatch):
    def sleep(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(time, 'sleep', sleep)
    with pytest.raises(ConfigError, match='holds no run'):
        report.watch(tmp_path, TABLE, PATH, 'last', 1)


@pytest.mark.slow
def test_a_median_of_fewer_than_ten_evaluations_is_a_sentence(tmp_path):
    made_up.run(tmp_path, 'row=cutmix,seed=0', [0.5] * 10)
    made_up.run(tmp_path, 'row=cutmix,seed=1', [0.6] * 9)
    made_up.run(tmp_path, 'row=resizemix', [0.6] * 9)
    report.write(tmp_path, TABLE, PATH, 'median10')
    text = (tmp_path / 'report.md').read_text()
    table = results(text, 'Runs of')
    assert table['CutMix'][1] == '50.00 (1)' and table['ResizeMix'][1] == 'fewer than 10 evaluations'
    assert (
        'The median of the last 10 evaluations needs 10; these runs have fewer and are not counted: '
        'CutMix, wrn28_10 (seed 1); ResizeMix, wrn28_10 (seed 0).' in text
    )
    report.write(tmp_path, TABLE, PATH)
    assert 'needs 10' not in (tmp_path / 'report.md').read_text()


@pytest.mark.slow
def test_the_words_are_of_the_task_s_score(tmp_path):
    made_up.run(tmp_path, 'row=cutmix', [0.3], task='tests.boxes')
    report.write(tmp_path, TABLE, PATH)
    text = (tmp_path / 'report.md').read_text()
    assert '\nClose in %, of the last evaluation: mean' in text and 'wrn28_10: close of every row' in text
    assert results(text, 'Runs that differ: task=tests.boxes')['CutMix'][1] == '30.00 (1)'
    assert 'top-1' not in text.partition('\n')[2]


@pytest.mark.slow
def test_operations_and_utilization_have_columns_where_they_are_known(tmp_path):
    made_up.run(tmp_path, 'row=baseline', [0.3])
    report.write(tmp_path, TABLE, PATH)
    assert 'FLOP' not in (tmp_path / 'report.md').read_text()
    used = dict(flops_per_step=2.5e12, model_flops_utilization=0.25)
    for seed in (0, 1):
        made_up.run(tmp_path, f'row=cutmix,seed={seed}', [0.3], result=used)
    report.write(tmp_path, TABLE, PATH)
    text = (tmp_path / 'report.md').read_text()
    assert '| images/s | FLOP per step | model FLOP utilization | hardware |' in text
    assert (
        '0, 1 | 60.0 ± 0.0 s with compilation | 2.56 (2.56–2.56) s | 100 | 2.5e+12 | 25.0% | 1 x cpu' in text
    )
    assert (
        '| Baseline | wrn28_10 | 0 | 60.0 s with compilation | 2.56 (2.56–2.56) s | 100 | – | – | 1 x cpu |'
        in text
    )


@pytest.mark.slow
def test_times_are_without_compilation_and_have_a_spread(tmp_path):
    """Two seeds that trained for 100 and 120 s; the first compiled for 60 s, the second found it cached."""
    for seed, (whole, compiled) in enumerate(((160.0, 60.0), (123.0, 3.0))):
        made_up.run(
            tmp_path, f'row=cutmix,seed={seed}', [0.3, 0.4, 0.5],
            result=dict(seconds=whole, compile_seconds=compiled), rates=(1000.0, 2000.0, 4000.0 + seed),
        )  # fmt: skip
    made_up.run(tmp_path, 'row=cutout', [0.3], result=dict(seconds=160.0))
    report.write(tmp_path, TABLE, PATH)
    text = (tmp_path / 'report.md').read_text()
    assert '| time per run | compilation | time per step | images/s |' in text
    # steps of 256 images: 256, 128 and 64 ms in each run
    assert '| CutMix | wrn28_10 | 0, 1 | 110 ± 14 s | 31.5 ± 40.3 s | 128 (80–224) ms |' in text
    assert '| Cutout | wrn28_10 | 0 | 2.67 min with compilation | – | 2.56 (2.56–2.56) s |' in text
    assert r'time of a run without compilation (\*: with it, since a run did not record it); error' in text
    (tmp_path / 'row-cutout' / 'config.json').unlink()
    report.write(tmp_path, TABLE, PATH)
    assert 'against the time of a run without compilation; error' in (tmp_path / 'report.md').read_text()


@pytest.mark.slow
def test_a_changed_batch_size_leaves_no_time_per_step(tmp_path):
    made_up.run(tmp_path, 'row=cutmix', [0.3], result=dict(identity=[{'batch_size': 8}, {'batch_size': 16}]))
    report.write(tmp_path, TABLE, PATH)
    assert '| CutMix | wrn28_10 | 0 | 60.0 s with compilation | 100 |' in (tmp_path / 'report.md').read_text()


@pytest.mark.slow
def test_costs_of_zero_make_no_plot(tmp_path):
    table = dataclasses.replace(TABLE, rows=(Row('cutmix', 'CutMix', paper={'cost': 0, 'wrn28_10': 83.4}),),
                                default_row='cutmix')  # fmt: skip
    config = configs.stored(table.get_config('row=cutmix'))
    path = made_up.run(tmp_path, 'row=cutmix', [0.3])
    result = json.loads((path / 'result.json').read_text())
    (path / 'config.json').write_text(json.dumps(config))
    (path / 'result.json').write_text(json.dumps(result | {'config': config}))
    report.write(tmp_path, table, PATH)
    text = (tmp_path / 'report.md').read_text()
    assert "There is no plot against the paper's cost, since that is 0 for all rows." in text
    assert "against the paper's cost of finding" not in text
    made_up.run(tmp_path / 'more', 'row=cutmix,seed=1', [0.3])
    report.write(tmp_path / 'more', TABLE, PATH)
    text = (tmp_path / 'more' / 'report.md').read_text()
    assert "against the paper's cost of finding" in text and 'There is no plot' not in text
