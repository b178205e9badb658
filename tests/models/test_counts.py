"""Published parameter counts, which catch a wrong width or shortcut at once, and refused keywords."""

import jax
import jax.numpy as jnp
import pytest

from resizemix_jax.find import find


def count(model, size):
    images = jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
    variables = jax.eval_shape(lambda images: model.init(jax.random.key(0), images), images)
    return sum(leaf.size for leaf in jax.tree.leaves(variables['params']))


@pytest.mark.parametrize(
    ('name', 'num_classes', 'keywords', 'expected'),
    [
        ('wide_resnet', 10, {}, 36_479_194),
        ('wide_resnet', 100, {}, 36_536_884),
        ('wide_resnet', 10, {'variant': 'released'}, 36_489_290),
        ('wide_resnet', 100, {'variant': 'released'}, 36_546_980),
        ('shake_shake', 10, {}, 26_192_906),
        ('shake_shake', 100, {}, 26_227_556),
        ('resnet', 1000, {}, 25_557_032),
        ('resnet', 1000, {'depth': 101}, 44_549_160),
        ('vit', 1000, {}, 22_050_664),
        ('vit', 1000, {'width': 768, 'heads': 12}, 86_567_656),
        ('vit', 1000, {'pool': 'mean'}, 22_050_664 - 2 * 384),  # no class token and no position for it
    ],
)
@pytest.mark.slow
def test_parameter_count(name, num_classes, keywords, expected):
    size = 224 if name == 'vit' else 32
    assert count(find('models', name)(num_classes, **keywords), size) == expected


@pytest.mark.parametrize(
    ('name', 'keywords', 'message'),
    [
        ('wide_resnet', {'depth': 18}, r'depth=18 must be 6 n \+ 4'),
        ('wide_resnet', {'width': 0}, 'width=0 must be >= 1'),
        ('wide_resnet', {'variant': 'lua'}, "variant='lua' must be one of: original, released"),
        ('shake_shake', {'depth': 28}, r'depth=28 must be 6 n \+ 2'),
        ('shake_shake', {'width': 7}, 'width=7 must be even'),
        ('resnet', {'depth': 18}, 'depth=18 must be one of: 14, 26, 50, 101, 152'),
        ('resnet', {'width': 0}, 'width=0 must be >= 1'),
        ('vit', {'patch': 0}, 'patch=0 must be >= 1'),
        ('vit', {'heads': 5}, 'width=384 must be a multiple of heads=5'),
        ('vit', {'dropout': 1.0}, r'dropout=1.0 must be in \[0, 1\)'),
        ('vit', {'pool': 'max'}, "pool='max' must be one of: token, mean"),
    ],
)
def test_bad_sizes_are_refused(name, keywords, message):
    with pytest.raises(ValueError, match=message):
        find('models', name)(10, **keywords)
