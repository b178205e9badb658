"""Every command of README.md and docs/ is one that the programs take."""

import importlib.util
import pathlib
import re
import shlex

import pytest

from resizemix_jax import build, command
from resizemix_jax.errors import DataError

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted([ROOT / 'README.md', *ROOT.glob('docs/**/*.md')])
COMMAND = re.compile(r'(?:^|[`\s])((?:\S*/)?python3? (?:main\.py|-m \w[\w.]*)[^`]*)')


def commands(text):
    """The commands in fenced blocks, indented blocks and code spans, without comments."""
    joined = text.replace('\\\n', ' ')
    found = []
    for line in joined.splitlines():
        for span in [line] if line.startswith(('    ', 'python', '.')) else re.findall('`[^`]+`', line):
            match = COMMAND.search(span)
            if match:
                found.append(shlex.split(match.group(1).replace('row=ROW,', ''), comments=True))
    return found


CASES = [
    (str(page.relative_to(ROOT)), words) for page in PAGES for words in commands(page.read_text('utf-8'))
]


@pytest.mark.parametrize(
    ('page', 'words'), CASES, ids=[f'{page}-{" ".join(words[1:])}'[:120] for page, words in CASES]
)
def test_a_command_is_taken(page, words, monkeypatch):
    monkeypatch.chdir(ROOT)
    if words[1] == '-m':
        assert importlib.util.find_spec(words[2]), f'{page} names a module that is not there'
        return
    made = command.read(words[1:])
    if isinstance(made, tuple) and made[1].config:
        try:
            build.plan(made[1].config)
        except DataError as error:  # a directory of the reader's own
            assert re.search('/path|PATH|DIR|no such directory|generated set|is not prepared', str(error))


def test_the_pages_have_commands():
    assert len(CASES) > 30 and {page for page, _ in CASES} >= {'README.md', 'docs/launching.md'}
