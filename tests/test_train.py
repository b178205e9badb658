"""The loop, whole: it trains, stops anywhere, and continues bit by bit."""

import json
import os
import re
import shutil
import signal

import jax
import numpy as np
import pytest

from resizemix_jax import build, train
from resizemix_jax.devices import parallel
from resizemix_jax.errors import ConfigError, DataError, NonFiniteError, PreemptedError, RunError
from resizemix_jax.input import pipeline
from resizemix_jax.loop import Loop
from resizemix_jax.run import files
from resizemix_jax.run.checkpoint import Checkpoints
from tests import tiny, unprivileged
from tests.run.test_events import assert_events_are_the_rows

TIMES = ('seconds', 'compile_seconds', 'images_per_second', 'data_wait_share')


def final_state(workdir, config):
    run = build.open_run(build.plan(config))
    with Checkpoints(workdir) as checkpoints:
        state = checkpoints.restore(build.initial_state(run), run.plan.devices)
        return jax.tree.leaves(parallel.to_host(state)), checkpoints.best_step()


def rows(workdir):
    lines = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in TIMES} for line in lines]


@pytest.fixture(scope='module')
def unbroken(tmp_path_factory):
    """A run that nothing stopped."""
    workdir = tmp_path_factory.mktemp('unbroken')
    result = train.train_and_evaluate(tiny.config(), workdir)
    return workdir, result


def test_a_run_writes_what_it_promises(unbroken):
    workdir, result = unbroken
    assert {p.name for p in workdir.iterdir()} == {
        '.lock', 'config.json', 'identity.jsonl', 'metrics.jsonl', 'events', 'checkpoints', 'best',
        'result.json',
    }  # fmt: skip
    assert files.read_json(workdir / 'result.json') == json.loads(json.dumps(result))
    found = rows(workdir)
    # 67 images make 4 batches of 16 an epoch; logged every 3 steps and at the end, evaluated every epoch.
    assert [row['step'] for row in found if 'train_loss' in row] == [3, 6, 9, 12]
    assert [row['step'] for row in found if 'eval_top1' in row] == [4, 8, 12]
    assert {row['eval_examples'] for row in found if 'eval_top1' in row} == {37}
    assert all('train_mixed_top1' in row for row in found if 'train_loss' in row)
    assert result['steps'] == 12 and result['row'] == 'resizemix' and result['seconds'] > 0
    for key in ('config', 'seed', 'top1_last', 'top1_best', 'top5_last', 'device'):
        assert key in result
    assert result['flops_per_step'] > 0 and [row['step'] for row in result['identity']] == [0]


def test_a_finished_run_is_only_reported(unbroken, monkeypatch):
    workdir, result = unbroken
    monkeypatch.setattr(build, 'open_run', None)  # would fail if it were called
    assert train.train_and_evaluate(tiny.config(), workdir) == json.loads(json.dumps(result))


@pytest.fixture
def protected(unbroken, shared_path):
    """That run, for users who may read it only."""
    shutil.copytree(unbroken[0], shared_path / 'run')
    unprivileged.write_protect(shared_path / 'run')
    return shared_path / 'run'


def test_a_finished_run_that_nobody_may_write_to_is_reported(unbroken, protected):
    with unprivileged.user():
        assert train.train_and_evaluate(tiny.config(), protected) == json.loads(json.dumps(unbroken[1]))


def test_a_run_that_nobody_may_write_to_is_not_continued(protected):
    protected.chmod(0o755)
    (protected / 'result.json').unlink()
    protected.chmod(0o555)
    with (
        unprivileged.user(),
        pytest.raises(RunError, match=f'^cannot open {protected}/.lock: Permission denied'),
    ):
        train.train_and_evaluate(tiny.config(), protected)


@pytest.mark.parametrize('name', ['checkpoints', 'metrics.jsonl', 'identity.jsonl', 'config.json'])
def test_a_part_of_a_run_that_may_not_be_read_is_named(name, protected):
    """And not taken for a run that has none."""
    protected.chmod(0o777)
    (protected / 'result.json').unlink()
    (protected / '.lock').chmod(0o666)
    (protected / name).chmod(0)
    with (
        unprivileged.user(),
        pytest.raises(RunError, match=f'cannot (list|read) {protected}/{name}: Permission denied'),
    ):
        train.train_and_evaluate(tiny.config(), protected)


def terminate_at(monkeypatch, name, calls):
    """Sends this process SIGTERM at the given call of a function of the pipeline, as a scheduler would."""
    original, count = getattr(pipeline, name), iter(range(1, 1000))

    def function(*args, **keywords):
        if next(count) == calls:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(*args, **keywords)

    monkeypatch.setattr(pipeline, name, function)


@pytest.mark.parametrize(
    ('where', 'calls', 'step'),
    [
        ('train_batch', 1, 1),  # at once
        ('train_batch', 5, 5),  # within an epoch, within a log interval
        ('train_batch', 6, 6),  # where a row is logged
        ('train_batch', 8, 8),  # where an evaluation and a checkpoint are due
        ('eval_batches', 2, 8),  # within the second evaluation
        ('eval_batches', 3, 12),  # within the last one
    ],
)
@pytest.mark.slow
def test_a_stopped_run_continues_bit_by_bit(where, calls, step, unbroken, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        terminate_at(patch, where, calls)
        with pytest.raises(PreemptedError, match=f'saved at step {step};') as stopped:
            train.train_and_evaluate(tiny.config(), tmp_path)
        assert stopped.value.exit_code == 75
    assert not (tmp_path / 'result.json').exists()
    train.train_and_evaluate(tiny.config(), tmp_path)
    (state, best), (expected, expected_best) = (
        final_state(w, tiny.config()) for w in (tmp_path, unbroken[0])
    )
    for one, two in zip(state, expected, strict=True):
        np.testing.assert_array_equal(one, two)
    assert rows(tmp_path) == rows(unbroken[0])
    assert_events_are_the_rows(tmp_path)
    assert best == expected_best
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.slow
def test_compilation_is_counted_for_each_start_and_over_all(unbroken, tmp_path, monkeypatch, caplog):
    """The rows of a stopped run are given 10,000 s, of them 1,000 of compilation."""
    workdir, result = unbroken
    last = json.loads((workdir / 'metrics.jsonl').read_text().splitlines()[-1])
    assert 0 < result['compile_seconds'] == last['compile_seconds'] < result['seconds']
    with monkeypatch.context() as patch:
        terminate_at(patch, 'train_batch', 6)
        with pytest.raises(PreemptedError):
            train.train_and_evaluate(tiny.config(), tmp_path)
    found = [json.loads(line) for line in (tmp_path / 'metrics.jsonl').read_text().splitlines()]
    for row in found:
        row |= {'seconds': 10_000.0, 'compile_seconds': 1_000.0}
    (tmp_path / 'metrics.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in found))
    caplog.set_level('INFO', 'resizemix_jax')
    result = train.train_and_evaluate(tiny.config(), tmp_path, allow_config_change=True)  # of rows, too
    *_, said = [record.args[0] for record in caplog.records if record.msg.startswith('Compiled in')]
    assert said < 1_000 < result['compile_seconds'] < 2_000 and result['seconds'] > 10_000
    assert result['compile_seconds'] >= 1_000 + said  # and the evaluation's


class PowerCut(BaseException):
    """What no handler sees coming."""


@pytest.mark.parametrize('step', [6, 8])
@pytest.mark.slow
def test_a_killed_run_goes_back_to_its_last_checkpoint(step, unbroken, tmp_path, monkeypatch):
    original = pipeline.train_batch

    def train_batch(split, batch_size, seed, at, share):
        if at == step:
            raise PowerCut
        return original(split, batch_size, seed, at, share)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, 'train_batch', train_batch)
        with pytest.raises(PowerCut):
            train.train_and_evaluate(tiny.config(), tmp_path)
    train.train_and_evaluate(tiny.config(), tmp_path)
    for one, two in zip(final_state(tmp_path, tiny.config())[0], final_state(unbroken[0], tiny.config())[0],
                        strict=True):  # fmt: skip
        np.testing.assert_array_equal(one, two)
    assert rows(tmp_path) == rows(unbroken[0])
    assert_events_are_the_rows(tmp_path)


@pytest.mark.slow
def test_a_run_continues_on_other_devices(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        terminate_at(patch, 'train_batch', 5)
        with pytest.raises(PreemptedError):
            train.train_and_evaluate(tiny.config(), tmp_path)
    assert train.train_and_evaluate(tiny.config(num_devices=8), tmp_path)['device'] == '8 x cpu'
    assert [row['step'] for row in rows(tmp_path) if 'eval_top1' in row] == [4, 8, 12]


def stopped(monkeypatch, workdir, step, **values):
    """Trains in `workdir` up to a step."""
    with monkeypatch.context() as patch:
        terminate_at(patch, 'train_batch', step)
        with pytest.raises(PreemptedError):
            train.train_and_evaluate(tiny.config(**values), workdir)


@pytest.mark.parametrize(
    ('stop', 'before', 'after', 'expected'),
    [
        (7, 5, 3, {5: (1, 5), 9: (6, 9), 12: (10, 12)}),
        (5, 5, 3, {5: (1, 5), 6: (6, 6), 9: (7, 9), 12: (10, 12)}),
        (5, 3, 5, {3: (1, 3), 10: (6, 10), 12: (11, 12)}),  # an interval begins at a multiple of its length
    ],
)
@pytest.mark.slow
def test_a_row_averages_its_steps_whatever_the_interval_was(
    stop, before, after, expected, each_step, tmp_path, monkeypatch
):
    stopped(monkeypatch, tmp_path, stop, log_every_steps=before)
    train.train_and_evaluate(tiny.config(log_every_steps=after), tmp_path)
    found = {row['step']: row['train_loss'] for row in rows(tmp_path) if 'train_loss' in row}
    assert found == {
        step: pytest.approx(np.mean(each_step[first - 1 : last]), rel=1e-5)
        for step, (first, last) in expected.items()
    }


@pytest.fixture(scope='module')
def each_step(tmp_path_factory):
    """The loss of every step of the unbroken run.

    Not by log_every_steps=1: XLA drops the sums then, and the other program rounds otherwise.
    """
    losses, advance = [], Loop.advance

    def recorded(*args):
        state, metrics = advance(*args)
        losses.append(float(metrics['loss']))
        return state, metrics

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, 'advance', recorded)
        train.train_and_evaluate(tiny.config(), tmp_path_factory.mktemp('each_step'))
    return losses


@pytest.mark.slow
def test_another_batch_size_continues_with_the_next_examples(tmp_path, monkeypatch, caplog):
    """Half of the second epoch in batches of 16, the rest in batches of 32 of a longer run."""
    seen, made = [], pipeline.train_batch

    def train_batch(split, batch_size, seed, place, share):
        epoch, index = divmod(place, split.steps(batch_size))
        seen.append(split.order(seed, epoch, batch_size)[index])
        return made(split, batch_size, seed, place, share)

    monkeypatch.setattr(pipeline, 'train_batch', train_batch)
    stopped(monkeypatch, tmp_path, 6)
    result = train.train_and_evaluate(tiny.config(batch_size=32, epochs=4, log_every_steps=1), tmp_path)
    assert 'The run continues after step 6, at epoch 1.5 of 4, with the next examples' in caplog.text
    order = build.open_run(build.plan(tiny.config())).train['train'].order
    expected = np.concatenate([order(0, epoch, 16).ravel() for epoch in range(4)])
    np.testing.assert_array_equal(np.concatenate(seen), expected)
    assert result['steps'] == 6 + 1 + 2 + 2
    found = [row for row in rows(tmp_path) if 'train_loss' in row and row['step'] > 6]
    assert [row['epoch'] for row in found] == [2, 2.5, 3, 3.5, 4]
    assert [row['step'] for row in rows(tmp_path) if 'eval_top1' in row] == [4, 7, 9, 11]
    schedule = build.unopened_run(build.plan(tiny.config(batch_size=32, epochs=4))).schedule
    rates = [float(schedule(place)) for place in range(3, 8)]
    assert [row['train_learning_rate'] for row in found] == pytest.approx(rates)
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.latest_step() == 11


@pytest.mark.slow
def test_the_optimiser_takes_the_rate_of_its_place():
    plain = build.unopened_run(build.plan(tiny.config(batch_size=32)))
    run = build.at_offset(plain, 4)
    assert (run.last, run.epoch(8), run.epoch(10)) == (10, 2.0, 3.0)
    params = {'w': np.ones(2, np.float32)}

    def update(tx, count):
        state = jax.tree.map(lambda a: np.full_like(a, count) if a.dtype == np.int32 else a, tx.init(params))
        return tx.update(params, state, params)[0]['w']

    np.testing.assert_array_equal(update(run.tx, 7), update(plain.tx, 3))
    assert (update(run.tx, 7) != update(plain.tx, 7)).all()


@pytest.mark.slow
def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    with pytest.raises(NonFiniteError, match=r'The loss of step \d+ is (nan|inf)') as error:
        train.train_and_evaluate(tiny.config(schedule_args__lr=1e30), tmp_path)
    assert error.value.exit_code == 3
    assert not (tmp_path / 'result.json').exists()


def names(workdir, folder='checkpoints'):
    return sorted(path.name for path in (workdir / folder).iterdir())


# The update is their product, beyond float32.
OVERFLOWING = dict(schedule_args__lr=3e38, optimizer_args__weight_decay=3e38)


@pytest.mark.slow
def test_a_state_that_is_not_finite_is_never_saved(tmp_path):
    """A finite loss, and infinite parameters after the step: the last one, where no other loss tells."""
    with pytest.raises(
        NonFiniteError, match=r'After step 1 there are NaN.* in .*No checkpoint was saved'
    ) as e:
        train.train_and_evaluate(tiny.config(steps=1, **OVERFLOWING), tmp_path)
    assert e.value.exit_code == 3 and names(tmp_path) == names(tmp_path, 'best') == []
    assert not (tmp_path / 'result.json').exists()


@pytest.mark.slow
def test_a_run_that_diverges_keeps_its_good_checkpoint_and_continues(tmp_path, monkeypatch):
    stopped(monkeypatch, tmp_path, 5)
    with pytest.raises(NonFiniteError, match='After step 6 .*The newest checkpoint is of step 5'):
        train.train_and_evaluate(tiny.config(steps=6, **OVERFLOWING), tmp_path, True)
    assert names(tmp_path) == ['5']
    train.train_and_evaluate(tiny.config(steps=6), tmp_path, True)
    assert names(tmp_path) == ['6']


@pytest.mark.slow
def test_events_and_pictures_cannot_end_a_run(tmp_path, caplog):
    for name in ('events', 'gallery'):
        (tmp_path / name).write_text('a file where a directory should be')
    result = train.train_and_evaluate(tiny.config(steps=4, gallery_every=2), tmp_path)
    assert result['steps'] == 4 and [row['step'] for row in rows(tmp_path)] == [3, 4, 4]
    assert 'No more TensorBoard events of this run are written: ' in caplog.text
    assert 'No pictures of step 2: ' in caplog.text and 'No pictures of step 4: ' in caplog.text


def test_pictures_that_cannot_be_drawn_are_refused_at_the_start(tmp_path):
    config = tiny.config(gallery_every=100, batch_size=1, dataset_args__train_size=1)
    with pytest.raises(DataError, match='two images of different classes are needed'):
        train.train_and_evaluate(config, tmp_path)
    assert not (tmp_path / 'checkpoints').exists()


@pytest.mark.slow
def test_checkpoints_are_kept_every_so_many_epochs(tmp_path):
    train.train_and_evaluate(tiny.config(epochs=4, save_every_epochs=3, keep_every=2), tmp_path)
    assert names(tmp_path) == ['16', '8']


@pytest.mark.slow
def test_minutes_make_a_run_save_and_change_nothing_else(unbroken, tmp_path, monkeypatch):
    saved, save = [], Checkpoints.save

    def note(checkpoints, state, step, *args, **kwargs):
        saved.append(step)
        save(checkpoints, state, step, *args, **kwargs)

    monkeypatch.setattr(Checkpoints, 'save', note)
    train.train_and_evaluate(tiny.config(save_every_minutes=1e-9), tmp_path)
    assert saved == list(range(1, 13)) and names(tmp_path) == ['12'] and rows(tmp_path) == rows(unbroken[0])
    for one, two in zip(final_state(tmp_path, tiny.config())[0], final_state(unbroken[0], tiny.config())[0],
                        strict=True):  # fmt: skip
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize('name', ['metrics.jsonl', 'identity.jsonl'])
@pytest.mark.slow
def test_rows_that_a_checkpoint_counts_on_are_not_lost_silently(name, tmp_path, monkeypatch, caplog):
    stopped(monkeypatch, tmp_path, 5)
    path = tmp_path / name
    whole = path.read_text()
    path.write_text(whole.replace(':', ': ', 1).replace('"step": ', '"step": 1', 1))
    with pytest.raises(DataError, match=f'{name} was changed: up to the checkpoint of step 5') as error:
        train.train_and_evaluate(tiny.config(), tmp_path)
    assert error.value.exit_code == 2 and '11' not in names(tmp_path)
    path.write_text(whole)
    assert train.train_and_evaluate(tiny.config(), tmp_path)['steps'] == 12


@pytest.mark.slow
def test_lost_checkpoints_of_a_continued_run_are_missed(tmp_path, monkeypatch):
    stopped(monkeypatch, tmp_path, 5)
    stopped(monkeypatch, tmp_path, 2)
    shutil.rmtree(tmp_path / 'checkpoints')
    with pytest.raises(DataError, match='has lost its checkpoints: the run was continued from step 5 before'):
        train.train_and_evaluate(tiny.config(), tmp_path)


@pytest.mark.slow
def test_a_workdir_that_vanishes_ends_the_run(tmp_path, monkeypatch):
    made = pipeline.train_batch

    def train_batch(split, batch_size, seed, place, share):
        if place == 5:
            (tmp_path / 'run').rename(tmp_path / 'moved')
        return made(split, batch_size, seed, place, share)

    monkeypatch.setattr(pipeline, 'train_batch', train_batch)
    with pytest.raises(RunError, match='run was deleted, moved or unmounted while this run wrote to it'):
        train.train_and_evaluate(tiny.config(), tmp_path / 'run')
    assert (tmp_path / 'moved' / 'checkpoints').is_dir() and not (tmp_path / 'run' / 'result.json').exists()


def test_a_workdir_in_a_circle_of_links_is_named(tmp_path):
    (tmp_path / 'a').symlink_to('b')
    (tmp_path / 'b').symlink_to('a')
    for workdir in (tmp_path / 'a', tmp_path / 'a' / 'run'):
        with pytest.raises(RunError, match=f'{tmp_path}/a.*: Too many levels of symbolic links'):
            train.train_and_evaluate(tiny.config(), workdir)


@pytest.mark.parametrize('name', ['a[b', 'a*', 'a?', 'a\\b'])
def test_a_name_that_checkpoints_cannot_have_is_refused(name, tmp_path):
    with pytest.raises(
        ConfigError, match='checkpoints of a run cannot be saved below a directory whose name'
    ):
        train.train_and_evaluate(tiny.config(), tmp_path / name / 'run')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'mixing_args__tau': (0.9, 0.1)}, r'tau=\(0.9, 0.1\) must be \(low, high\) with 0 < low'),
        ({'batch_size': 12, 'num_devices': 8}, 'batch_size=12 must be a multiple of the 8 devices; e.g. 8'),
        ({'micro_batches': 5}, 'micro_batches=5 must divide the 16 images of a device'),
        ({'batch_size': 128}, 'batch_size=128 is more than the 67 training images'),
        ({'epochs': 0}, 'epochs=0 must be >= 1'),
        ({'seed': -1}, 'seed=-1 must be >= 0'),
        ({'num_devices': 64}, 'num_devices=64 must be between 0 .all. and the 8 devices'),
        ({'schedule_args__lr': -1.0}, 'schedule_args.lr=-1.0 must be > 0'),
        ({'schedule_args__warmup_epochs': 3}, 'a warm-up of 12 steps does not fit a run of 12'),
        ({'model': 'wide_resnet', 'model_args__depth': 11}, r'depth=11 must be 6 n \+ 4'),
        ({'augment_args__padding': -1}, 'padding=-1 must be from 0 to 8'),
    ],
)
@pytest.mark.slow
def test_a_wrong_config_is_told_before_anything_is_written(values, message, tmp_path):
    with pytest.raises(ConfigError, match=message) as error:
        train.train_and_evaluate(tiny.config(**values), tmp_path / 'run')
    assert error.value.exit_code == 2
    assert not list(tmp_path.rglob('checkpoints'))


@pytest.mark.parametrize(
    ('key', 'message'),
    [
        ('dataset', "datasets: there is no 'absent'; there are: cifar10, "),
        ('task', "tasks: there is no 'absent'"),
    ],
)
@pytest.mark.slow
def test_an_unknown_name_is_told_before_anything_is_written(key, message, tmp_path):
    config = tiny.config()
    config[key] = 'absent'
    with pytest.raises(ConfigError, match=message):
        train.train_and_evaluate(config, tmp_path / 'run')
    assert not list(tmp_path.rglob('checkpoints'))


@pytest.mark.parametrize('shape', [(8, 12, 3), (9, 7, 1)])
@pytest.mark.slow
def test_non_square_images_and_a_batch_of_one(shape, tmp_path):
    config = tiny.config(batch_size=1, steps=2, dataset_args__image_shape=shape)
    config.mixing_args.per = 'sample'
    assert train.train_and_evaluate(config, tmp_path)['steps'] == 2


@pytest.mark.slow
def test_the_lines_of_the_log_end_with_the_time_left(tmp_path, caplog):
    with caplog.at_level('INFO', logger='resizemix_jax'):
        train.train_and_evaluate(tiny.config(steps=9, log_every_steps=4), tmp_path)
    ends = [r.getMessage().rpartition('; ')[2] for r in caplog.records if r.getMessage()[0] == '[']
    plain = [re.sub(r'^\d+ s', 'N s', end) for end in ends]  # of steps 4, 4, 8, 8, 9, 9
    assert plain == ['N s left, plus 3 evaluations', *['N s left'] * 5] and ends[-1] == '0 s left'
    assert 'left' not in (tmp_path / 'metrics.jsonl').read_text()


@pytest.mark.slow
def test_a_trace_ends_with_its_run(tmp_path, caplog):
    with caplog.at_level('INFO', logger='resizemix_jax'):
        train.train_and_evaluate(tiny.config(steps=3, profile_steps=9), tmp_path)
    assert 'The trace of steps 2 to 3 is in' in caplog.text
    assert list((tmp_path / 'profile').rglob('*.xplane.pb'))
