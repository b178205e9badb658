"""The rules of the house: layers of imports, sizes, and imports without effect."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FILES = [*(ROOT / 'resizemix_jax').rglob('*.py'), *(ROOT / 'configs').glob('*.py'), *ROOT.glob('*.py')]
ALL = pytest.mark.parametrize('path', FILES, ids=lambda p: str(p.relative_to(ROOT)))
BESIDE = [p for folder in ('tests', 'benchmarks') for p in sorted((ROOT / folder).rglob('*.py'))]

# Which third-party modules may be imported, by whom alone.
ONLY = {
    'flax': ('resizemix_jax/models/', 'resizemix_jax/state.py', 'resizemix_jax/freeze.py'),
    'orbax': ('resizemix_jax/run/checkpoint.py',),
    'tensorflow_datasets': ('resizemix_jax/data/',),
    'grain': ('resizemix_jax/data/',),
    'matplotlib': ('resizemix_jax/report/plots.py',),
    'absl': ('main.py', 'modes.py', 'resizemix_jax/run/writers.py'),
}
# Families that know nothing of each other, nor of data and tasks.
FAMILIES = ('mixing', 'augment', 'models', 'saliency', 'static_saliency')


def imports(path):
    """The full names of all modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text('utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f'{node.module}.{alias.name}' for alias in node.names)


def name(path):
    return str(path.relative_to(ROOT))


@ALL
def test_layers(path):
    where, found = name(path), list(imports(path))
    for module, allowed in ONLY.items():
        if not where.startswith(allowed):
            assert not [i for i in found if i.split('.')[0] == module], f'{where} must not import {module}'
    assert not [i for i in found if i.split('.')[0] in ('tensorflow', 'torch', 'clu')]
    if where != 'main.py':
        assert not [i for i in found if i.split('.')[0] in ('main', 'modes')]
    if where.startswith('resizemix_jax/'):
        assert not [i for i in found if i.split('.')[0] == 'configs']
    if where.startswith('configs/'):
        assert {i.split('.')[0] for i in found} <= {'ml_collections', 'configs'}
    family = where.split('/')[-2 if where.count('/') > 1 else -1].removesuffix('.py')
    if where.startswith('resizemix_jax/') and family in FAMILIES:
        others = {f'resizemix_jax.{f}' for f in (*FAMILIES, 'data', 'tasks') if f != family}
        assert not [i for i in found if '.'.join(i.split('.')[:2]) in others]


@ALL
def test_devices_are_in_one_file(path):
    if name(path) != 'resizemix_jax/devices/parallel.py':
        text = path.read_text('utf-8')
        for word in (
            'jax.pmap',
            'sharding import',
            'process_index',
            'jax.devices',
            'jax.local_',
            'shard_map',
        ):
            assert word not in text, f'{name(path)} says {word}'


@pytest.mark.parametrize('path', FILES + BESIDE, ids=name)
def test_sizes(path):
    text = path.read_text('utf-8')
    assert len(text.splitlines()) <= 200, f'{name(path)} is longer than 200 lines'
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            documented = ast.get_docstring(node) is not None
            begin = node.body[1].lineno if documented and len(node.body) > 1 else node.lineno
            length = node.end_lineno - begin + 1
            assert length <= 40, f'{name(path)}: {node.name} is {length} lines without its docstring'


def test_importing_starts_no_backend_and_no_tensorflow():
    modules = ['.'.join(p.relative_to(ROOT).with_suffix('').parts) for p in FILES if p.name != '__init__.py']
    code = (
        f'import importlib, sys; [importlib.import_module(m) for m in {modules!r}]; '
        'from jax._src import xla_bridge; assert not xla_bridge.backends_are_initialized(); '
        'bad = {"tensorflow", "torch", "grain", "matplotlib", "scipy.stats"} & set(sys.modules); '
        'assert not bad, bad'
    )
    subprocess.run([sys.executable, '-c', code], cwd=ROOT, check=True)


def test_no_random_state_in_ops():
    for path in (
        p for f in ('mixing', 'augment', 'models') for p in (ROOT / 'resizemix_jax' / f).glob('*.py')
    ):
        assert not [i for i in imports(path) if i.split('.')[0] in ('random', 'secrets')], path
        assert 'np.random' not in path.read_text('utf-8'), path


def test_the_tests_mirror_the_package():
    for family in ('mixing', 'augment', 'models', 'data', 'tasks', 'configs'):
        assert list((ROOT / 'tests' / family).glob('test_*.py')), family
    for path in (ROOT / 'resizemix_jax').glob('[!_]*.py'):
        if path.stem not in (
            'errors',
            'state',
            'clock',
            'preemption',
            'build',
        ):  # seen through the loop's tests
            assert (ROOT / 'tests' / f'test_{path.stem}.py').exists(), f'{path.stem} has no tests'
