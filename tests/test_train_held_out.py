"""A training with a held-out part: what it is evaluated on, and that the test split is kept for the end."""

import json
import shutil

import jax
import numpy as np
import pytest

from resizemix_jax import build, command, evaluate, export, listing, loop, train
from resizemix_jax.errors import ConfigError, PreemptedError
from resizemix_jax.report import runs
from resizemix_jax.run import files
from tests import tiny
from tests.test_train import TIMES, final_state, rows, terminate_at

# 67 images: 13 are held out, and the other 54 make 3 steps an epoch.
KEYS = dict(held_out=0.2, optimizer_args__weight_decay=0.0, schedule_args__lr=0.05)
# What is of one start, or depends on times.
OF_A_START = (*TIMES, 'identity', 'rows', 'unread_keys')


def config(**values):
    return tiny.config(**KEYS, **values)


@pytest.fixture(scope='module')
def unbroken(tmp_path_factory):
    """A run that nothing stopped, and the splits that it was measured on, one after the other."""
    workdir, measured = tmp_path_factory.mktemp('unbroken'), []

    def spy(eval_step, plan, state, split, **signals):
        measured.append((int(state.step), split.size))
        return evaluate.evaluate(eval_step, plan, state, split, **signals)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, 'evaluate', spy)
        result = train.train_and_evaluate(config(), workdir)
    return workdir, result, measured


@pytest.mark.slow
def test_the_test_split_is_measured_once_at_the_end(unbroken):
    workdir, result, measured = unbroken
    best = next(row['step'] for row in rows(workdir) if row.get('eval_top1') == result['top1_best'])
    assert measured == [(3, 13), (6, 13), (9, 13), (9, 37), (best, 37)]


def test_the_result_says_what_was_measured_where(unbroken):
    workdir, result, _ = unbroken
    scores = [row['eval_top1'] for row in rows(workdir) if 'eval_top1' in row]
    assert {row['eval_examples'] for row in rows(workdir) if 'eval_top1' in row} == {13}
    assert (result['evaluated_on'], result['top1_last'], result['top1_best']) == (
        'held_out', scores[-1], max(scores),
    )  # fmt: skip
    assert {name for name in result if name.startswith('test_')} == {
        f'test_{name}_{which}' for name in ('top1', 'top5', 'loss') for which in ('last', 'best')
    }
    (row,) = files.read_rows(workdir / 'identity.jsonl')[0]
    assert {name: data['size'] for name, data in row['data'].items()} == {
        'train': 54, 'held_out': 13, 'eval': 37,
    }  # fmt: skip
    assert len({row['data'][name].get('rows') for name in ('train', 'held_out', 'eval')}) == 3
    assert result['seconds'] > files.read_rows(workdir / 'metrics.jsonl')[0][-1]['seconds']  # of all of it
    run, problems = runs.read(workdir)
    assert not problems and run.reached('best') == 100 * result['test_top1_best']
    assert run.held_out('best') == 100 * result['top1_best']


@pytest.mark.slow
def test_the_checkpoints_give_these_numbers_by_the_split_that_is_named(unbroken, tmp_path, capsys):
    workdir = shutil.copytree(unbroken[0], tmp_path / 'run')
    result = unbroken[1]
    values = {
        split: evaluate.evaluate_checkpoint(config(), workdir, split)
        for split in ('eval', 'held_out', 'train')
    }
    for which in ('last', 'best'):
        for name in ('top1', 'loss'):
            found = values['eval'][f'{which}_{name}']
            assert found == pytest.approx(result[f'test_{name}_{which}'], rel=1e-5)
        assert values['held_out'][f'{which}_top1'] == pytest.approx(result[f'top1_{which}'])
    found = [json.loads(line) for line in (workdir / 'evaluations.jsonl').read_text().splitlines()]
    assert [row['split'] for row in found] == ['eval', 'held_out', 'train']
    assert [row['data']['size'] for row in found] == [37, 13, 54]
    words = ['main.py', '--mode=evaluate', f'--workdir={workdir}', '--split=held_out']
    assert command.main(words) == 0
    assert f'last_top1: {100 * result["top1_last"]:.2f} %, on held_out' in capsys.readouterr().out


def test_an_export_says_where_its_score_was_measured(unbroken):
    workdir, result, measured = unbroken
    plan = build.plan(config())
    score = export._score(plan, workdir, measured[-1][0])
    assert score == {
        'top1': result['top1_best'], 'evaluated_on': 'held_out', 'test_top1_best': result['test_top1_best'],
    }  # fmt: skip
    assert listing.conclusion(None, plan.config, score, 'top1').splitlines() == [
        f'top1: {100 * result["top1_best"]:.2f} %, on held_out',
        f'test_top1_best: {100 * result["test_top1_best"]:.2f} %',
    ]


@pytest.mark.slow
def test_what_cannot_be_evaluated_is_a_sentence(unbroken):
    workdir = unbroken[0]
    with pytest.raises(ConfigError, match="--split=test: dataset='fake' has: train, eval, held_out$"):
        evaluate.evaluate_checkpoint(config(), workdir, 'test')
    with pytest.raises(ConfigError, match='has: train, eval; held_out is one of runs with --config.held_out'):
        evaluate.evaluate_checkpoint(tiny.config(), workdir, 'held_out')
    for other in (dict(seed=1), dict(held_out=0.3)):
        with pytest.raises(ConfigError, match='these are not the examples that the run in .* held out'):
            evaluate.evaluate_checkpoint(_with(**other), workdir, 'held_out')
    assert not (workdir / 'evaluations.jsonl').exists()


def _with(**values):
    return tiny.config(**KEYS | values)


@pytest.mark.parametrize(
    ('where', 'calls', 'message'),
    [
        ('eval_batches', 2, 'saved at step 6;'),  # within the second evaluation
        ('eval_batches', 5, 'before the test split was measured; the same command does it'),  # of the best
    ],
)
@pytest.mark.slow
def test_a_stopped_run_continues_bit_by_bit(where, calls, message, unbroken, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        terminate_at(patch, where, calls)
        with pytest.raises(PreemptedError, match=message):
            train.train_and_evaluate(config(), tmp_path)
    assert not (tmp_path / 'result.json').exists()
    result = train.train_and_evaluate(config(), tmp_path)
    ours, expected = (final_state(path, config()) for path in (tmp_path, unbroken[0]))
    jax.tree.map(np.testing.assert_array_equal, ours, expected)
    assert rows(tmp_path) == rows(unbroken[0])
    one, two = ({k: v for k, v in r.items() if k not in OF_A_START} for r in (result, unbroken[1]))
    assert one == two


@pytest.mark.parametrize('change', [dict(held_out=0.3), dict(held_out=0.0), dict(seed=1)])
@pytest.mark.slow
def test_no_flag_lets_a_run_hold_out_other_examples(change, unbroken, tmp_path):
    workdir = shutil.copytree(unbroken[0], tmp_path / 'run')
    (workdir / 'result.json').unlink()
    before = (workdir / 'identity.jsonl').read_text()
    with pytest.raises(ConfigError, match='^a run cannot continue with other held-out examples'):
        train.train_and_evaluate(_with(**change), workdir, allow_config_change=True)
    assert (workdir / 'identity.jsonl').read_text() == before


@pytest.mark.slow
def test_without_a_share_the_test_split_is_evaluated_as_ever(tmp_path):
    result = train.train_and_evaluate(tiny.config(epochs=1), tmp_path)
    assert result['evaluated_on'] == 'eval' and not [name for name in result if name.startswith('test_')]
    (row,) = files.read_rows(tmp_path / 'identity.jsonl')[0]
    assert set(row['data']) == {'train', 'eval'} and 'rows' not in row['data']['train']
