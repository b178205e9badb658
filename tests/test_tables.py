"""The argument of a config, its overrides, and the methods of a table's rows."""

import pytest

from resizemix_jax import tables as common
from tests.configs.tables import module


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


def test_what_names_a_run_is_not_overridden():
    common.check_overrides({'seed': 1, 'optimizer.lr': 0.2})
    with pytest.raises(ValueError, match='--config=FILE:recipe=released'):
        common.check_overrides({'recipe': 'released'})


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
