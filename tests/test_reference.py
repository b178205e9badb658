"""The reference: docstrings whose examples run, annotations that a checker accepts, and pages."""

import ast
import doctest
import html.parser
import importlib
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / 'resizemix_jax'
# What people call from their own programs.
FAMILIES = 'mixing', 'augment', 'saliency', 'schedules', 'optimizers', 'detection'
SURFACE = *FAMILIES, 'keys', 'keras', 'metrics', 'normalize', 'find', 'errors'
FILES = [
    p for p in sorted(PACKAGE.rglob('*.py')) if p.relative_to(PACKAGE).parts[0].removesuffix('.py') in SURFACE
]


def module(path):
    parts = path.relative_to(ROOT).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


WITH_EXAMPLES = [module(p) for p in sorted(PACKAGE.rglob('*.py')) if '>>> ' in p.read_text('utf-8')]


@pytest.mark.parametrize('name', WITH_EXAMPLES)
@pytest.mark.slow
def test_examples_run(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted and not found.failed


def test_the_contracts_have_examples():
    assert {'resizemix_jax.mixing', 'resizemix_jax.augment'} <= set(WITH_EXAMPLES)


@pytest.mark.parametrize('path', [p for p in FILES if not p.name.startswith('_')], ids=module)
def test_public_functions_are_annotated(path):
    for node in ast.parse(path.read_text('utf-8')).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith('_'):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            given += [a for a in (node.args.vararg, node.args.kwarg) if a]
            assert node.returns and all(a.annotation for a in given), node.name


@pytest.mark.slow
def test_types():
    """Of the whole package; and what a user's checker says of a right and of a wrong call."""
    done = subprocess.run([sys.executable, '-m', 'mypy'], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_a_users_types(tmp_path):
    (tmp_path / 'step.py').write_text(
        'import jax\n'
        'import numpy as np\n'
        'from resizemix_jax import randaugment, resizemix\n'
        'key, images, labels = jax.random.key(0), np.zeros((2, 8, 8, 3), np.float32), np.array([0, 1])\n'
        'mixed, soft = resizemix(key, images, labels, num_classes=2, per="sample")\n'
        'mixed, soft = resizemix(key, mixed, soft, tau=0.5)\n'
        'reveal_type(soft)\n'
        'reveal_type(randaugment(key, images, n=1))\n'
        'resizemix(key, mixed, soft, taus=0.5)\n'
        'randaugment(key, images, magnitude=3)\n'
    )
    done = subprocess.run(
        [sys.executable, '-m', 'mypy', '--config-file=', str(tmp_path / 'step.py')],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    found = re.findall(r'step.py:(\d+): (?:error|note: Revealed type is) *(.*)', done.stdout)
    said = {int(line): words for line, words in found}
    assert set(said) == {7, 8, 9, 10}, done.stdout
    assert 'Array' in said[7] and 'Array' in said[8]
    assert 'No overload variant' in said[9] and 'Unexpected keyword argument "magnitude"' in said[10]


class Links(html.parser.HTMLParser):
    """The links of a page, and its anchors."""

    def __init__(self, path):
        super().__init__()
        self.path, self.links, self.anchors = path, [], set()
        self.feed(path.read_text('utf-8'))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors.add(attrs.get('id'))
        if tag == 'a' and '://' not in attrs.get('href', '://'):
            self.links.append(attrs['href'])


@pytest.mark.slow
def test_the_pages_are_built_and_their_links_lead_somewhere(tmp_path):
    modules = [
        f'resizemix_jax.{name.removesuffix(".py")}' for name in os.listdir(PACKAGE) if name[0].isalpha()
    ]
    command = [sys.executable, '-m', 'pdoc', *sorted(set(modules) - {'resizemix_jax.py.typed'})]
    done = subprocess.run(
        [*command, '-o', str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {'KERAS_BACKEND': 'jax', 'PDOC_ALLOW_EXEC': '1'},
    )  # fmt: skip
    assert done.returncode == 0 and 'Warn' not in done.stderr, done.stderr
    pages = {path: Links(path) for path in tmp_path.rglob('*.html')}
    assert (tmp_path / 'resizemix_jax/mixing/resizemix.html') in pages
    for path, page in pages.items():
        for link in page.links:
            file, _, anchor = link.partition('#')
            if anchor.startswith('_'):  # a private base class, which has no place of its own
                continue
            target = (path.parent / file).resolve() if file else path
            assert target in pages and (not anchor or anchor in pages[target].anchors), f'{path}: {link}'
