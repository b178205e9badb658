import json

import pytest

from resizemix_jax.errors import DataError
from resizemix_jax.run import files, rows

ROWS = [{'step': step, 'train_loss': step / 3, 'n': None, 'x': float('nan')} for step in (1, 2, 3, 3)]


def test_a_sum_can_be_continued():
    assert rows.extended(rows.extended(rows.EMPTY, ROWS[:1]), ROWS[1:]) == rows.extended(rows.EMPTY, ROWS)
    assert rows.extended(rows.EMPTY, []) == {'count': 0, 'crc32': 0}


def test_rows_that_follow_do_not_matter(tmp_path):
    path = tmp_path / 'metrics.jsonl'
    files.write_rows(path, [*ROWS, {'step': 3, 'eval_top1': 1}, {'step': 4}])
    rows.check(path, 3, rows.extended(rows.EMPTY, ROWS))


@pytest.mark.parametrize(
    ('left', 'message'),
    [
        (ROWS[:3], 'it has 3 of the 4 rows'),
        ([], 'it has 0 of the 4 rows'),
        ([*ROWS[:3], {'step': 3, 'train_loss': 1.1}], 'it has not the same as the 4 rows'),
        ([ROWS[1], ROWS[0], *ROWS[2:]], 'it has not the same as the 4 rows'),
    ],
)
def test_rows_that_are_missing_or_changed_are_found(left, message, tmp_path):
    path = tmp_path / 'metrics.jsonl'
    path.write_text(''.join(json.dumps(row) + '\n' for row in left))
    with pytest.raises(DataError, match=f'{path} was changed: .* step 3 {message}.*--allow_config_change'):
        rows.check(path, 3, rows.extended(rows.EMPTY, ROWS))


def test_a_file_that_is_gone_is_found(tmp_path):
    with pytest.raises(DataError, match='it has 0 of the 1 rows'):
        rows.check(tmp_path / 'absent', 3, rows.extended(rows.EMPTY, ROWS[:1]))
