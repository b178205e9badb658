"""What the package declares, exports, and can do with its core alone."""

import ast
import os
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

import resizemix_jax
from resizemix_jax import errors, find
from tests.core import CORE

ROOT = pathlib.Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / 'pyproject.toml').read_text('utf-8'))['project']
EXTRAS = PROJECT['optional-dependencies']
# The distributions whose modules have other names.
MODULES = {
    'absl-py': 'absl', 'orbax-checkpoint': 'orbax', 'pillow': 'PIL', 'opencv-python-headless': 'cv2',
    'tensorflow-cpu': 'tensorflow', 'mlflow-skinny': 'mlflow',
}  # fmt: skip


def lines(name):
    return [
        s for line in (ROOT / name).read_text('utf-8').splitlines() if (s := line.partition('#')[0].strip())
    ]


def distribution(requirement):
    return re.match(r'[\w.-]+', requirement)[0].lower().replace('_', '-')


def module(requirement):
    name = distribution(requirement)
    return MODULES.get(name, name.replace('-', '_'))


def test_requirements_are_those_of_the_extras():
    extras = 'train', 'data', 'report', 'export', 'dev'
    wanted = [*PROJECT['dependencies'], *(requirement for extra in extras for requirement in EXTRAS[extra])]
    assert lines('requirements.txt') == list(dict.fromkeys(wanted))


def test_the_lock_has_a_version_of_every_requirement():
    locked = {distribution(line) for line in lines('requirements.lock')}
    assert {distribution(line) for line in lines('requirements.txt')} <= locked
    assert all('==' in line for line in lines('requirements.lock'))


def test_neither_jax_nor_python_has_an_upper_limit():
    assert '<' not in PROJECT['requires-python']
    assert not [r for r in PROJECT['dependencies'] if '<' in r]


def test_every_import_of_the_package_is_of_the_core_or_of_a_known_extra():
    """So that a missing module is named with the extra that installs it."""
    for path in sorted((ROOT / 'resizemix_jax').rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text('utf-8'))):
            found = [node.module] if isinstance(node, ast.ImportFrom) else []
            found += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in {name.partition('.')[0] for name in found} - CORE - sys.stdlib_module_names:
                assert name in errors.EXTRAS, f'{path} imports {name}'
                assert name in map(module, EXTRAS[errors.EXTRAS[name]])


def test_a_missing_module_is_named_with_its_extra():
    error = ModuleNotFoundError("No module named 'cv2'", name='cv2')
    assert "no module 'cv2': pip install 'resizemix-jax[data]'" in errors.not_installed(error)
    assert errors.not_installed(ModuleNotFoundError('', name='my_code')) == ''


@pytest.mark.slow
def test_every_op_runs_in_the_core_environment():
    done = subprocess.run(
        [sys.executable, '-m', 'tests.core'], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {'JAX_PLATFORMS': 'cpu'},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f'{len(find.names("mixing"))} ops')


@pytest.mark.parametrize('name', ['resizemix', 'randaugment'])
@pytest.mark.slow
def test_an_export_is_a_function_whether_or_not_its_module_was_imported(name):
    code = (
        f'import sys, resizemix_jax\nassert "jax" not in sys.modules\n'
        f'from resizemix_jax import {name} as before\n'
        f'import resizemix_jax.{"mixing" if name == "resizemix" else "augment"}.{name}\n'
        f'from resizemix_jax import {name} as after\n'
        f'assert callable(before) and before is after\n'
        f'assert "{name}" in dir(resizemix_jax) and "{name}" in resizemix_jax.__all__\n'
    )
    subprocess.run([sys.executable, '-c', code], cwd=ROOT, check=True)


def test_exports_are_the_members_of_both_families():
    members = {*find.names('mixing'), *find.names('augment')}
    assert {*resizemix_jax.__all__} == members - {'none'} | {'__version__'}
    assert {*dir(resizemix_jax)} == {*resizemix_jax.__all__, 'get_config', 'train_and_evaluate'}
    assert set(find.names('mixing')) & set(find.names('augment')) == {'none'}
    rooms = {path.stem for path in (ROOT / 'resizemix_jax').iterdir()}
    assert not rooms & {*resizemix_jax.__all__}  # a module would take the place of the function


def test_names_for_type_checkers_are_what_is_exported():
    tree = ast.parse((ROOT / 'resizemix_jax/__init__.py').read_text('utf-8'))
    declared = [
        a
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 0
        for a in node.names
    ]
    named = {a.name for a in declared if a.asname}
    assert named <= {*dir(resizemix_jax)} and {'resizemix', 'train_and_evaluate'} <= named


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'resizemix_jax' has no attribute 'resizemx'"):
        resizemix_jax.resizemx  # noqa: B018


def test_a_config_by_the_words_of_the_command():
    config = resizemix_jax.get_config('configs/table3.py:row=cutmix,seed=3')
    assert (config.mixing, config.seed) == ('cutmix', 3)
    with pytest.raises(errors.ConfigError, match='there is no such file'):
        resizemix_jax.get_config('configs/table33.py')


@pytest.mark.slow
def test_the_workflows_are_valid():
    files = [str(path) for path in sorted((ROOT / '.github/workflows').glob('*.yml'))]
    command = [
        sys.executable,
        '-m',
        'check_jsonschema',
        '--builtin-schema',
        'vendor.github-workflows',
        *files,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_citation_has_the_version():
    assert f'\nversion: {resizemix_jax.__version__}\n' in (ROOT / 'CITATION.cff').read_text('utf-8')
