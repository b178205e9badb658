"""What makes a cell: the networks' recipes, the small scale, the rows of single tables."""

import pytest

from resizemix_jax import build, config_files, recipes, train
from resizemix_jax import config as configs
from resizemix_jax.errors import ConfigError
from resizemix_jax.find import bind
from tests.configs.tables import TABLES

# Section 5.1 of the paper and the released code: epochs, batch, lr, decay, Nesterov, warm-up, final lr.
SETTINGS = {
    ('wrn28_10', 'paper'): (200, 256, 0.1, 5e-4, True, 0, 0.0),
    ('wrn28_10', 'released'): (200, 256, 0.2, 5e-4, False, 5, 1e-5),
    ('ss26_2x96d', 'paper'): (1800, 256, 0.01, 1e-3, True, 0, 0.0),
    ('ss26_2x96d', 'released'): (1800, 256, 0.04, 1e-4, False, 5, 1e-5),
    ('resnet50', 'paper'): (300, 512, 0.5, 4e-5, True, 0, 0.0),
    ('resnet50', 'released'): (300, 512, 0.5, 4e-5, False, 0, 1e-5),
    ('resnet101', 'paper'): (300, 512, 0.5, 4e-5, True, 0, 0.0),
    ('resnet101', 'released'): (300, 512, 0.5, 4e-5, False, 0, 1e-5),
}


@pytest.mark.parametrize(('network', 'recipe'), SETTINGS)
def test_the_paper_s_recipes(network, recipe):
    data = dict(dataset='imagenet' if network.startswith('resnet') else 'cifar10')
    made = configs.assign(configs.assign(configs.base(), data), recipes.NETWORKS[network](recipe))
    config = configs.complete(made)
    optimizer, schedule = config.optimizer_args, config.schedule_args
    assert SETTINGS[network, recipe] == (
        config.epochs, config.batch_size, schedule.lr, optimizer.weight_decay, optimizer.nesterov,
        schedule.warmup_epochs, schedule.final_lr,
    )  # fmt: skip
    assert (config.optimizer, optimizer.momentum, optimizer.decay) == ('sgd', 0.9, 'all')


@pytest.mark.parametrize(('recipe', 'resize'), [('paper', 'antialias'), ('released', 'dali')])
def test_how_each_recipe_of_table_4_resizes(recipe, resize):
    assert TABLES['table4'].get_config(f'recipe={recipe}').dataset_args.resize == resize


@pytest.mark.slow
def test_fake_makes_the_shapes_of_a_network():
    get_config = config_files.load('configs/fake.py').get_config
    config = get_config('model=resnet50,size=64')
    assert config.dataset_args.image_shape == (64, 64, 3) and config.dataset_args.num_classes == 1000
    assert build.plan(config).dataset.sizes['train'] == 4 * 512
    with pytest.raises(ValueError, match="model='vgg' must be one of: wrn28_10"):
        get_config('model=vgg')


@pytest.mark.slow
def test_the_small_study():
    table = TABLES['small_study']
    assert [row.name for row in table.rows[4:]] == [
        f'resizemix_{per}_{how}' for how in ('nearest', 'linear') for per in ('batch', 'sample')
    ]
    config = table.get_config('row=resizemix_sample_linear')
    assert (config.mixing_args.per, config.mixing_args.method) == ('sample', 'linear')
    run = build.open_run(build.plan(config))
    assert (run.train['train'].size, run.eval.size, run.steps) == (500, 2000, 1200)


def test_the_rows_of_table_1_differ_in_their_regions_alone():
    made = {row.name: TABLES['table1'].get_config(f'row={row.name}') for row in TABLES['table1'].rows}
    cuts = {name: config for name, config in made.items() if config.mixing == 'cut_paste'}
    assert len(cuts) == 5
    for name, config in cuts.items():
        assert f'{config.mixing_args.source}_to_{config.mixing_args.paste}' == name
        assert (config.saliency == 'grad_cam') == ('salient' in name)
        assert config.mixing_args.tau == made['resizemix'].mixing_args.tau


def test_table_6_halves_what_its_rows_say():
    config = TABLES['table6'].get_config('row=crop_crop,dataset=imagenet')
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
        args = TABLES[table].get_config(f'row=ra,model={model}').policy_args
        settings.append((args.n, args.m))
    assert settings == [(3, 5), (3, 9), (2, 14), (2, 9)]
    plus = TABLES['table3'].get_config('row=resizemix_plus')
    assert (plus.policy_place, plus.batch_augment, plus.policy_args.scale) == ('after_mixing', 2, 'released')
    assert plus.mixing == 'resizemix' and TABLES['table2'].get_config('row=aa').mixing == 'cutout'


@pytest.mark.parametrize(
    ('column', 'rates', 'epochs', 'batch'),
    [
        # epoch (of 1000 steps) -> learning rate: the warm-up, its end, and after each fall
        ('ssd_coco', {0: 2e-6, 0.25: 1.001e-3, 0.5: 2e-3, 79.9: 2e-3, 80: 2e-4, 110: 2e-5}, 120, 64),
        ('ssd_voc', {0: 1e-6, 0.5: 1e-3, 160: 1e-4, 199.9: 1e-4, 200: 1e-5}, 240, 64),
        ('frcnn_coco', {0: 2e-5, 0.25: 1.001e-2, 0.5: 0.02, 8: 2e-3, 11: 2e-4}, 12, 16),
        ('frcnn_voc', {0: 0.01, 8.9: 0.01, 9: 1e-3}, 12, 16),
    ],
)
def test_detectors_are_trained_as_mmdetection_does(column, rates, epochs, batch):
    config = TABLES['table5'].get_config(f'row=cutmix,model={column}')
    assert (config.epochs, config.batch_size, config.optimizer) == (epochs, batch, 'sgd')
    schedule = bind('schedules', config.schedule, config.schedule_args)(epochs * 1000, 1000)
    for epoch, rate in rates.items():
        assert float(schedule(round(1000 * epoch))) == pytest.approx(rate, rel=1e-5)
    assert not config.optimizer_args.nesterov and config.optimizer_args.momentum == 0.9
    assert config.optimizer_args.weight_decay == (5e-4 if column.startswith('ssd') else 1e-4)
    assert config.task_args.measure == ('coco' if column.endswith('coco') else 'voc07')
    assert (config.init_scope, config.model_args.backbone_norm) == ('backbone', 'eval')
    if column.startswith('ssd'):
        assert config.task_args.distort and config.model_args.anchors == column.removeprefix('ssd_')


def test_a_row_of_table_5_without_its_classifier_is_refused(tmp_path):
    config = TABLES['table5'].get_config('row=cutmix,model=ssd_coco,scale=small')
    with pytest.raises(ConfigError, match='RUN_OF_TABLE4_cutmix'):
        train.train_and_evaluate(config, tmp_path / 'run')
    assert not (tmp_path / 'run' / 'checkpoints').exists()
