import pytest

from resizemix_jax.errors import DataError
from resizemix_jax.run import files, steps


def make(directory, step, parts=steps.PARTS):
    path = directory / str(step)
    (path / 'default').mkdir(parents=True)
    for part in parts:
        (path / part).write_text('{}')
    return path


def test_whole_steps_are_found_and_the_newest_counts(tmp_path):
    for step in (3, 12, 9):
        make(tmp_path, step)
    for name in ('9.orbax-checkpoint-tmp', '4.incomplete', '٣', 'x'):
        (tmp_path / name).mkdir()
    make(tmp_path, 20, steps.PARTS[:1])
    assert steps.finished(tmp_path) == [3, 9, 12] and steps.latest(tmp_path) == 12
    assert steps.latest(tmp_path / 'absent') == 0


@pytest.mark.parametrize('parts', [(), steps.PARTS[:1], steps.PARTS[1:]])
def test_the_only_checkpoint_is_not_given_up(parts, tmp_path):
    make(tmp_path, 6, parts)
    steps.tidy(tmp_path)
    with pytest.raises(DataError, match='/6 is incomplete, and there is no other checkpoint') as error:
        steps.latest(tmp_path)
    assert error.value.exit_code == 2 and files.names(tmp_path) == ('6',)


def test_an_incomplete_step_beside_a_whole_one_is_set_aside(tmp_path, caplog):
    make(tmp_path, 3)
    for _ in range(2):
        make(tmp_path, 6, ())
        steps.tidy(tmp_path)
    assert files.names(tmp_path) == ('3', '6.incomplete', '6.incomplete_')
    assert 'is incomplete and is skipped' in caplog.text


def test_a_deletion_that_was_cut_off_is_finished(tmp_path):
    make(tmp_path, 3)
    (tmp_path / '2.deleted').mkdir()
    steps.tidy(tmp_path)
    assert files.names(tmp_path) == ('3',)


def test_later_steps_are_forgotten_or_at_the_beginning_kept(tmp_path, caplog):
    for step in (3, 6):
        make(tmp_path, step)
    steps.forget_after(tmp_path, 3)
    assert files.names(tmp_path) == ('3',) and not caplog.text
    steps.forget_after(tmp_path, 0)
    assert files.names(tmp_path) == ('3.before',) and 'is kept as 3.before' in caplog.text
