"""Every script of benchmarks/ runs to its end at the smallest size; the arithmetic of paired timing."""

import importlib
import pathlib

import pytest

from benchmarks import _timing as timing

FOLDER = pathlib.Path(__file__).parents[2] / 'benchmarks'
SCRIPTS = sorted(path.stem for path in FOLDER.glob('*.py') if not path.name.startswith('_'))
# Extra packages that a script may ask for; without them it ends with a sentence.
EXTRA = {'input_grain': 'grain'}
QUICK = 'data', 'targets'


@pytest.mark.parametrize(
    'name', [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SCRIPTS]
)
@pytest.mark.slow
def test_a_script_runs_at_its_smallest_size(name, capsys):
    main = importlib.import_module(f'benchmarks.{name}').main
    if name in EXTRA and not importlib.util.find_spec(EXTRA[name]):
        with pytest.raises(SystemExit) as ended:
            main(['--smallest'])
        assert ended.value.code == 2
        assert 'pip install' in capsys.readouterr().out
    else:
        main(['--smallest'])
        assert capsys.readouterr().out.strip()


@pytest.mark.parametrize('library', ('tf', 'torch'))
def test_a_python_without_the_library_ends_with_a_sentence(library, capsys):
    from benchmarks.input import main

    with pytest.raises(SystemExit) as ended:
        main(['--smallest', f'--{library}_python=/no/such/python'])
    assert ended.value.code == 2
    assert f'--{library}_python=/no/such/python must be a Python with' in capsys.readouterr().out


def test_smallest_replaces_defaults_and_not_what_is_given():
    def parsed(*argv):
        made = timing.arguments('', argv, dict(a=1, text='s'), a=100, b=200, text='long', switch=False)
        return made.a, made.b, made.text, made.switch

    assert parsed() == (100, 200, 'long', False)
    assert parsed('--smallest') == (1, 200, 's', False)
    assert parsed('--smallest', '--a=7', '--switch') == (7, 200, 's', True)


def test_the_ratio_is_of_the_rounds_and_not_of_the_medians():
    seconds = {'a': [2.0, 9.0, 4.0], 'b': [1.0, 3.0, 8.0]}
    assert timing.ratio(seconds, 'a', 'b') == (2.0, 0.5, 3.0)
    assert timing.ratio({'a': [3.0], 'b': [2.0]}, 'a', 'b') == (1.5, 1.5, 1.5)
