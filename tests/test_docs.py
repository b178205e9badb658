"""Every command of README.md and docs/ is one that the programs take."""

import argparse
import importlib.util
import pathlib
import re
import shlex
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import build, command
from resizemix_jax.errors import ConfigError, DataError

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
            if match and '-m venv' not in match.group(1):
                found.append(shlex.split(match.group(1).replace('row=ROW,', ''), comments=True))
    return found


def cases():
    """(page, words) of every command, once: pages repeat some, with another directory."""
    found = {}
    for page in PAGES:
        for words in commands(page.read_text('utf-8')):
            key = tuple(word for word in words if not word.startswith('--workdir='))
            found.setdefault(key, (str(page.relative_to(ROOT)), words))
    return list(found.values())


CASES = cases()


class ParsedError(Exception):
    pass


def parse(monkeypatch, module, *words):
    """Runs a module's `main` until its arguments are parsed; then raises ParsedError."""

    def parse_args(parser, argv=None):
        values = parser.parse_known_args(argv)
        assert not values[1], values[1]
        table = getattr(values[0], 'table', '')
        assert not table or (ROOT / 'configs' / f'{table}.py').exists()
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parse_args)
    monkeypatch.setattr(sys, 'argv', [module, *words])
    importlib.import_module(module).main()


@pytest.mark.parametrize(
    ('page', 'words'), CASES, ids=[f'{page}-{" ".join(words[1:])}'[:120] for page, words in CASES]
)
@pytest.mark.slow
def test_a_command_is_taken(page, words, monkeypatch):
    monkeypatch.chdir(ROOT)
    if words[1] == '-m' and len(words) == 3:  # a program is named
        assert importlib.util.find_spec(words[2])
    elif words[1] == '-m':
        with pytest.raises(ParsedError):
            parse(monkeypatch, *words[2:])
    else:
        try:
            made = command.read(words[1:])
        except ConfigError as error:  # a mode that takes the config of a run, which the reader has made
            assert 'holds no run' in str(error)
            return
        if isinstance(made, tuple) and made[1].config:
            try:
                build.plan(made[1].config)
            except DataError as error:  # a directory of the reader's own
                assert re.search('/path|PATH|DIR|no such directory|generated set|is not prepared', str(error))


def test_the_pages_have_commands():
    assert len(CASES) > 30 and {page for page, _ in CASES} >= {'README.md', 'docs/launching.md'}


def blocks():
    return re.findall(r'^```python\n(.*?)^```', (ROOT / 'README.md').read_text('utf-8'), re.M | re.S)


@pytest.mark.slow
def test_the_block_of_an_op_mixes():
    code = next(code for code in blocks() if 'import resizemix\n' in code)
    names = {}
    exec(code.replace('    ...  #', '    return images, labels  #'), names)
    images, labels = names['step'](jax.random.key(0), np.ones((4, 8, 8, 3), np.float32), np.arange(4))
    assert images.shape == (4, 8, 8, 3) and labels.shape == (4, 100)


def test_the_block_of_class_maps_gives_a_map():
    code = next(code for code in blocks() if 'class_maps' in code)
    features, label = jnp.ones((2, 7, 7, 8)), jnp.array([0, 1])
    names = {'head': lambda features: features.mean((1, 2))[:, :5], 'features': features, 'label': label}
    exec(code, names)
    assert names['heat'].shape == (2, 224, 224)


@pytest.mark.slow
def test_the_block_of_a_training_trains(tmp_path, monkeypatch):
    code = next(code for code in blocks() if 'train_and_evaluate' in code)
    small = 'config.steps = 1\nconfig.batch_size = 16\nconfig.model_args.depth = 10\n'
    assert 'result = ' in code
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code.replace('result = ', small + 'result = '), names)
    assert names['result']['steps'] == 1


def test_every_block_of_the_readme_is_run_here():
    assert len(blocks()) == 3
