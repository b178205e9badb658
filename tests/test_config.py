"""The config: completed, changed by one rule."""

import json

import ml_collections
import pytest

from resizemix_jax import config as configs
from resizemix_jax.find import find, keywords, module, names


def complete():
    return configs.complete(configs.base())


def network_for(key, name):
    """{'model': ...} where a member is a task with networks of another family; else {}."""
    family = getattr(module('tasks', name), 'NETWORKS', 'models') if key == 'task' else 'models'
    return {} if family == 'models' else {'model': names(family)[0]}


@pytest.mark.parametrize(('key', 'family'), configs.FAMILIES.items())
def test_every_member_s_keywords_are_completed(key, family):
    for name in names(family):
        config = configs.assign(configs.base(), {key: name} | network_for(key, name))
        args = configs.complete(config)[f'{key}_args']
        own = configs.base()[f'{key}_args'].to_dict() if configs.base()[key] == name else {}
        assert args.to_dict() == keywords(find(family, name)) | own
        assert json.loads(config.to_json())[key] == name


def test_a_group_without_a_name_and_a_name_without_a_group():
    assert set(configs.functions(configs.base())) == {
        key for key, value in configs.base().items() if isinstance(value, ml_collections.ConfigDict)
    }
    assert complete().saliency_args.to_dict() == {}
    assert (
        configs.complete(configs.assign(configs.base(), {'saliency': 'cam'})).saliency_args.target == 'label'
    )
    with pytest.raises(ValueError, match="saliency_args={'target': 'x'} needs a name: set saliency"):
        configs.complete(configs.assign(configs.base(), {'saliency_args': {'target': 'x'}}))
    with pytest.raises(ValueError, match="saliency='gradcam': .*; there are: cam, fine_grained, grad_cam"):
        configs.complete(configs.assign(configs.base(), {'saliency': 'gradcam'}))


def test_completing_keeps_values_and_works_on_a_locked_config():
    config = configs.base()
    config.mixing, config.mixing_args.prob = 'cutmix', 0.25
    config.lock()
    assert configs.complete(config).mixing_args.to_dict() == {'alpha': 1.0, 'prob': 0.25, 'per': 'batch'}
    with pytest.raises(ValueError, match='mixing_args: cutmix does not take x; it takes: alpha, prob, per'):
        configs.complete(configs.assign(config, {'mixing_args': {'x': 1}}))


def test_a_changed_name_empties_its_group_and_an_equal_one_keeps_it():
    config = configs.complete(
        configs.assign(configs.base(), {'mixing': 'cutmix', 'mixing_args': {'prob': 0.25}})
    )
    configs.assign(config, {'mixing': 'cutmix', 'mixing_args': {'alpha': 2.0}})
    assert config.mixing_args.to_dict() == {'alpha': 2.0, 'prob': 0.25, 'per': 'batch'}
    configs.assign(config, {'mixing_args': {'alpha': 3.0}, 'mixing': 'mixup'})
    assert config.mixing_args.to_dict() == {'alpha': 3.0}


def test_overrides_take_names_first():
    config = complete().lock()
    values = {'mixing_args.prob': 0.25, 'mixing': 'cutmix', 'seed': 3, 'schedule_args': {'lr': 0.5}}
    configs.override(config, values)
    assert (config.mixing_args.prob, config.mixing_args.alpha, config.seed) == (0.25, 1.0, 3)
    assert (config.schedule_args.lr, config.schedule_args.final_lr) == (0.5, 0.0)
    with pytest.raises(ValueError, match="mixing='none' has no argument 'prob'"):
        configs.override(complete(), {'mixing_args.prob': 0.25})
    with pytest.raises(TypeError):
        configs.override(complete(), {'seed': 'x'})


def test_no_default_is_none_or_a_list():
    for value in configs.base().values():
        assert value is not None and not isinstance(value, list)
