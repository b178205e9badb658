import pytest

from resizemix_jax import build, recipes, small_scale
from resizemix_jax import config as configs
from tests.configs.tables import TABLES


@pytest.mark.slow
def test_the_small_scale_is_a_small_network_on_the_embedded_data():
    config = TABLES['table4'].get_config('row=resizemix,model=resnet101,scale=small')
    assert (config.model, config.model_args.depth, config.model_args.width) == ('resnet', 14, 16)
    assert build.plan(config).dataset.image_shape == (64, 64, 1)
    config = TABLES['table3'].get_config('row=resizemix,model=ss26_2x96d,scale=small')
    assert (config.dataset, config.augment, config.schedule_args.lr) == (
        'fashion_mnist_10k',
        'crop_flip',
        0.1,
    )
    assert (config.model_args.depth, config.model_args.width) == (10, 1)
    assert build.open_run(build.plan(config)).steps == 6 * 312
    for length, small in ((16, 14), (8, 7)):
        config = configs.complete(configs.assign(configs.base(), recipes.cutout(length)))
        small_scale.fit_small(config)
        assert config.mixing_args.length == small  # the same share of 28 pixels as of 32
