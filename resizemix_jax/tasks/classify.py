"""Image classification: augmentation, mixing, network and loss, joined."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from resizemix_jax import keys, metrics
from resizemix_jax.augment import halve
from resizemix_jax.devices import parallel
from resizemix_jax.find import bind, find
from resizemix_jax.input.dataset import Dataset
from resizemix_jax.normalize import denormalize, normalize
from resizemix_jax.saliency import fine_grained
from resizemix_jax.tasks._guide import saliency_pass, static_maps, streams

BATCH_NORMS = ('local', 'global')
PLACES = ('before_crop', 'before_mixing', 'after_mixing')


def classify(config, dataset):
    """The task that `config` describes, for the images of `dataset`.

    Raises:
        ValueError: a name, a keyword or a number of the config that cannot be.
    """
    _check(config)
    make_model = bind('models', config.model, config.model_args)
    model = make_model(
        dataset.num_classes,
        dtype=config.dtype,
        batch_axis=parallel.AXIS if config.batch_norm == 'global' else '',
        remat=config.remat,
    )
    return Classify(
        model=model,
        dataset=dataset,
        augment=bind('augment', config.augment, config.augment_args),
        policy=_policy(config),
        policy_place=config.policy_place,
        batch_augment=config.batch_augment,
        halve_train=halve.METHODS[config.half_train],
        halve_eval=halve.METHODS[config.half_eval],
        mix=_mix(config, dataset),
        saliency=_saliency(config, model, dataset),
        example_loss=metrics.LOSSES[config.loss],
        label_smoothing=config.label_smoothing,
    )


def _check(config):
    for key, known in (
        ('batch_norm', BATCH_NORMS),
        ('dtype', ('float32', 'bfloat16')),
        ('loss', tuple(metrics.LOSSES)),
        ('policy_place', PLACES),
        ('half_train', tuple(halve.METHODS)),
        ('half_eval', halve.WITHOUT_DRAW),
    ):
        if config[key] not in known:
            raise ValueError(f'{key}={config[key]!r} must be one of: {", ".join(known)}')
    if not 0 <= config.label_smoothing < 1:
        raise ValueError(f'label_smoothing={config.label_smoothing} must be in [0, 1)')
    if config.batch_augment > 1 and config.policy_place != 'after_mixing':
        raise ValueError(
            f'batch_augment={config.batch_augment} repeats the policy after the mixing; '
            "set policy_place='after_mixing'"
        )


def _policy(config):
    """(key, images, progress) -> images, whether the policy changes over the training or not."""
    policy = bind('augment', config.policy, config.policy_args)
    if 'progress' in inspect.signature(policy).parameters:
        return lambda key, images, progress: policy(key, images, progress=progress)
    return lambda key, images, progress: policy(key, images)


def _mix(config, dataset):
    """The mixing op; one that takes the pixels' scale as `std` has it from the dataset."""
    mix = bind('mixing', config.mixing, config.mixing_args)
    takes = inspect.signature(mix).parameters
    scale = {'std': dataset.std} if 'std' in takes and 'std' not in config.mixing_args else {}
    return functools.partial(mix, **scale)


def _saliency(config, model, dataset):
    """What makes the maps, or None where the mixing method is to have none."""
    if not config.saliency:
        return None
    if 'saliency' not in inspect.signature(find('mixing', config.mixing)).parameters:
        raise ValueError(
            f'saliency={config.saliency!r}: mixing={config.mixing!r} takes no saliency map; leave it empty'
        )
    method, keywords = config.saliency, dict(config.saliency_args)
    if method in fine_grained.METHODS:
        return static_maps(method, keywords, dataset.mean, dataset.std)
    return saliency_pass(model, method, keywords, layer=config.saliency_layer, mode=config.saliency_mode)


@dataclasses.dataclass(frozen=True)
class Classify:
    """See `resizemix_jax.tasks`; a batch has images uint8 [B, H, W, C] and label int32 [B]."""

    model: Any
    dataset: Dataset
    augment: Callable
    policy: Callable
    policy_place: str
    batch_augment: int
    halve_train: Callable
    halve_eval: Callable
    mix: Callable
    saliency: Callable | None
    example_loss: Callable
    label_smoothing: float

    # The lam-weighted accuracy on the augmented, mixed training images: not comparable with eval_top1.
    metric_names = ('loss', 'mixed_top1')

    def init(self, key):
        images = jnp.zeros((1, *self.dataset.image_shape))
        return self.model.init(key, images, train=False)

    def prepare(self, params, batch_stats, batch, key, progress):
        """Augment, normalise, smooth, mix: images float32 [B, H, W, C] and labels float32 [B, K].

        `progress` is the share of the training that is over, float32 []. With `batch_augment` A, B is A times
        the batch's.
        """
        images = self.view(batch['images'], key, progress)
        labels = jax.nn.one_hot(batch['label'], self.dataset.num_classes, dtype=jnp.float32)
        labels = metrics.smooth(labels, self.label_smoothing)
        maps = self.maps(params, batch_stats, images, batch['label'], key)
        images, labels = self.mix(keys.stream(key, 'mix'), images, labels, **maps)
        after = [self.after(images, keys.at_step(key, i), progress) for i in range(self.batch_augment)]
        return {'images': jnp.concatenate(after), 'labels': jnp.tile(labels, (self.batch_augment, 1))}

    def view(self, images, key, progress):
        """What is mixed: uint8 images augmented, halved and normalised, float32."""
        if self.policy_place == 'before_crop':
            images = self.policy(keys.stream(key, 'policy'), images, progress)
        images = self.augment(keys.stream(key, 'augment'), images)
        if self.policy_place == 'before_mixing':
            images = self.policy(keys.stream(key, 'policy'), images, progress)
        images = self.halve_train(keys.stream(key, 'half'), images)
        return normalize(images, self.dataset.mean, self.dataset.std)

    def after(self, images, key, progress):
        """Mixed images with the policy after them, by way of uint8; unchanged if it stands elsewhere."""
        if self.policy_place != 'after_mixing':
            return images
        stored = denormalize(images, self.dataset.mean, self.dataset.std)
        stored = self.policy(keys.stream(key, 'policy'), stored, progress)
        return normalize(stored, self.dataset.mean, self.dataset.std)

    def maps(self, params, batch_stats, images, label, key):
        """What the mixing is guided by: {'saliency': float32 [B, H, W]}, or {} if by nothing."""
        if not self.saliency:
            return {}
        key = keys.stream(key, 'saliency')
        return {'saliency': self.saliency(params, batch_stats, images, label, key)}

    def loss(self, params, batch_stats, examples, key):
        logits, updated = self.model.apply(
            {'params': params, 'batch_stats': batch_stats},
            examples['images'],
            train=True,
            mutable=['batch_stats'],
            rngs=streams(key),
        )
        loss = jnp.mean(self.example_loss(logits, examples['labels']))
        measured = {'loss': loss, 'mixed_top1': jnp.mean(metrics.label_share(logits, examples['labels']))}
        return loss, (updated['batch_stats'], measured)

    def measure(self, params, batch_stats, batch):
        images = self.halve_eval(None, batch['images'])
        images = normalize(images, self.dataset.mean, self.dataset.std)
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
