"""Config files: the user's own, and those of the package."""

import pathlib
import subprocess
import sys
import zipfile

import pytest

from resizemix_jax import config_files
from resizemix_jax.errors import ConfigError

ROOT = pathlib.Path(__file__).parents[1]


def test_a_file_of_the_user_needs_no_table(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text('"""Mine."""\ndef get_config(arg=""):\n    return arg\n')
    file = config_files.load(path)
    assert (file.path, file.doc, file.table, file.get_config('x')) == (str(path), 'Mine.', None, 'x')


def test_the_package_s_own_is_found_from_anywhere_and_the_user_s_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config_files.load('configs/table8.py').table.name == 'table8'
    (tmp_path / 'configs').mkdir()
    (tmp_path / 'configs' / 'table8.py').write_text('TABLE = None\nget_config = dict\n')
    assert config_files.load('configs/table8.py').table is None
    assert config_files.load('configs/table7.py').table.name == 'table7'


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('import nothing_like_it', "line 1: ModuleNotFoundError: No module named 'nothing_like_it'"),
        ('\n1 / 0', 'line 2: ZeroDivisionError: division by zero'),
        ('x = (', 'SyntaxError'),
        ('x = 1', r'must define get_config\(arg\)'),
        ('from configs.table8 import TABLE, get_config', "the name of its TABLE is 'table8'"),
    ],
)
def test_a_broken_file_says_where(text, message, tmp_path):
    path = tmp_path / 'broken.py'
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        config_files.load(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize('path', ['configs/absent.py', 'table8.py', 'other/table8.py', 'configs', ''])
def test_a_file_that_does_not_exist(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match='there is no such file'):
        config_files.load(path)


@pytest.mark.parametrize(
    ('name', 'found'), [('table8', 'table8'), ('mine', None), ('', None), ('fake', None)]
)
def test_the_table_that_a_config_names(name, found, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = config_files.table_of({'table': name})
    assert (table and table.name) == found


def test_beside(tmp_path):
    (tmp_path / 'other.py').touch()
    assert config_files.beside(tmp_path / 'mine.py', 'other') == str(tmp_path / 'other.py')
    assert config_files.beside(tmp_path / 'mine.py', 'related') == 'configs/related.py'


@pytest.mark.slow
def test_an_installed_package_carries_its_tables(tmp_path):
    """As in a wheel: configs/ lies in the package, and there is no checkout around it."""
    wheel = tmp_path / 'wheel.zip'
    with zipfile.ZipFile(wheel, 'w') as file:
        for folder, name in (('resizemix_jax', 'resizemix_jax'), ('configs', 'resizemix_jax/configs')):
            for path in (ROOT / folder).rglob('*.py'):
                file.write(path, f'{name}/{path.relative_to(ROOT / folder)}')
    code = (
        f'import sys; sys.path.insert(0, {str(wheel)!r})\n'
        'from resizemix_jax import config_files\n'
        'file = config_files.load("configs/table3.py")\n'
        'assert file.table.title.startswith("Table 3")\n'
        'assert file.get_config("row=cutmix").mixing_args.prob == 0.5\n'
        'print(file.get_config.__self__.__class__.__module__, config_files.__file__)\n'
    )
    done = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(wheel) in done.stdout
