import json
import os
import pathlib
import re
import time

import pytest

from resizemix_jax import config as configs
from resizemix_jax.report import runs
from tests import made_up
from tests.configs.tables import TABLES

STUDY = pathlib.Path(__file__).parents[2] / 'docs/small_study'


def test_runs_are_found_wherever_they_are(tmp_path):
    one = made_up.run(tmp_path, 'row=cutmix,seed=1', [0.1, 0.3])
    two = made_up.run(tmp_path / 'deep' / 'er', 'row=baseline', [0.2], finished=False)
    (one / 'checkpoints' / '7').mkdir(parents=True)
    (one / 'checkpoints' / '7' / 'config.json').write_text('{}')
    found, problems = runs.find(tmp_path)
    assert [run.path for run in found] == [two, one] and not problems
    unfinished, finished = found
    assert not unfinished.result and finished.result['top1_last'] == 0.3
    assert finished.cell == ('cutmix', 'wrn28_10') and finished.config['seed'] == 1
    assert runs.evaluations(finished) == [(10, 0.1), (20, 0.3)]
    assert runs.find(one)[0][0].path == one


def test_damaged_files_are_named_and_counted(tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1, 0.3])
    with (path / 'metrics.jsonl').open('ab') as file:
        file.write(b'nonsense\n\xff\xfe\n{"step": 3, "a"')
    broken = made_up.run(tmp_path, 'row=baseline', [0.1])
    (broken / 'config.json').write_text('{')
    other = made_up.run(tmp_path, 'row=cutout', [0.1])
    (other / 'config.json').write_text('{"row": "cutout"}')
    lost = made_up.run(tmp_path, 'row=aa', [0.1])
    (lost / 'result.json').write_text('[]')
    found, problems = runs.find(tmp_path)
    assert [run.path for run in found] == [lost, path] and not found[0].result
    assert len(found[1].rows) == 4
    text = '\n'.join(problems)
    assert f'{path}/metrics.jsonl: 3 lines skipped, not a row of metrics: 5, 6, 7' in text
    assert f'not shown: {broken}: {broken}/config.json is not JSON' in text
    assert f'not shown: {other}: config.json has no table, column, recipe, seed' in text
    assert f'{lost} counts as unfinished: {lost}/result.json holds list' in text and len(problems) == 4


def test_a_result_with_another_config_does_not_count(tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1])
    config = json.loads((path / 'config.json').read_text())
    (path / 'config.json').write_text(json.dumps(config | {'epochs': 7}))
    run, problems = runs.read(path)
    assert not run.result and 'has another config than config.json' in problems[0]
    (path / 'config.json').write_text(json.dumps(config | {'data_dir': '/elsewhere'}))
    assert runs.read(path)[0].result


def test_the_progress_of_a_run(tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1, 0.25], finished=False)
    run, _ = runs.read(path)
    assert runs.progress(run) == pytest.approx(2 / 200)
    run = run._replace(written=time.time() - 3 * 3600)
    assert runs.status(run) == '1%, step 20, top-1 25.00 so far, last row 3 h ago'
    held = run._replace(config=run.config | {'held_out': 0.1})
    assert 'top-1 25.00 so far on the held-out part, last row' in runs.status(held)
    assert runs.progress(run._replace(config=run.config | {'steps': 40})) == 0.5
    empty = made_up.run(tmp_path, 'row=baseline', [], finished=False)
    run, _ = runs.read(empty)
    assert runs.status(run) == 'no metrics yet' and runs.progress(run) == 0


def test_epochs_follow_the_rows_where_the_batch_size_changed():
    epoch = runs.epoch_of([{'step': 10, 'epoch': 1.0}, {'step': 15, 'epoch': 2.0}, {'step': 20}])
    assert [epoch(step) for step in (0, 5, 10, 15, 20)] == pytest.approx([0, 0.5, 1, 2, 3])
    assert runs.epoch_of([])(7) == 0


def test_a_run_of_format_1_reads_in_the_current_format():
    """Of version 0.1.0: config.json without `format`, result.json without `score` and `identity`."""
    run, problems = runs.read(STUDY / 'small_study_cutmix_wrn16_2_seed1')
    assert not problems and run.config == configs.migrate(run.result['config'])
    assert (run.config['optimizer'], run.config['schedule_args']['lr']) == ('sgd', 0.1)
    assert run.reached('last') == 100 * run.rows[-1]['eval_top1'] and run.reached('median10') > 80
    assert run.identity == [] and (run.score, run.score_title) == ('top1', 'top-1')


def test_the_score_is_that_of_the_task(tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.25, 0.5], task='tests.boxes')
    run, _ = runs.read(path)
    assert (run.score, run.score_title, run.reached('last')) == ('close', 'close', 50)
    assert runs.evaluations(run) == [(10, 0.25), (20, 0.5)] and 'close 50.00 so far' in runs.status(run)
    assert run.reached('median10') is None and run._replace(result={}).reached('last') is None


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(format=99), 'not shown: .*: the config has format 99'),
        (dict(mixing='gone'), "not shown: .*: .*there is no 'gone'"),
        (dict(mixing=None), 'not shown: .*: config.json is damaged: '),
        (dict(mixing_args=3), 'not shown: .*: config.json is damaged: '),
        (dict(epochs=0), 'not shown: .*: config.json is damaged: steps and epochs are 0'),
        (dict(seed='x'), "not shown: .*: config.json is damaged: seed='x' must be a whole number"),
        (dict(row=None), 'not shown: .*: config.json is damaged: row=None must be a text'),
        (dict(task='json.loads'), 'not shown: .*: '),
        (dict(mixing='.x'), 'not shown: .*: '),
    ],
)
def test_a_config_that_cannot_be_read_is_named(tmp_path, changes, message):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1])
    config = json.loads((path / 'config.json').read_text())
    (path / 'config.json').write_text(json.dumps(config | changes))
    found, problems = runs.find(tmp_path)
    assert not found and len(problems) == 1 and re.search(message, problems[0])


def test_a_damaged_result_leaves_an_unfinished_run(tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1], result={'config': {'format': 99}})
    run, problems = runs.read(path)
    assert not run.result and 'counts as unfinished: the config has format 99' in problems[0]


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('config.json', b'\xff\xfe', 'not shown: {path}: {path}/config.json is not JSON'),
        ('config.json', b'[1]', 'not shown: {path}: {path}/config.json holds list'),
        ('result.json', b'[1]', '{path} counts as unfinished: {path}/result.json holds list'),
        ('result.json', b'{"x": 1}', '{path} counts as unfinished: result.json has no config, seconds'),
        ('metrics.jsonl', b'', '{path}: metrics.jsonl has no row of the last evaluation'),
        ('metrics.jsonl', b'[' * 100_000, '{path}/metrics.jsonl: 1 line skipped'),
    ],
)
def test_a_file_with_other_content(name, content, message, tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1])
    (path / name).write_bytes(content)
    _, problems = runs.find(tmp_path)
    assert problems[0].startswith(message.format(path=path))


@pytest.mark.parametrize('name', ['config.json', 'result.json', 'metrics.jsonl'])
@pytest.mark.parametrize('kind', ['directory', 'dangling', 'loop', 'pipe'])
def test_something_else_in_the_place_of_a_file_is_named_and_never_waited_for(name, kind, tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1])
    (path / name).unlink()
    if kind == 'directory':
        (path / name).mkdir()
    elif kind == 'pipe':
        os.mkfifo(path / name)
    else:
        (path / name).symlink_to('gone' if kind == 'dangling' else name)
    found, problems = runs.find(tmp_path)
    assert f'{name} is not a file' in problems[0] and str(path) in problems[0]
    assert len(found) == (name != 'config.json')


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(device=None), 'device=None must be a text'),
        (dict(top1_last=float('nan')), r'top1_last=nan must be a number in \[0, 1\]'),
        (dict(seconds='long'), "seconds='long' must be a number"),
        (dict(identity=3), ''),
        (dict(identity=[3, {'versions': 'x', 'commit': 7, 'devices': [1]}]), ''),
    ],
)
def test_damaged_values_of_a_result(changes, message, tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1], result=changes)
    run, problems = runs.read(path)
    if message:
        assert re.search(f'{path} counts as unfinished: result.json is damaged: {message}', problems[0])
    assert bool(run.result) == (not message) and len(problems) == bool(message)


def test_rows_that_cannot_be_shown_are_skipped_by_their_lines(tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1, 0.2])
    with (path / 'metrics.jsonl').open('a') as file:
        file.write('{"step": 30, "eval_top1": NaN}\n{"step": 30, "epoch": "x"}\n{"step": true}\nx\n')
    run, problems = runs.read(path)
    assert len(run.rows) == 4
    assert problems == [f'{path}/metrics.jsonl: 4 lines skipped, not a row of metrics: 5, 6, 7, 8']


def test_a_run_without_its_config_is_named_and_names_of_a_run_s_folders_are_free(tmp_path):
    lost = made_up.run(tmp_path, 'row=cutmix', [0.1])
    (lost / 'config.json').unlink()
    made_up.run(tmp_path, 'row=baseline', [0.1], name='best')  # a name that a run has for a folder of its own
    found, problems = runs.find(tmp_path)
    assert [run.path.name for run in found] == ['best']
    assert problems == [f'not shown: {lost}: there is no config.json']


def test_a_finished_run_that_lacks_a_newer_key_is_the_table_s_own(tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1])
    for name in ('config.json', 'result.json'):
        content = json.loads((path / name).read_text())
        config = content.get('config', content)
        del config['freeze'], config['optimizer_args']['decay'], config['mixing_args']['per']
        (path / name).write_text(json.dumps(content))
    run, problems = runs.read(path)
    assert not problems and run.result
    assert run.config == configs.stored(TABLES['table3'].get_config('row=cutmix'))
