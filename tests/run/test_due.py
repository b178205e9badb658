import time

import pytest

from resizemix_jax import build
from resizemix_jax.run import due
from tests import tiny


def answers(name, last=12, offset=0, **values):
    """The steps up to `last` at which something is due; 4 steps an epoch of 3."""
    run = build.at_offset(build.unopened_run(build.plan(tiny.config(**values))), offset)
    asked = getattr(due.Due(run), name)
    return [step for step in range(last + 1) if asked(step)]


@pytest.mark.parametrize(
    ('name', 'values', 'expected'),
    [
        ('evaluation', {}, [4, 8, 12]),
        ('evaluation', {'eval_every_epochs': 2}, [8, 12]),
        ('saving', {'save_every_epochs': 2}, [8, 12]),
        ('saving', {'save_every_epochs': 5}, [12]),
        ('saving', {'save_every_epochs': 5, 'keep_every': 1}, [4, 8, 12]),
        ('saving', {'save_every_epochs': 5, 'save_every_minutes': 1e-9}, list(range(1, 13))),
        ('saving', {'save_every_epochs': 5, 'save_every_minutes': 60.0}, [12]),
        ('keeping', {}, []),
        ('keeping', {'keep_every': 2}, [8, 12]),
    ],
)
@pytest.mark.slow
def test_what_is_due(name, values, expected):
    assert answers(name, **values) == expected


def test_epochs_go_by_the_place_in_the_data():
    assert answers('saving', offset=2, last=14) == [2, 6, 10, 14]


@pytest.mark.parametrize('values', [{}, {'eval_every_epochs': 2}, {'steps': 6}, {'steps': 3}, {'epochs': 5}])
@pytest.mark.parametrize('offset', [0, 2])
def test_evaluations_to_come_are_those_that_will_be_due(values, offset):
    run = build.at_offset(build.unopened_run(build.plan(tiny.config(**values))), offset)
    asked = due.Due(run)
    for step in range(offset, run.last + 1):
        later = range(step + 1, run.last + 1)
        assert asked.evaluations_after(step) == sum(map(asked.evaluation, later))


def test_minutes_count_from_the_last_save(monkeypatch):
    asked = due.Due(build.unopened_run(build.plan(tiny.config(save_every_epochs=5, save_every_minutes=1.0))))
    begin = time.monotonic()
    monkeypatch.setattr(time, 'monotonic', lambda: begin + 61)
    assert asked.saving(5)
    asked.saved()
    assert not asked.saving(6)


@pytest.mark.slow
def test_several_processes_ask_the_first_one_where_all_write_a_row(monkeypatch):
    seen = []
    monkeypatch.setattr(due.parallel, 'processes', lambda: (1, 2))
    monkeypatch.setattr(due.processes, 'run_on_host_0', lambda function: seen.append(function) or True)
    run = build.unopened_run(build.plan(tiny.config(save_every_epochs=5, save_every_minutes=1.0)))
    asked = due.Due(run)
    assert [step for step in range(1, 12) if asked.saving(step)] == [3, 6, 9] and len(seen) == 3
