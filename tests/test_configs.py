"""Every cell of every table: golden, buildable, and read to the last key."""

import importlib
import json
import pathlib
import re

import ml_collections
import pytest

from configs import cells as cell_lists
from configs import common, recipes, show
from configs.base import base
from resizemix_jax import build
from resizemix_jax.errors import DataError

ROOT = pathlib.Path(__file__).parents[1]
TABLES = (
    'quickstart', 'small_study', 'table1', 'table2', 'table3', 'table4', 'table6', 'table7', 'table8',
    'related',
)  # fmt: skip
OWN = ('quickstart', 'small_study')  # no experiments of the paper
GOLDEN = pathlib.Path(__file__).parent / 'golden'


def module(table):
    return importlib.import_module(f'configs.{table}')


def cells(table):
    """argument -> config, for every cell that can be run, in both recipes, with the keys off the base."""
    made = {}
    for row in module(table).ROWS:
        for value in module(table).COLUMNS:
            for recipe in recipes.NAMES if table not in OWN else ('paper',):
                if 'refused' not in row:
                    parts = {'row': row['row'], module(table).COLUMN: value, 'recipe': recipe}
                    if table in OWN:
                        parts = {'row': row['row']}
                    arg = ','.join(f'{key}={value}' for key, value in parts.items())
                    made[arg] = module(table).get_config(arg)
    return made


@pytest.mark.parametrize('table', TABLES)
def test_golden(table):
    """A refactoring must not change a hyper-parameter. For a wanted one, delete the file and rerun."""
    resolved = {arg: json.loads(config.to_json()) for arg, config in cells(table).items()}
    path = GOLDEN / f'{table}.json'
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(resolved, indent=1, sort_keys=True) + '\n')
        pytest.fail(f'{path.name} was missing and has been written; look at it and commit it')
    assert resolved == json.loads(path.read_text())


@pytest.mark.parametrize('table', TABLES)
def test_rows(table):
    rows = module(table).ROWS
    assert len({row['row'] for row in rows}) == len(rows)
    for row in rows:
        assert {'row', 'title', 'paper'} <= set(row)
        assert ('refused' in row) != ('mixing' in row)
        assert set(row['paper']) <= {'cost', *module(table).COLUMNS}


def test_the_paper_s_numbers_are_all_there():
    counts = {table: sum(len(row['paper']) for row in module(table).ROWS) for table in TABLES}
    # the numbers that the paper prints in each table, costs included, dashes not
    assert counts == {
        'quickstart': 0, 'small_study': 0, 'table1': 8, 'table2': 39, 'table3': 37, 'table4': 25,
        'table6': 12, 'table7': 4, 'table8': 5, 'related': 0,
    }  # fmt: skip
    by_row = {row['row']: row['paper'] for row in module('table3').ROWS}
    assert by_row['resizemix'] == {'cost': 0, 'wrn28_10': 84.31, 'ss26_2x96d': 85.26}


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


@pytest.mark.parametrize('table', [table for table in TABLES if table != 'table6'])
def test_the_default_row_is_the_paper_s_method(table):
    config = module(table).get_config('seed=2')
    assert (config.seed, config.mixing, config.mixing_args.tau) == (2, 'resizemix', (0.1, 0.8))


@pytest.mark.parametrize('table', TABLES)
def test_no_none_and_no_list(table):
    def leaves(node):
        for value in node.values():
            yield from leaves(value) if isinstance(value, ml_collections.ConfigDict) else [value]

    for config in cells(table).values():
        assert not [leaf for leaf in leaves(config) if leaf is None or isinstance(leaf, list)]


def test_every_key_is_read():
    """A key that nothing reads would be a promise that nothing keeps."""
    files = [*(ROOT / 'resizemix_jax').rglob('*.py')]
    text = '\n'.join(f.read_text() for f in files)
    unread = [key for key in base() if not re.search(rf"config\.{key}\b|'{key}'", text)]
    assert not unread
    # Keys of a group are keywords of a function, which refuses what it does not take; so all groups must be
    # handed over whole.
    groups = {k for k, v in base().items() if isinstance(v, ml_collections.ConfigDict)}
    assert groups == {
        'task_args',
        'dataset_args',
        'model_args',
        'augment_args',
        'policy_args',
        'mixing_args',
        'saliency_args',
        'optimizer',
        'generate_args',
    }


@pytest.mark.parametrize(
    ('table', 'arg'),
    [
        ('table2', 'row=cutout,model=wrn28_10,recipe=released'),
        ('table3', 'row=resizemix,model=ss26_2x96d'),
        ('table3', 'row=cutmix,model=wrn28_10'),
        ('table4', 'row=resizemix,model=resnet50'),
        ('table1', 'row=salient_to_random'),
        ('table1', 'row=random_to_non_salient'),
        ('table2', 'row=aa'),
        ('table2', 'row=ra,model=ss26_2x96d'),
        ('table2', 'row=resizemix_plus'),
        ('table3', 'row=pba'),
        ('table3', 'row=dada'),
        ('table4', 'row=fast_aa'),
        ('table6', 'row=crop_resize,dataset=cifar10'),
        ('table7', 'row=before'),
        ('operations', 'row=cutout'),
        ('table6', 'row=resize_resize,dataset=imagenet'),
        ('table8', 'row=0.1-0.9'),
        ('quickstart', 'row=mixup'),
    ],
)
def test_cells_build_and_only_miss_their_data(table, arg, tmp_path):
    config = module(table).get_config(arg)
    config.data_dir = str(tmp_path)
    plan = build.plan(config)
    assert plan.dataset.name == config.dataset
    if table not in (*OWN, 'operations'):
        with pytest.raises(DataError, match='not prepared'):
            build.open_run(plan)


@pytest.mark.parametrize(
    ('table', 'arg', 'message'),
    [
        ('table3', 'row=mixmix', "row='mixmix' must be one of: baseline, aa"),
        ('table3', 'model=vgg', "model='vgg' must be one of: wrn28_10, ss26_2x96d"),
        ('table3', 'recipe=mine', "recipe='mine' must be one of: paper, released"),
        ('table3', 'rows=resizemix', "'rows=resizemix' in the config argument: write key=value"),
        ('table3', 'resizemix', 'write key=value with a key of row, model, recipe, scale, seed'),
        ('table3', 'seed=x', "seed='x' in the config argument must be of type int"),
        ('table2', 'row=ohl_aa', 'cannot be run: its authors published neither'),
        ('operations', 'row=flip', "row='flip' must be one of: shearx, sheary"),
        ('quickstart', 'row=fmix', "row='fmix' must be one of: baseline, cutout, mixup, cutmix, resizemix"),
        ('fake', 'model=vgg', "model='vgg' must be one of"),
        ('table6', 'dataset=svhn', "dataset='svhn' must be one of: cifar10, cifar100, imagenet"),
        ('table6', 'model=resnet50', 'write key=value with a key of row, dataset, recipe, scale, seed'),
    ],
)
def test_bad_arguments_are_refused(table, arg, message):
    with pytest.raises(ValueError, match=message):
        module(table).get_config(arg)


def test_fake_makes_the_shapes_of_a_network():
    config = module('fake').get_config('model=resnet50,size=64')
    assert config.dataset_args.image_shape == (64, 64, 3) and config.dataset_args.num_classes == 1000
    assert build.plan(config).dataset.train_size == 4 * 512


def test_what_names_a_run_is_not_overridden():
    common.check_overrides({'seed': 1, 'optimizer.lr': 0.2})
    with pytest.raises(ValueError, match='--config=FILE:recipe=released'):
        common.check_overrides({'recipe': 'released'})


PAPER_TABLES = [table for table in TABLES if table not in OWN]


@pytest.mark.parametrize('table', PAPER_TABLES)
@pytest.mark.parametrize('recipe', recipes.NAMES)
def test_the_small_scale_is_one_network_on_the_embedded_data(table, recipe):
    names = vars(module(table))
    for cell in cell_lists.every(names, columns=names['COLUMNS'], recipe=recipe, scale='small'):
        config = names['get_config'](cell_lists.argument(names, cell))
        assert {key: config[key] for key in cell} == cell
        dataset = 'generated' if config.row == 'supermix' else 'fashion_mnist_10k'
        assert (config.dataset, config.model, config.augment) == (dataset, 'wide_resnet', 'crop_flip')
        assert (config.model_args.depth, config.model_args.width) == (10, 1)
        assert (config.batch_size, config.epochs, config.log_every_steps) == (32, 6, 104)
        assert config.optimizer.lr == (0.1 if recipe == 'paper' else 0.2)
        own = names['get_config'](cell_lists.argument(names, cell | {'scale': 'paper'}))
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


def test_the_cells_of_a_sweep():
    table = vars(module('table3'))
    cells = cell_lists.every(table, seeds=2)
    runnable = [row['row'] for row in table['ROWS'] if 'refused' not in row]
    assert [(c['seed'], c['column'], c['row']) for c in cells] == [
        (seed, column, row) for seed in (0, 1) for column in table['COLUMNS'] for row in runnable
    ]
    assert len({cell_lists.directory('table3', cell) for cell in cells}) == len(cells)
    small = cell_lists.every(table, rows=['cutmix'], recipe='released', scale='small')
    assert [cell_lists.directory('table3', cell) for cell in small] == [
        'table3_cutmix_wrn28_10_released_small_seed0'
    ]
    argument = 'row=cutmix,model=wrn28_10,recipe=released,scale=small,seed=0'
    assert cell_lists.argument(table, small[0]) == argument
    assert cell_lists.flags('F', argument, {'b': [1, 2], 'a.c': 0.5}, 'D') == [
        f'--config=F:{argument}', '--config.a.c=0.5', '--config.b=(1, 2)', '--workdir=D',
    ]  # fmt: skip
    one = cell_lists.every(vars(module('small_study')), rows=['cutmix'])[0]
    assert cell_lists.argument(vars(module('small_study')), one) == 'row=cutmix,seed=0'


@pytest.mark.parametrize(
    ('chosen', 'message'),
    [
        (dict(rows=['mixmix']), "--rows: 'mixmix' must be one of: baseline, aa"),
        (dict(rows=['faster_aa']), '--rows: faster_aa cannot be run: its authors published'),
        (dict(columns=['vgg']), "--columns: 'vgg' must be one of: wrn28_10, ss26_2x96d"),
    ],
)
def test_cells_that_are_not_there_are_refused(chosen, message):
    with pytest.raises(ValueError, match=message):
        cell_lists.every(vars(module('table3')), **chosen)


def test_a_sweep_s_own_flags_are_not_in_its_config():
    table = vars(module('table3'))
    cell_lists.check_sweep(table, 'scale=small,recipe=released', {'epochs': 1})
    for argument, overrides, flag in (
        ('row=aa', {}, 'rows'),
        ('model=x', {}, 'columns'),
        ('', {'seed': 1}, 'seeds'),
    ):
        with pytest.raises(ValueError, match=f'is chosen by --{flag} in a sweep'):
            cell_lists.check_sweep(table, argument, overrides)
    with pytest.raises(ValueError, match='a sweep needs a table with rows'):
        cell_lists.check_sweep(vars(module('fake')), '', {})


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


def test_listing_and_conclusion():
    table = vars(module('table2'))
    text = show.listing(pathlib.Path('configs/table2.py'), table)
    assert 'ResizeMix  (paper: cost 0, wrn28_10 97.6, ss26_2x96d 97.93)' in text
    assert '--config=configs/table2.py:row=resizemix,model=wrn28_10,seed=0 --workdir=runs/table2_' in text
    assert text.count('cannot be run') == 2
    result = {'row': 'resizemix', 'top1_last': 0.5, 'steps': 3}
    assert show.conclusion(table, result, {}).splitlines() == [
        'top1_last: 50.00 %',
        'the paper, ResizeMix: cost 0, wrn28_10 97.6, ss26_2x96d 97.93',
    ]
    assert 'not comparable: this run is of scale=small' in show.conclusion(
        table, result | {'scale': 'small'}, {}
    )
    assert 'not comparable: this run overrides steps' in show.conclusion(table, result, {'steps': 3})


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
    text = show.listing(pathlib.Path('configs/table6.py'), vars(module('table6')))
    assert '--config=configs/table6.py:row=crop_resize,dataset=cifar10,seed=0' in text


def test_variants_differ_in_the_method_alone():
    table = vars(module('table1'))
    config = module('table1').get_config('row=salient_to_random')
    config.model_args.width, config.mixing_args.tau = 1, (0.2, 0.3)
    config.lock()
    made = dict(common.variants(config, table))
    assert list(made) == [row['title'] for row in table['ROWS']]
    assert made['(7) Cut: salient to random'].mixing_args.tau == (0.2, 0.3)  # its own overrides
    assert made['(1) Baseline'].saliency == '' and made['(1) Baseline'].mixing_args.to_dict() == {}
    assert made['(4) Cut: random to salient'].saliency == 'grad_cam'
    assert {other.model_args.width for other in made.values()} == {1}
    assert common.variants(config, {}) == (('cut_paste', config),)


def test_randaugment_has_the_published_settings_of_each_network():
    cells = (('table2', 'wrn28_10'), ('table2', 'ss26_2x96d'), ('table3', 'wrn28_10'), ('table4', 'resnet50'))
    settings = []
    for table, model in cells:
        args = module(table).get_config(f'row=ra,model={model}').policy_args
        settings.append((args.n, args.m))
    assert settings == [(3, 5), (3, 9), (2, 14), (2, 9)]
    plus = module('table3').get_config('row=resizemix_plus')
    assert (plus.policy_place, plus.batch_augment, plus.policy_args.scale) == ('after_mixing', 2, 'released')
    assert plus.mixing == 'resizemix' and module('table2').get_config('row=aa').mixing == 'cutout'
