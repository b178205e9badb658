"""A task on the dataset of `tests.bucketed`: the mean box of an image. Its evaluation needs every row."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

SCORE = 'close'  # the share of the images whose mean box is predicted within a pixel


def boxes(config, dataset, *, splits=('train',)):
    """The task; with two splits the second one's loss counts half."""
    return Boxes(Network(), dataset, tuple(splits))


class Network(nn.Module):
    """The mean over the image of a convolution: 4 numbers."""

    @nn.compact
    def __call__(self, images):
        x = nn.relu(nn.Conv(8, (3, 3))(images.astype(jnp.float32) / 255))
        return nn.Dense(4)(x.mean((1, 2)))


@dataclasses.dataclass(frozen=True)
class Boxes:
    """See `resizemix_jax.tasks`."""

    model: Any
    dataset: Any
    splits: tuple

    score = SCORE
    metric_names = ('loss', 'jitter')

    def init(self, key):
        images = jnp.zeros((1, *self.dataset.image_shape))
        return self.model.init(key, images) | {'more': {'epochs': jnp.zeros(()), 'mean': jnp.zeros(())}}

    def prepare(self, params, batch_stats, batch, key, progress):
        jitter = jax.random.normal(key)
        return jax.tree.map(lambda a: a, batch) | {'jitter': jitter}

    def loss(self, params, batch_stats, examples, key):
        jitter = examples.pop('jitter')
        batches = [examples[name] for name in self.splits] if len(self.splits) > 1 else [examples]
        losses = [self.error(params, batch).mean() for batch in batches]
        loss = sum(part / 2**k for k, part in enumerate(losses))
        return loss * (1 + 0.1 * jitter), (batch_stats, {'loss': loss, 'jitter': jitter})

    def error(self, params, batch):
        predicted = self.model.apply({'params': params}, batch['images'])
        real = jnp.arange(batch['boxes'].shape[1]) < batch['count'][:, None]
        mean = (batch['boxes'] * real[..., None]).sum(1) / jnp.maximum(batch['count'], 1)[:, None]
        return jnp.abs(predicted - mean).max(-1)

    def measure(self, params, batch_stats, batch):
        error = self.error(params, batch)
        sums = {'error': jnp.sum(jnp.where(batch['valid'] > 0, error, 0.0))}
        return sums, {'error': error, 'boxes': batch['boxes']}

    def summarise(self, sums, rows, split):
        # A detector's score needs all rows, in the split's order: here the boxes say which row is which.
        expected = [split.batch([row], None)['boxes'][0] for row in range(split.size)]
        np.testing.assert_array_equal(rows['boxes'], expected)
        np.testing.assert_allclose(rows['error'].mean(), sums['error'] / sums['examples'], rtol=1e-5)
        return {'error': sums['error'] / sums['examples'], 'close': float((rows['error'] < 1).mean())}

    def epoch_end(self, state, sums, key):
        more = state.more
        mean = sums['error'] / sums['examples'] + jax.random.uniform(key)
        return state.replace(more={'epochs': more['epochs'] + 1, 'mean': more['mean'] / 2 + mean})
