"""The words of the command line about the config."""

import pytest

from configs import quickstart
from resizemix_jax import build, overrides
from resizemix_jax import config as configs
from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.find import find, keywords, names
from tests.test_config import network_for


def test_words_are_sorted():
    words = [
        '--config.seed=1', '--mode=train', '--config', 'a/b.py:row=x,config.mixing=mixup,seed=2',
        '--config.remat', '--noconfig.model_args.antialias', '--config.epochs', '3', '--config.seed=4',
        '--list',
    ]  # fmt: skip
    found = overrides.sort(words)
    assert (found.path, found.argument, found.others) == (
        'a/b.py',
        'row=x,seed=2',
        ['--mode=train', '--list'],
    )
    assert found.texts == {
        'mixing': 'mixup', 'remat': 'True', 'model_args.antialias': 'False', 'epochs': '3', 'seed': '4',
    }  # fmt: skip
    assert overrides.sort(['--config=f.py:a=b:c']).argument == 'a=b:c'
    assert overrides.sort(['--workdir=x', '--configs=y']) == ('', '', {}, ['--workdir=x', '--configs=y'])
    with pytest.raises(ValueError, match='--config needs a file'):
        overrides.sort(['--config='])


def apply(**texts):
    config = configs.complete(configs.base())
    texts = {key.replace('__', '.'): value for key, value in texts.items()}
    return config, overrides.apply(config, texts)


def test_values_get_the_type_of_what_they_replace():
    config, values = apply(
        seed='3', schedule_args__lr='1', remat='true', augment_args__flip='0', data_dir='1',
    )  # fmt: skip
    assert values == {
        'seed': 3, 'schedule_args.lr': 1.0, 'remat': True, 'augment_args.flip': False, 'data_dir': '1',
    }  # fmt: skip
    assert (config.schedule_args.lr, config.data_dir, config.augment_args.flip) == (1.0, '1', False)


@pytest.mark.parametrize(
    ('text', 'value'), [("('a/*', 'b')", ('a/*', 'b')), ('a/*', ('a/*',)), ("['a']", ('a',)), ('()', ())]
)
def test_tuples(text, value):
    config, _ = apply(freeze=text)
    assert config.freeze == value


def test_a_name_comes_with_its_defaults_whatever_the_order():
    config, values = apply(mixing_args__tau='(0.2, 0.3)', mixing='resizemix')
    assert config.mixing_args.to_dict() == dict(tau=(0.2, 0.3), per='batch', method='nearest', antialias=True)
    assert values == {'mixing': 'resizemix', 'mixing_args.tau': (0.2, 0.3)}


def test_a_whole_group():
    config, _ = apply(mixing='cutmix', mixing_args="{'prob': 0.25}")
    assert config.mixing_args.to_dict() == {'alpha': 1.0, 'prob': 0.25, 'per': 'batch'}


@pytest.mark.parametrize(('text', 'value'), [('128', 128), ('(1, 2, 3)', (1, 2, 3)), ('scale', 'scale')])
def test_a_keyword_may_be_of_another_kind_than_its_default(text, value):
    config, _ = apply(policy='randaugment', policy_args__fill=text)
    assert config.policy_args.fill == value


@pytest.mark.parametrize(
    ('texts', 'message'),
    [
        (dict(epochs='1.5'), r'--config.epochs=1.5: it must be of type int, like 200'),
        (dict(augment_args__padding='1.5'), r'--config.augment_args.padding=1.5: it must be of type int'),
        (dict(schedule_args__lr='fast'), 'must be of type float'),
        (dict(remat='maybe'), 'must be of type bool'),
        (dict(augment_args__flip='2'), 'must be of type bool'),
        (dict(mixing_args='x'), 'must be of type dict'),
        (dict(mixing='cutmx'), "mixing='cutmx': .*there are: cut_paste, cutmix"),
        (dict(recipe='released'), '--config=FILE:recipe=released'),
        (dict(optimizer__lr='1'), r'is now config\.schedule_args\.lr'),
        (dict(mixing_args="{'x': 1}"), 'mixing_args: none does not take x'),
    ],
)
def test_what_does_not_fit_is_refused(texts, message):
    with pytest.raises(ValueError, match=message):
        apply(**texts)


MEMBERS = [(key, name) for key, family in configs.FAMILIES.items() for name in names(family)]


@pytest.mark.parametrize(('key', 'name'), MEMBERS)
def test_another_member_gets_its_defaults_and_keeps_what_is_given(key, name):
    """On a row of another method, whatever the order on the command line."""
    config = quickstart.get_config('row=resizemix')
    before = config.copy_and_resolve_references()
    defaults = keywords(find(configs.FAMILIES[key], name))
    given = {f'{key}_args.{word}': value for word, value in list(defaults.items())[:1]}
    besides = network_for(key, name)
    overrides.apply(config, {word: str(value) for word, value in given.items()} | {key: name} | besides)
    own = defaults if name != before[key] else before[f'{key}_args'].to_dict()
    assert config[key] == name
    assert config[f'{key}_args'].to_dict() == own | {k.partition('.')[2]: v for k, v in given.items()}
    others = set(config) - {key, f'{key}_args', *(word + end for word in besides for end in ('', '_args'))}
    assert all(config[other] == before[other] for other in others)


def test_another_source_of_the_same_dataset_keeps_its_arguments():
    config, _ = apply(dataset='tfds:food101', dataset_args__image_size='64')
    overrides.apply(config, {'dataset': 'tfds:stanford_dogs'})
    assert config.dataset_args.image_size == 64
    overrides.apply(config, {'dataset': 'imagenet'})
    assert config.dataset_args.image_size == 224


# What a member needs besides on a row of ResizeMix with 28 x 28 images, if anything.
BESIDES = {
    ('task', 'detect_ssd'): dict(model='ssd64', dataset='fashion_scenes', mixing='none'),
    ('task', 'detect_rcnn'): dict(model='faster_rcnn', dataset='fashion_scenes', mixing='none'),
    ('task', 'consistency'): dict(mixing='none', policy='augmix', policy_place='before_mixing'),
    ('mixing', 'saliencymix'): dict(saliency='fine_grained'),
    ('mixing', 'puzzlemix'): dict(saliency='input_gradient'),
    ('model', 'vit'): dict(model_args__patch='7', model_args__depth='2'),
}
# Those of which a sentence is right: they need data, or a trained network.
MISSING = {
    ('mixing', 'supermix'): 'supermix needs teacher',
    ('dataset', 'cifar_c'): 'severity=0 must be from 1 to 5',
    ('dataset', 'folder'): "dataset='folder' needs a directory",
    ('dataset', 'voc'): "dataset='voc' needs a directory",
    ('dataset', 'coco'): "dataset='coco' needs a directory",
    ('dataset', 'tfds'): "dataset='tfds:' must be tfds:NAME",
    ('dataset', 'generated'): 'holds no generated set',
    ('dataset', 'fashion_scenes'): 'has several labels an image',
}


@pytest.mark.slow
@pytest.mark.parametrize(('key', 'name'), MEMBERS)
def test_another_member_can_be_run(key, name, tmp_path):
    config = configs.override(quickstart.get_config('row=resizemix'), {'model': 'tests.small'})
    texts = {'data_dir': str(tmp_path), key: name} | BESIDES.get((key, name), {})
    overrides.apply(config, {word.replace('__', '.'): text for word, text in texts.items()})
    if (key, name) in MISSING:
        with pytest.raises((ConfigError, DataError), match=MISSING[key, name]):
            build.plan(config)
    else:
        build.unopened_run(build.plan(config))


@pytest.mark.parametrize(
    ('texts', 'message'),
    [
        ({'batch_size': '0'}, '^batch_size=0 must be >= 1$'),
        ({'seed': '9223372036854775808'}, 'seed=9223372036854775808 must be from 0'),
        ({'saliency_mode': 'x'}, "saliency_mode='x' must be one of: train, eval"),
        ({'mixing': 'cutmx'}, 'there is no .cutmx.; .*; did you mean cutmix'),
        (
            {'mixing': 'cutmix', 'mixing_args.tau': '1'},
            "mixing='cutmix' has no argument 'tau'; it has: alpha, p",
        ),
    ],
)
def test_an_invalid_value_is_refused_before_anything_is_imported(texts, message):
    with pytest.raises(ValueError, match=message):
        overrides.apply(configs.complete(configs.base()), texts)
