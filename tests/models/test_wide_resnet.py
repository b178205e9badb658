import jax
import jax.numpy as jnp
import pytest

from resizemix_jax.models.wide_resnet import wide_resnet


@pytest.mark.slow
def test_the_variants_put_the_stride_where_they_say():
    shapes = {}
    for variant in ('original', 'released'):
        model = wide_resnet(10, depth=10, width=1, variant=variant)
        images = jnp.zeros((1, 32, 32, 3))
        _, state = jax.eval_shape(
            lambda x, m=model: m.init_with_output(
                jax.random.key(0),
                x,
                capture_intermediates=True,
                mutable=['params', 'intermediates', 'batch_stats'],
            ),
            images,
        )
        block = state['intermediates']['backbone']['group2_block1']
        shapes[variant] = block['conv1']['__call__'][0].shape[1:3]
    assert shapes == {'original': (16, 16), 'released': (32, 32)}
