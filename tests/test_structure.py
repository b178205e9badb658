"""The rules of the house: layers of imports, sizes, names, and imports without effect."""

import ast
import collections
import functools
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = 'resizemix_jax'
FILES = [*sorted((ROOT / PACKAGE).rglob('*.py')), *sorted((ROOT / 'configs').glob('*.py')), ROOT / 'main.py']
BESIDE = [p for folder in ('tests', 'benchmarks') for p in sorted((ROOT / folder).rglob('*.py'))]

# Which third-party modules may be imported, by whom alone.
ONLY = {
    'flax': (
        'resizemix_jax/models/',
        'resizemix_jax/detectors/',
        'resizemix_jax/layers.py',
        'resizemix_jax/state.py',
        'resizemix_jax/freeze.py',
    ),
    'optax': ('resizemix_jax/optimizers/', 'resizemix_jax/step.py'),
    'orbax': ('resizemix_jax/run/states.py',),
    'tensorflow_datasets': ('resizemix_jax/input/', 'resizemix_jax/datasets/', 'resizemix_jax/prepare.py'),
    'matplotlib': ('resizemix_jax/report/plots.py',),
    'absl': ('resizemix_jax/command.py', 'resizemix_jax/cli/', 'resizemix_jax/run/writers.py'),
    'tensorflow': (),
    'torch': (),
    'keras': ('resizemix_jax/keras.py',),
    'wandb': ('resizemix_jax/loggers/wandb.py',),
    'mlflow': ('resizemix_jax/loggers/mlflow.py',),
    'equinox': (),
    'grain': (),
    'clu': (),
}
# The families of pure functions know each other's rooms as little as anything above them.
PURE = ('mixing', 'augment', 'corruptions', 'models', 'optimizers', 'schedules', 'saliency', 'detection')
SHARED = {'find', 'errors', 'keys', 'layers', 'metrics', 'normalize', 'ranges'}
# A family that may import other families of pure functions.
ABOVE = {'detectors': {'models', 'detection'}}
FAMILIES = (*PURE, *ABOVE, 'tasks', 'datasets', 'loggers')  # a family is tested by its conventions, over `ls`
DEVICE_WORDS = ('jax.pmap', 'shard_map', 'sharding import', 'process_index', 'jax.devices(', 'jax.local_')
# Files with more than 300 lines, and why they are not two.
LONG = {}
# Files that are tested through the loop, the command or the members that use them.
SEEN_ELSEWHERE = {
    '__main__', 'build', 'loop', 'checks', 'state', 'errors', 'run/clock', 'devices/preemption',
    'input/example', 'input/tfrecord', 'run/states',
}  # fmt: skip


def name(path):
    return path.relative_to(ROOT).as_posix()


def of_all(test):
    """A test of every file of the package; one test, since there are thousands of pairs."""

    def run():
        for path in FILES:
            test(path)

    return run


@functools.cache
def imports(path):
    """The full names of all modules that a file imports, anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text('utf-8'))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f'{node.module}.{alias.name}' for alias in node.names]
    return found


def without_docstrings(path):
    """The syntax tree of a file without its docstrings, which may say what code works under."""
    tree = ast.parse(path.read_text('utf-8'))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def room(path):
    """A folder of the package, or one of the files beside them."""
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix('.py')


def rooms_of(path):
    """The rooms that a file imports."""
    return {i.split('.')[1] for i in imports(path) if i.startswith(f'{PACKAGE}.')} - {room(path)}


@of_all
def test_third_party_modules_stay_in_their_place(path):
    for module, allowed in ONLY.items():
        if not name(path).startswith(allowed or ('-',)):
            assert module not in {i.split('.')[0] for i in imports(path)}, f'{name(path)} imports {module}'


def test_no_room_imports_a_room_that_imports_it():
    arrows = collections.defaultdict(set)
    for path in FILES:
        if name(path).startswith(PACKAGE):
            arrows[room(path)] |= rooms_of(path)
    rest = set(arrows)
    while rest:
        free = {r for r in rest if not arrows[r] & rest}
        assert free, f'rooms that import each other are among {sorted(rest)}'
        rest -= free


@of_all
def test_pure_families_import_nothing_above_them(path):
    if name(path).startswith(PACKAGE) and room(path) in (*PURE, *ABOVE):
        assert rooms_of(path) <= SHARED | ABOVE.get(room(path), set()), name(path)


@of_all
def test_configs_import_the_package_and_the_package_no_configs(path):
    found = {i.split('.')[0] for i in imports(path)}
    if name(path).startswith('configs/'):
        assert found <= {'ml_collections', PACKAGE} and not any(
            i.startswith(f'{PACKAGE}.configs') for i in imports(path)
        )
    else:
        assert not found & {'configs', 'main', 'tests', 'benchmarks'}


@of_all
def test_helpers_are_imported_by_their_own_room_alone(path):
    for module in imports(path):
        parts = module.split('.')
        helper = [
            part for part in parts[1:-1] + parts[-1:] if part.startswith('_') and not part.endswith('__')
        ]
        if parts[0] == PACKAGE and helper:
            own = '.'.join(parts[: parts.index(helper[0])]).replace('.', '/')
            assert name(path.parent) == own, f'{name(path)} imports {module}'


@of_all
def test_everything_about_devices_is_in_one_room(path):
    if name(path).startswith(f'{PACKAGE}/devices/'):
        return
    text = ast.unparse(without_docstrings(path))
    for word in DEVICE_WORDS:
        assert word not in text, f'{name(path)} says {word}'


@of_all
def test_no_task_is_known_outside_tasks(path):
    if not name(path).startswith((f'{PACKAGE}/tasks/', 'configs/')):
        text = path.read_text('utf-8')
        assert 'top1' not in text and 'top5' not in text, name(path)


@of_all
def test_sizes(path):
    text = path.read_text('utf-8')
    assert len(text.splitlines()) <= 300 or LONG.get(name(path)), f'{name(path)}: give a reason in LONG'
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            documented = ast.get_docstring(node) is not None
            begin = node.body[1].lineno if documented and len(node.body) > 1 else node.lineno
            length = node.end_lineno - begin + 1
            assert length <= 40, f'{name(path)}: {node.name} is {length} lines without its docstring'


def test_importing_starts_no_backend_and_no_tensorflow():
    files = [p for p in FILES if p.name != '__init__.py' and name(p) != 'resizemix_jax/keras.py']
    modules = ['.'.join(p.relative_to(ROOT).with_suffix('').parts) for p in files]
    code = (
        f'import importlib, sys; [importlib.import_module(m) for m in {modules!r}]; '
        'from jax._src import xla_bridge; assert not xla_bridge.backends_are_initialized(); '
        'bad = {"tensorflow", "torch", "grain", "matplotlib", "scipy.stats", "wandb", "mlflow"}; '
        'bad &= set(sys.modules); '
        'assert not bad, bad'
    )
    subprocess.run([sys.executable, '-c', code], cwd=ROOT, check=True)


@of_all
def test_no_random_state_in_ops(path):
    if name(path).startswith(PACKAGE) and room(path) in PURE:
        assert not {'random', 'secrets'} & {i.split('.')[0] for i in imports(path)}, path
        assert 'np.random' not in path.read_text('utf-8'), path


@of_all
def test_the_tests_mirror_the_package(path):
    part = path.relative_to(ROOT / PACKAGE if name(path).startswith(PACKAGE) else ROOT)
    where = part.with_suffix('').as_posix()
    if (
        path.stem == '__init__'
        or where in SEEN_ELSEWHERE
        or part.parts[0] in (*FAMILIES, 'configs', 'main.py')
    ):
        return
    test = ROOT / 'tests' / part.parent / f'test_{part.stem.lstrip("_")}.py'
    assert test.exists(), f'{name(path)} has no {name(test)}'


@pytest.mark.parametrize('family', FAMILIES)
def test_every_family_has_tests(family):
    if (ROOT / PACKAGE / family).is_dir():
        assert list((ROOT / 'tests' / family).glob('test_*.py')), family
