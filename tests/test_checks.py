"""What a plan refuses of the dataset, the network and their sizes; the rest is seen in `test_train`."""

import pytest

from resizemix_jax import build
from resizemix_jax.errors import ConfigError, DataError
from tests import tiny


def refused(message, **values):
    with pytest.raises(ConfigError, match=message):
        build.plan(tiny.config(**values))


def data(**values):
    return {'dataset_args': dict(image_shape=(8, 8, 1), num_classes=4, train_size=67, eval_size=37) | values}


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (data(num_classes=1), "dataset='fake' has 1 class; at least 2 are needed to classify"),
        (data(eval_size=0), 'eval_size=0 must be >= 1'),
        (
            data(image_shape=(8.5, 8, 3)),
            r'image_shape=\(8.5, 8, 3\) must be a tuple of 3 values, each a whole',
        ),
        (data(image_shape=(100_000, 100_000, 3)), 'each a whole number from 1 to 65536'),
        (data(train_size=10**10), 'train_size=10000000000 must be from 1 to 2147483647'),
        (
            data(train_size=2**31 - 1, image_shape=(256, 256, 3)),
            "dataset='fake' is read into memory and needs",
        ),
        (
            dict(eval_batch_size=2**20, **data(image_shape=(1024, 1024, 3))),
            r'eval_batch_size=1048576: each dev',
        ),
        (tiny.WIDE | {'model_args__width': 10**6}, 'width=1000000 must be from 1 to 1024'),
        (tiny.WIDE | {'model_args__depth': 10**6}, 'depth=1000000 must be from 10 to 400'),
        (
            tiny.WIDE | {'model_args__width': 1000, 'model_args__depth': 28},
            r"model='wide_resnet' with model_args=.* needs at least .*e\+1\d bytes",
        ),
        (
            tiny.WIDE | {'model_args__dropout': float('nan')},
            r'dropout=nan must be a finite number in \[0, 1\)',
        ),
        (tiny.WIDE | {'model_args__dropout': 1.0}, r'dropout=1.0 must be in \[0, 1\)'),
        ({'augment_args__padding': 100}, 'padding=100 must be from 0 to 8'),
        (
            {'half_train': 'resize', **data(image_shape=(1, 1, 1)), 'augment': 'none'},
            '1 x 1 pixels cannot be',
        ),
        ({'mixing_args__tau': ('a', 'b')}, r"tau=\('a', 'b'\) must be \(low, high\)"),
        # Refused as soon as the config is resolved, and not after the data is read.
        ({'schedule_args__lr': float('inf')}, 'schedule_args.lr=inf must be a finite number > 0'),
        ({'schedule_args__final_lr': float('nan')}, 'schedule_args.final_lr=nan must be a finite number'),
        ({'schedule_args__warmup_lr': -5.0}, 'schedule_args.warmup_lr=-5.0 must be >= 0'),
        ({'optimizer_args__weight_decay': float('inf')}, 'optimizer_args.weight_decay=inf must be a finite'),
        # Of another mode, and still no nonsense.
        ({'generate_args__k': -1}, 'generate_args: k=-1 must be from 2 to 64'),
        ({'generate_args__leftover': float('nan')}, 'generate_args: leftover=nan must be a finite number'),
    ],
)
def test_an_invalid_value_is_refused_when_the_config_is_resolved(values, message):
    refused(message, **values)


@pytest.mark.parametrize('std', [(0.0,), (float('nan'),), ()])
def test_a_dataset_s_standard_deviations_must_be_positive(std):
    plan = build.plan(tiny.config())
    damaged = plan.dataset._replace(std=std)
    with pytest.raises(ValueError, match="dataset='fake': std=.* must be a tuple of 1 values, each .* > 0"):
        build.checks.dataset(plan.config, damaged, 1)


@pytest.mark.parametrize('sizes', [{'eval': 0}, {'train': 0}])
@pytest.mark.slow
def test_an_empty_split_is_told(sizes):
    plan = build.plan(tiny.config())
    empty = plan.dataset._replace(sizes=plan.dataset.sizes | sizes)
    with pytest.raises(ValueError, match=f"dataset='fake': examples of {min(sizes)}=0 must be >= 1"):
        build.checks.dataset(plan.config, empty, 1)


@pytest.mark.slow
def test_pictures_that_could_not_be_drawn_are_told_at_the_start():
    config = tiny.config(gallery_every=2, batch_size=1, **data(train_size=1))
    with pytest.raises(DataError, match='two images of different classes are needed'):
        build.open_run(build.plan(config))


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        ({'half_train': 'resize'}, "on those of half_train='resize': .*Set half_train to 'full', or use"),
        (
            {'half_eval': 'center_crop'},
            "half_eval='center_crop': .*Set half_eval to 'full', or use a network",
        ),
        (
            {'half_train': 'random_crop', 'half_eval': 'resize'},
            "half_train='random_crop' and half_eval='resize': .*Set half_train and half_eval to 'full'",
        ),
        ({'model_args__broken': True}, 'on them: .*Correct its module'),
    ],
)
def test_a_network_that_cannot_be_run_on_the_images_it_is_shown_is_told(values, words):
    size = "^model='tests.flat', initialised for images of 8 x 8 pixels, cannot be run "
    refused(f'{size}.*{words}', model='tests.flat', **values)


@pytest.mark.slow
def test_a_network_for_one_size_trains_at_it():
    build.plan(tiny.config(model='tests.flat'))
