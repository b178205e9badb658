import shutil
import subprocess
import sys
import types

import pytest

import resizemix_jax
from resizemix_jax import find

FAMILIES = ('tasks', 'datasets', 'models', 'augment', 'mixing', 'optimizers', 'schedules', 'loggers')


def test_a_name_is_a_file_s_name():
    from resizemix_jax.mixing.cutmix import cutmix

    assert find.find('mixing', 'cutmix') is cutmix


@pytest.mark.parametrize('family', FAMILIES)
def test_every_file_of_a_family_is_a_member(family):
    for name in find.names(family):
        function = find.find(family, name)
        assert function.__name__ == name and function.__doc__
        assert not set(find.needs(function)) & set(find.keywords(function))


@pytest.mark.parametrize('name', ['_region', 'automix', '', '.', '..resizemix', 'resizemix.'])
def test_an_unknown_name_lists_the_family(name):
    with pytest.raises(ValueError, match=rf"there is no '{name}'; there are: .*cutmix, cutout, .*resizemix"):
        find.find('mixing', name)


def test_a_name_with_dots_is_a_module_outside_the_package(tmp_path, monkeypatch):
    (tmp_path / 'my_mixing.py').write_text(
        'def halves(key, images, labels, *, share=0.5):\n    return share\n'
    )
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'halves.py').write_text((tmp_path / 'my_mixing.py').read_text())
    monkeypatch.syspath_prepend(tmp_path)
    assert find.keywords(find.find('mixing', 'mine.halves')) == {'share': 0.5}
    with pytest.raises(ValueError, match="mixing: 'mine.thirds' cannot be imported: No module named"):
        find.find('mixing', 'mine.thirds')
    (tmp_path / 'mine' / 'broken.py').write_text('def broken(:')
    with pytest.raises(ValueError, match="mixing: 'mine.broken' cannot be imported: SyntaxError: .* line 1"):
        find.find('mixing', 'mine.broken')


@pytest.mark.slow
def test_members_are_found_in_a_zip_file(tmp_path):
    package = tmp_path / 'tree' / 'resizemix_jax'
    shutil.copytree(
        resizemix_jax.__path__[0], package, ignore=shutil.ignore_patterns('embedded', '__pycache__')
    )
    archive = shutil.make_archive(str(tmp_path / 'package'), 'zip', tmp_path / 'tree')
    code = (
        "from resizemix_jax import find; assert '.zip' in find.__file__; "
        "print(find.names('mixing'), find.find('optimizers', 'sgd').__name__)"
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        env={'PYTHONPATH': archive},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == f'{find.names("mixing")} sgd'.split(), done.stderr


def test_unknown_keywords_list_the_known():
    def function(key, *, alpha=1.0, prob=0.5):
        return key, alpha, prob

    find.check_keywords(function, {'alpha': 1})
    with pytest.raises(ValueError, match='function does not take beta, key; it takes: alpha, prob'):
        find.check_keywords(function, {'beta': 1, 'key': 2})


def member(monkeypatch, function, **constants):
    module = types.ModuleType('outside')
    vars(module).update(constants)
    function.__module__, function.__name__ = 'outside', 'outside'
    module.outside = function
    monkeypatch.setitem(sys.modules, 'outside', module)
    return function


def test_what_a_member_needs_is_provided_and_is_no_key_of_the_config(monkeypatch):
    function = member(monkeypatch, lambda key, *, std=1.0, alpha=1.0: (std, alpha), NEEDS=('std',))
    assert find.keywords(function) == {'alpha': 1.0}
    monkeypatch.setattr(find, 'find', lambda family, name: function)
    assert find.bind('mixing', 'outside', {'alpha': 2.0}, std=0.5, saliency=None)(None) == (0.5, 2.0)
    with pytest.raises(ValueError, match='outside needs std, which is not provided here; .*: saliency'):
        find.bind('mixing', 'outside', {}, saliency=None)
    with pytest.raises(ValueError, match='outside does not take std; it takes: alpha'):
        find.bind('mixing', 'outside', {'std': 2.0}, std=0.5)


def test_a_member_s_declarations_are_checked(monkeypatch):
    with pytest.raises(ValueError, match='NEEDS names sigma, and the function has no such keyword'):
        find.needs(member(monkeypatch, lambda key, *, std=1.0: std, NEEDS=('sigma',)))
    with pytest.raises(ValueError, match='the keyword alpha needs a default'):
        find.keywords(member(monkeypatch, lambda key, *, alpha: alpha))
