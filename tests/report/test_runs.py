import json
import time

import pytest

from resizemix_jax.report import runs
from tests import made_up


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


def test_what_cannot_be_used_is_named_and_counted(tmp_path):
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
    assert f'{broken}/config.json is not JSON' in text
    assert f'{other}/config.json has no table, column, recipe, seed' in text
    assert f'{lost}/result.json holds list, and must hold an object' in text and len(problems) == 4


def test_a_result_of_another_config_is_none(tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1])
    config = json.loads((path / 'config.json').read_text())
    (path / 'config.json').write_text(json.dumps(config | {'epochs': 7}))
    run, problems = runs.read(path)
    assert (
        not run.result and 'has another config than config.json: the run counts as unfinished' in problems[0]
    )
    (path / 'config.json').write_text(json.dumps(config | {'data_dir': '/elsewhere'}))
    assert runs.read(path)[0].result


def test_durations_have_a_unit_of_their_size():
    assert [runs.duration(seconds) for seconds in (0.0, 119, 120, 7199, 7200, 864_000)] == [
        '0 s', '119 s', '2 min', '120 min', '2 h', '240 h',
    ]  # fmt: skip


def test_how_far_a_run_is(tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.1, 0.25], finished=False)
    run, _ = runs.read(path)
    assert runs.progress(run) == pytest.approx(2 / 200)
    run = run._replace(written=time.time() - 3 * 3600)
    assert runs.status(run) == '1%, step 20, top1 25.00 so far, last row 3 h ago'
    assert runs.progress(run._replace(config=run.config | {'steps': 40})) == 0.5
    empty = made_up.run(tmp_path, 'row=baseline', [], finished=False)
    run, _ = runs.read(empty)
    assert runs.status(run) == 'no metrics yet' and runs.progress(run) == 0
