"""What makes a cell: the networks' recipes, the small scale, the rows of single tables."""

import pytest

from resizemix_jax import build, cells, recipes
from resizemix_jax import tables as common
from tests.configs.tables import OWN, TABLES, module

PAPER_TABLES = [table for table in TABLES if table not in OWN]


def test_the_paper_s_recipes():
    wrn = module('table2').get_config('row=resizemix,model=wrn28_10')
    assert (wrn.epochs, wrn.batch_size, wrn.optimizer.lr, wrn.optimizer.weight_decay) == (200, 256, 0.1, 5e-4)
    assert wrn.optimizer.nesterov and wrn.mixing_args.tau == (0.1, 0.8)
    shake = module('table3').get_config('model=ss26_2x96d')
    assert (shake.epochs, shake.optimizer.lr, shake.optimizer.weight_decay) == (1800, 0.01, 1e-3)
    imagenet = module('table4').get_config('model=resnet101')
    assert (imagenet.epochs, imagenet.batch_size, imagenet.optimizer.lr) == (300, 512, 0.5)
    assert imagenet.optimizer.weight_decay == 4e-5 and imagenet.model_args.depth == 101
    released = module('table2').get_config('recipe=released')
    assert (released.optimizer.lr, released.optimizer.warmup_epochs, released.optimizer.nesterov) == (
        0.2,
        5,
        False,
    )
    assert released.model_args.variant == 'released' and released.recipe == 'released'


def test_fake_makes_the_shapes_of_a_network():
    config = module('fake').get_config('model=resnet50,size=64')
    assert config.dataset_args.image_shape == (64, 64, 3) and config.dataset_args.num_classes == 1000
    assert build.plan(config).dataset.sizes['train'] == 4 * 512


@pytest.mark.parametrize('table', PAPER_TABLES)
@pytest.mark.parametrize('recipe', recipes.NAMES)
def test_the_small_scale_is_one_network_on_the_embedded_data(table, recipe):
    names = vars(module(table))
    for cell in cells.every(names, columns=names['COLUMNS'], recipe=recipe, scale='small'):
        config = names['get_config'](cells.argument(names, cell))
        assert {key: config[key] for key in cell} == cell
        dataset = 'generated' if config.row == 'supermix' else 'fashion_mnist_10k'
        assert (config.dataset, config.model, config.augment) == (dataset, 'wide_resnet', 'crop_flip')
        assert (config.model_args.depth, config.model_args.width) == (10, 1)
        assert (config.batch_size, config.epochs, config.log_every_steps) == (32, 6, 104)
        assert config.optimizer.lr == (0.1 if recipe == 'paper' else 0.2)
        own = names['get_config'](cells.argument(names, cell | {'scale': 'paper'}))
        for key in (
            'mixing',
            'policy',
            'policy_place',
            'half_train',
            'half_eval',
            'saliency',
            'batch_augment',
        ):
            assert config[key] == own[key]
        if config.mixing == 'cutout':
            assert config.mixing_args.length * 32 == own.mixing_args.length * 28
        else:
            assert config.mixing_args == own.mixing_args


def test_the_small_scale_builds_and_is_refused_where_it_is_not_known():
    run = build.open_run(build.plan(module('table4').get_config('row=resizemix,model=resnet101,scale=small')))
    assert run.steps == 6 * 312
    with pytest.raises(ValueError, match="scale='tiny' must be one of: paper, small"):
        module('table6').get_config('scale=tiny')
    with pytest.raises(ValueError, match='--config=FILE:scale=small'):
        common.check_overrides({'scale': 'small'})


def test_the_small_study():
    rows = [row['row'] for row in module('small_study').ROWS]
    assert rows[:4] == ['baseline', 'cutout', 'mixup', 'cutmix']
    assert rows[4:] == [
        f'resizemix_{per}_{how}' for how in ('nearest', 'linear') for per in ('batch', 'sample')
    ]
    config = module('small_study').get_config('row=resizemix_sample_linear')
    assert (config.mixing_args.per, config.mixing_args.method) == ('sample', 'linear')
    assert (config.optimizer.lr, config.optimizer.weight_decay, config.augment) == (0.1, 5e-4, 'crop_flip')
    run = build.open_run(build.plan(config))
    assert (len(run.train.label), len(run.eval.label), run.steps) == (500, 2000, 1200)


def test_the_rows_of_table_1_differ_in_their_regions_alone():
    configs = {row['row']: module('table1').get_config(f'row={row["row"]}') for row in module('table1').ROWS}
    cuts = {name: config for name, config in configs.items() if config.mixing == 'cut_paste'}
    assert len(cuts) == 5
    for name, config in cuts.items():
        assert f'{config.mixing_args.source}_to_{config.mixing_args.paste}' == name
        assert (config.saliency == 'grad_cam') == ('salient' in name)
        assert config.mixing_args.tau == configs['resizemix'].mixing_args.tau


def test_table_6_halves_what_its_rows_say():
    config = module('table6').get_config('row=crop_crop,dataset=imagenet')
    assert (config.half_train, config.half_eval, config.mixing) == ('random_crop', 'center_crop', 'none')
    assert (config.model, config.dataset, config.epochs) == ('resnet', 'imagenet', 300)


def test_randaugment_has_the_published_settings_of_each_network():
    settings = []
    for table, model in (
        ('table2', 'wrn28_10'),
        ('table2', 'ss26_2x96d'),
        ('table3', 'wrn28_10'),
        ('table4', 'resnet50'),
    ):
        args = module(table).get_config(f'row=ra,model={model}').policy_args
        settings.append((args.n, args.m))
    assert settings == [(3, 5), (3, 9), (2, 14), (2, 9)]
    plus = module('table3').get_config('row=resizemix_plus')
    assert (plus.policy_place, plus.batch_augment, plus.policy_args.scale) == ('after_mixing', 2, 'released')
    assert plus.mixing == 'resizemix' and module('table2').get_config('row=aa').mixing == 'cutout'
