"""Image classification: augmentation, mixing, network and loss, joined."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from resizemix_jax import keys, metrics, parallel
from resizemix_jax.augment.normalize import normalize
from resizemix_jax.data.dataset import Dataset
from resizemix_jax.find import check_keywords, find

BATCH_NORMS = ('local', 'global')


def classify(config, dataset):
    """The task that `config` describes, for the images of `dataset`.

    Raises:
        ValueError: a name, a keyword or a number of the config that cannot be.
    """
    if config.batch_norm not in BATCH_NORMS:
        raise ValueError(f'batch_norm={config.batch_norm!r} must be one of: {", ".join(BATCH_NORMS)}')
    if config.dtype not in ('float32', 'bfloat16'):
        raise ValueError(f"dtype={config.dtype!r} must be 'float32' or 'bfloat16'")
    if config.loss not in metrics.LOSSES:
        raise ValueError(f'loss={config.loss!r} must be one of: {", ".join(metrics.LOSSES)}')
    if not 0 <= config.label_smoothing < 1:
        raise ValueError(f'label_smoothing={config.label_smoothing} must be in [0, 1)')
    make_model = _bind('models', config.model, config.model_args)
    return Classify(
        model=make_model(
            dataset.num_classes,
            dtype=config.dtype,
            batch_axis=parallel.AXIS if config.batch_norm == 'global' else '',
        ),
        dataset=dataset,
        augment=_bind('augment', config.augment, config.augment_args),
        mix=_bind('mixing', config.mixing, config.mixing_args),
        example_loss=metrics.LOSSES[config.loss],
        label_smoothing=config.label_smoothing,
    )


def _bind(family, name, keywords):
    function = find(family, name)
    keywords = dict(keywords)
    check_keywords(function, keywords)
    return functools.partial(function, **keywords)


@dataclasses.dataclass(frozen=True)
class Classify:
    """See `resizemix_jax.tasks`; a batch has images uint8 [B, H, W, C] and label int32 [B]."""

    model: Any
    dataset: Dataset
    augment: Callable
    mix: Callable
    example_loss: Callable
    label_smoothing: float

    # The lam-weighted accuracy on the augmented, mixed training images: not comparable with eval_top1.
    metric_names = ('loss', 'mixed_top1')

    def init(self, key):
        images = jnp.zeros((1, *self.dataset.image_shape))
        return self.model.init(key, images, train=False)

    def prepare(self, batch, key):
        """Augment, normalise, smooth, mix: images float32 [B, H, W, C] and labels float32 [B, K]."""
        images = self.augment(keys.stream(key, 'augment'), batch['images'])
        images = normalize(images, self.dataset.mean, self.dataset.std)
        labels = jax.nn.one_hot(batch['label'], self.dataset.num_classes, dtype=jnp.float32)
        labels = metrics.smooth(labels, self.label_smoothing)
        images, labels = self.mix(keys.stream(key, 'mix'), images, labels)
        return {'images': images, 'labels': labels}

    def loss(self, params, batch_stats, examples, key):
        logits, updated = self.model.apply(
            {'params': params, 'batch_stats': batch_stats},
            examples['images'],
            train=True,
            mutable=['batch_stats'],
            rngs={name: keys.stream(key, name) for name in ('dropout', 'shake')},
        )
        loss = jnp.mean(self.example_loss(logits, examples['labels']))
        measured = {
            'loss': loss,
            'mixed_top1': jnp.mean(metrics.label_share(logits, examples['labels'])),
        }
        return loss, (updated['batch_stats'], measured)

    def measure(self, params, batch_stats, batch):
        images = normalize(batch['images'], self.dataset.mean, self.dataset.std)
        variables = {'params': params, 'batch_stats': batch_stats}
        logits = self.model.apply(variables, images, train=False)
        labels = jax.nn.one_hot(batch['label'], self.dataset.num_classes, dtype=jnp.float32)
        values = {
            'loss': metrics.softmax_cross_entropy(logits, labels),
            'top1': metrics.in_top(logits, batch['label'], 1),
            'top5': metrics.in_top(logits, batch['label'], 5),
            'examples': jnp.ones_like(batch['valid']),
        }
        # A select, not a product: a filled-up example may be NaN and still must not count.
        return {k: jnp.sum(jnp.where(batch['valid'] > 0, v, 0.0)) for k, v in values.items()}

    def summarise(self, sums):
        count = sums['examples']
        return {
            'examples': int(count),
            **{name: float(sums[name] / count) for name in ('loss', 'top1', 'top5')},
        }
