import ast
import pathlib
import subprocess
import sys

import pytest

from resizemix_jax import run
from resizemix_jax.errors import ConfigError, RunError
from resizemix_jax.run import files
from tests import unprivileged

ROOM = pathlib.Path(run.__file__).parent
OPENING = {
    'open', 'fdopen', 'read_text', 'read_bytes', 'write_text', 'write_bytes', 'mkdir', 'makedirs', 'touch',
    'unlink', 'rmdir', 'rmtree', 'rename', 'iterdir', 'glob', 'rglob', 'walk', 'scandir', 'listdir', 'exists',
    'is_dir', 'is_file', 'stat', 'symlink_to', 'copy', 'copytree', 'move',
}  # fmt: skip


@pytest.mark.parametrize('path', sorted(ROOM.glob('*.py')), ids=lambda path: path.name)
def test_only_files_opens_a_path(path):
    if path.name == 'files.py':
        return
    for node in ast.walk(ast.parse(path.read_text('utf-8'))):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        owner = ast.unparse(function.value) if isinstance(function, ast.Attribute) else ''
        called = function.attr if owner else getattr(function, 'id', '')
        assert called not in OPENING or owner == 'files', (
            f'{path.name}:{node.lineno}: {ast.unparse(function)}'
        )


def test_json_comes_back_and_is_written_whole(tmp_path, monkeypatch):
    path = tmp_path / 'config.json'
    files.write_json(path, {'b': [1, 2], 'a': 'ü'})
    assert files.read_json(path) == {'a': 'ü', 'b': [1, 2]}

    def cut(*args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(files.os, 'fsync', cut)
    with pytest.raises(RunError, match=f'cannot write {path}: No space left on device'):
        files.write_json(path, {'a': 'other'})
    assert files.read_json(path) == {'a': 'ü', 'b': [1, 2]}


@pytest.mark.parametrize(
    ('content', 'message'), [(b'{', 'is not JSON'), (b'\xff{}', 'is not JSON'), (b'[]', 'holds list')]
)
def test_a_file_that_holds_no_object_is_named(content, message, tmp_path):
    path = tmp_path / 'config.json'
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f'{path} {message}.*; bring it back from a copy'):
        files.read_json(path)


@pytest.mark.parametrize('content', [{'a': 0.1, 'b': {'c': [1, None, 'ü']}}, {}, {'a': float('nan')}])
def test_a_change_of_a_file_is_found(content, tmp_path):
    path = tmp_path / 'result.json'
    files.write_json(path, content)
    assert str(files.read_json(path)) == str(content)
    for old, new in (('0.1', '0.7'), ('null', 'true'), ('"c"', '"d"'), ('}', ', "z": 1}'), ('NaN', '1.0')):
        files.write_json(path, content)
        whole = path.read_text()
        path.write_text(whole.replace(old, new, 1))
        if path.read_text() != whole:
            with pytest.raises(ConfigError, match=f'{path} .*bring it back from a copy'):
                files.read_json(path)


def test_a_file_without_a_checksum_is_taken_as_it_is(tmp_path):
    path = tmp_path / 'config.json'
    path.write_text('{"a": 1}')
    assert files.read_json(path) == {'a': 1}


def test_rows_come_back_and_other_lines_are_numbered(tmp_path):
    path = tmp_path / 'metrics.jsonl'
    assert files.read_rows(path) == ([], [])
    files.write_rows(path, [{'step': 1, 'a': 2.5}])
    appender = files.Appender(path)
    appender.append_row({'step': 2})
    assert files.read_rows(path) == ([{'step': 1, 'a': 2.5}, {'step': 2}], [])  # before it is closed
    appender.append(b'nonsense\n[]\n{"a": 1}\n{"step": 3, "a"')
    appender.close()
    assert files.read_rows(path) == ([{'step': 1, 'a': 2.5}, {'step': 2}], [3, 4, 5, 6])


def test_what_the_file_system_refuses_is_a_sentence(tmp_path):
    (tmp_path / 'file').write_text('x')
    with pytest.raises(ConfigError, match='is a file; name a directory'):
        files.make_directory(tmp_path / 'file')
    for refused in (
        lambda: files.make_directory(tmp_path / 'file' / 'below'),
        lambda: files.write_json(tmp_path / 'absent' / 'config.json', {}),
        lambda: files.read_json(tmp_path / 'absent'),
        lambda: files.Appender(tmp_path / 'absent' / 'metrics.jsonl'),
        lambda: files.make_directory(tmp_path / ('x' * 300)),
    ):
        with pytest.raises(RunError, match='cannot .*(Not a directory|No such file|too long)'):
            refused()


def test_what_may_not_be_looked_at_is_not_taken_for_absent(shared_path):
    """A run of which nothing is seen would start again."""
    (shared_path / 'closed').mkdir()
    (shared_path / 'closed' / 'metrics.jsonl').write_text('{"step": 1}\n')
    closed = shared_path / 'closed'
    closed.chmod(0)
    with unprivileged.user():
        for verb, look in (
            ('look for', lambda: files.exists(closed / 'metrics.jsonl')),
            ('list', lambda: files.names(closed)),
            ('list', lambda: files.names(closed / 'below')),
            ('read', lambda: files.read_rows(closed / 'metrics.jsonl')),
            ('look for', lambda: files.make_directory(closed / 'new')),
        ):
            with pytest.raises(RunError, match=f'cannot {verb} {closed}.*: Permission denied'):
                look()
    closed.chmod(0o755)
    assert files.exists(closed / 'metrics.jsonl') and not files.exists(closed / 'metrics.jsonl' / 'below')
    assert files.names(closed / 'metrics.jsonl') == ()


def test_a_circle_of_links_is_named(tmp_path):
    (tmp_path / 'a').symlink_to('b')
    (tmp_path / 'b').symlink_to('a')
    for look in (files.exists, files.names, files.make_directory, files.read_rows):
        with pytest.raises(RunError, match=f'cannot .* {tmp_path}/a.*: Too many levels of symbolic links'):
            look(tmp_path / 'a' / 'run')
    assert files.absolute(tmp_path / 'a' / 'run').name == 'run'


FULL = """
import pathlib, resource, sys
from resizemix_jax.errors import RunError
from resizemix_jax.run import files
path = pathlib.Path(sys.argv[1])
files.write_rows(path / 'whole', [{'step': 1}])
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
appender = files.Appender(path / 'rows')
for work in (
    lambda: [appender.append_row({'step': step}) for step in range(1, 100)],
    appender.close,
    lambda: files.write_rows(path / 'whole', [{'step': step} for step in range(100)]),
):
    try:
        work()
    except RunError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, before)
print(*files.read_rows(path / 'whole')[0])
rows, dropped = files.read_rows(path / 'rows')
print([row['step'] for row in rows] == list(range(1, len(rows) + 1)), len(dropped))
files.write_rows(path / 'rows', rows)
appender = files.Appender(path / 'rows')
appender.append_row({'step': len(rows) + 1})
appender.close()
print(len(files.read_rows(path / 'rows')[0]) - len(rows))
"""


def test_where_there_is_no_more_room_whole_rows_stay_and_more_can_follow(tmp_path):
    """A limit of 100 bytes a file, as the operating system keeps it."""
    done = subprocess.run(
        [sys.executable, '-c', FULL, str(tmp_path)], cwd=ROOM.parents[1], capture_output=True, text=True
    )
    refused = f'cannot write {tmp_path}/%s: File too large'
    assert done.stdout.splitlines() == [
        *(refused % name for name in ('rows', 'rows', 'whole')), "{'step': 1}", 'True 1', '1'
    ], done.stderr  # fmt: skip


def test_names_of_a_directory(tmp_path):
    (tmp_path / 'b').mkdir()
    (tmp_path / 'a').write_text('')
    assert files.names(tmp_path) == ('a', 'b') and files.names(tmp_path / 'absent') == ()
