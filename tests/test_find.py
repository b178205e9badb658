import pytest

from resizemix_jax import find


def test_a_name_is_a_file_s_name():
    from resizemix_jax.mixing.cutmix import cutmix

    assert find.find('mixing', 'cutmix') is cutmix


@pytest.mark.parametrize('name', ['region', 'automix', 'resizemix_jax.errors', ''])
def test_an_unknown_name_lists_the_family(name):
    with pytest.raises(ValueError, match=rf"there is no '{name}'; there are: .*cutmix, cutout, .*resizemix"):
        find.find('mixing', name)


def test_unknown_keywords_list_the_known():
    def function(key, *, alpha=1.0, prob=0.5):
        return key, alpha, prob

    find.check_keywords(function, {'alpha': 1})
    with pytest.raises(ValueError, match='function does not take beta, key; it takes: alpha, prob'):
        find.check_keywords(function, {'beta': 1, 'key': 2})
