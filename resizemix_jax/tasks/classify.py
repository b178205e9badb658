"""Image classification: augmentation, mixing, network and loss, joined."""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from resizemix_jax import keys, metrics
from resizemix_jax.devices import parallel
from resizemix_jax.find import bind, find, needs
from resizemix_jax.input.dataset import Dataset
from resizemix_jax.normalize import denormalize, normalize
from resizemix_jax.pictures.pairs import mix_pairs
from resizemix_jax.ranges import Choice, Number, Whole
from resizemix_jax.tasks._guide import heat_maps, saliency_maps, streams

SCORE, SCORE_TITLE = 'top1', 'top-1'
# Of the config's keys that this task reads.
RANGES = {
    'batch_norm': Choice('local', 'global'),
    'dtype': Choice('float32', 'bfloat16'),
    'loss': Choice(*metrics.LOSSES),
    'policy_place': Choice('before_crop', 'before_mixing', 'after_mixing'),
    'batch_augment': Whole(1, 64),
    'half_train': Choice('full', 'random_crop', 'center_crop', 'resize'),
    'half_eval': Choice('full', 'center_crop', 'resize'),  # evaluation draws nothing
    'label_smoothing': Number(0, 1, '[)'),
}


def classify(config, dataset):
    """The task that `config` describes, for the images of `dataset`.

    Raises:
        ValueError: an unknown name or keyword, or a value out of range.
    """
    _check(config)
    if any(bucket['label'][0] for bucket in dataset.buckets):
        raise ValueError(
            f'dataset={config.dataset!r} has several labels an image, and task={config.task!r} needs one; '
            "for its boxes take task='detect_ssd'"
        )
    if dataset.num_classes < 2:
        raise ValueError(
            f'dataset={config.dataset!r} has {dataset.num_classes} class; at least 2 are needed to classify'
        )
    model = bind(
        'models',
        config.model,
        config.model_args,
        dtype=config.dtype,
        batch_axis=parallel.AXIS if config.batch_norm == 'global' else '',
        remat=config.remat,
    )(dataset.num_classes)
    view, after = _views(config, dataset)
    return Classify(
        model=model,
        dataset=dataset,
        view=view,
        after=after,
        batch_augment=config.batch_augment,
        halve_eval=bind('augment', 'halve', {'method': config.half_eval}),
        mix=bind('mixing', config.mixing, config.mixing_args, std=dataset.std, saliency=None, teacher=None),
        saliency=_saliency(config, model, dataset),
        example_loss=metrics.LOSSES[config.loss],
        label_smoothing=config.label_smoothing,
    )


def _check(config):
    for key, allowed in RANGES.items():
        allowed.check(**{key: config[key]})
    if config.batch_augment > 1 and config.policy_place != 'after_mixing':
        raise ValueError(
            f'batch_augment={config.batch_augment} repeats the policy after the mixing; '
            "set policy_place='after_mixing'"
        )


class Stage(NamedTuple):
    """A step of a view: `apply(key, images, progress)` -> images, with the key stream named `stream`."""

    stream: str
    apply: Callable


@dataclasses.dataclass(frozen=True)
class View:
    """What happens to a batch of images, one stage after the other; called with (images, key, progress)."""

    stages: tuple

    def __call__(self, images, key, progress):
        for stage in self.stages:
            images = stage.apply(keys.stream(key, stage.stream), images, progress)
        return images


def _views(config, dataset):
    """The view before the mixing, from uint8 to normalised images, and the one after it."""
    to_float = Stage('normalize', lambda key, images, progress: normalize(images, dataset.mean, dataset.std))
    to_uint8 = Stage(
        'denormalize', lambda key, images, progress: denormalize(images, dataset.mean, dataset.std)
    )
    augment = _augmentation('augment', config.augment, config.augment_args)
    policy = _augmentation('policy', config.policy, config.policy_args)
    half = _augmentation('half', 'halve', {'method': config.half_train})
    before = {
        'before_crop': (policy, augment, half, to_float),
        'before_mixing': (augment, policy, half, to_float),
        'after_mixing': (augment, half, to_float),
    }[config.policy_place]
    # Policies are defined on uint8 images.
    after = (to_uint8, policy, to_float) if config.policy_place == 'after_mixing' else ()
    return View(before), View(after)


def _augmentation(stream, name, values):
    augment = bind('augment', name, values, progress=0.0)
    if 'progress' in needs(find('augment', name)):
        return Stage(stream, lambda key, images, progress: augment(key, images, progress=progress))
    return Stage(stream, lambda key, images, progress: augment(key, images))


def _saliency(config, model, dataset):
    """The function that makes the saliency maps, or None where the config names none."""
    if not config.saliency:
        return None
    if 'saliency' not in needs(find('mixing', config.mixing)):
        raise ValueError(
            f'saliency={config.saliency!r}: mixing={config.mixing!r} takes no saliency map; leave it empty'
        )
    return saliency_maps(
        config.saliency, config.saliency_args, model, dataset,
        layer=config.saliency_layer, mode=config.saliency_mode,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Classify:
    """See `resizemix_jax.tasks`; a batch has images uint8 [B, H, W, C] and label int32 [B].

    Attributes:
        model: a Linen module.
        dataset: `input.dataset.Dataset`.
        view, after: of the images, before and after the mixing.
        batch_augment: number of times that `after` is applied to the mixed batch, with draws of its own.
        halve_eval: (key, images) -> images, in evaluation.
        mix: a mixing op with its keywords bound.
        saliency: see `_guide.saliency_maps`, or None.
        example_loss: (logits, labels) -> float32 [B].
        label_smoothing: in [0, 1).
    """

    model: Any
    dataset: Dataset
    view: View
    after: View
    batch_augment: int
    halve_eval: Callable
    mix: Callable
    saliency: Callable | None
    example_loss: Callable
    label_smoothing: float

    score = SCORE
    splits = ('train',)
    # The lam-weighted accuracy on the augmented, mixed training images: not comparable with the evaluation's.
    metric_names: ClassVar[tuple[str, ...]] = ('loss', 'mixed_top1')

    def init(self, key):
        images = jnp.zeros((1, *self.dataset.image_shape))
        return self.model.init(key, images, train=False)

    def prepare(self, params, batch_stats, batch, key, progress):
        """Augments, normalises, smooths and mixes: images float32 [B, H, W, C] and labels float32 [B, K].

        With `batch_augment` A, B is A times that of the batch.
        """
        images = self.view(batch['images'], key, progress)
        labels = jax.nn.one_hot(batch['label'], self.dataset.num_classes, dtype=jnp.float32)
        labels = metrics.smooth(labels, self.label_smoothing)
        maps = self.maps(params, batch_stats, images, batch['label'], key)
        images, labels = self.mix(keys.stream(key, 'mix'), images, labels, **maps)
        after = [self.after(images, keys.at_step(key, i), progress) for i in range(self.batch_augment)]
        return {'images': jnp.concatenate(after), 'labels': jnp.tile(labels, (self.batch_augment, 1))}

    def maps(self, params, batch_stats, images, label, key):
        """The maps that guide the mixing: {'saliency': float32 [B, H, W]}, or {} without."""
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
            rngs=streams(self.model, key),
        )
        loss = jnp.mean(self.example_loss(logits, examples['labels']))
        measured = {'loss': loss, 'mixed_top1': jnp.mean(metrics.label_share(logits, examples['labels']))}
        return loss, (updated.get('batch_stats', {}), measured)

    def logits(self, params, batch_stats, images):
        """Of images uint8 [B, H, W, C], as evaluation runs the network: float32 [B, K]."""
        images = self.halve_eval(None, images)
        images = normalize(images, self.dataset.mean, self.dataset.std)
        return self.model.apply({'params': params, 'batch_stats': batch_stats}, images, train=False)

    def predict(self, params, batch_stats, images):
        """The probabilities of the classes, softmax of the logits: images uint8 [B, H, W, C] -> [B, K]."""
        return jax.nn.softmax(self.logits(params, batch_stats, images))

    def gradient(self, params, batch_stats, images, label):
        """The gradient of the cross-entropy by the images as numbers in [0, 1], float32 [B, H, W, C]."""
        labels = jax.nn.one_hot(label, self.dataset.num_classes, dtype=jnp.float32)

        def loss(shares):
            images = normalize(255 * shares, self.dataset.mean, self.dataset.std)
            logits = self.model.apply({'params': params, 'batch_stats': batch_stats}, images, train=False)
            return jnp.sum(metrics.softmax_cross_entropy(logits, labels))

        return jax.grad(loss)(images.astype(jnp.float32) / 255)

    def measure(self, params, batch_stats, batch):
        logits = self.logits(params, batch_stats, batch['images'])
        labels = jax.nn.one_hot(batch['label'], self.dataset.num_classes, dtype=jnp.float32)
        values = {
            'loss': metrics.softmax_cross_entropy(logits, labels),
            'top1': metrics.in_top(logits, batch['label'], 1),
            'top5': metrics.in_top(logits, batch['label'], 5),
        }
        # A select, not a product: an example that fills up the batch may be NaN and still must not count.
        return {k: jnp.sum(jnp.where(batch['valid'] > 0, v, 0.0)) for k, v in values.items()}, {}

    def summarise(self, sums, rows, split):
        del rows, split
        return {name: float(sums[name] / sums['examples']) for name in ('loss', 'top1', 'top5')}

    def draw(self, state, pairs, seed):
        """Every pair mixed: normalised images float32 [P, h, w, C], and the sources' label weights [P]."""
        return mix_pairs(self, pairs, state, seed)

    def heat(self, state, kind, images, label):
        """Heat maps of the evidence for a class, as evaluation runs the network.

        Args:
            state: has params and batch_stats.
            kind: a method of `saliency.class_maps`.
            images: float32 [B, H, W, C], normalised.
            label: int32 [B], the class.

        Returns:
            float32 [B, H, W], and the probability that the network gives the class, float32 [B].
        """
        return heat_maps(self.model, state, kind, images, label)
