"""Image classification with a consistency loss over several views of an image: AugMix's training."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from resizemix_jax import keys, metrics
from resizemix_jax.ranges import NOT_NEGATIVE, Whole
from resizemix_jax.tasks._guide import streams
from resizemix_jax.tasks.classify import Classify, View, classify

SCORE, SCORE_TITLE = Classify.score, 'top-1'


def consistency(config, dataset, *, views=2, weight=12.0):
    """The task that `config` describes, with a consistency loss.

    Law:
        images  every image cropped and flipped once, and of that `views` views by the policy, each with its
                own draws; 1 + `views` images go through the network as one batch.
        loss    the config's, on the image without the policy, plus `weight` times the mean over the batch of
                the Jensen-Shannon divergence between the predictions for all 1 + `views`
                (`metrics.jensen_shannon`).

    Source: arXiv:1912.02781, eq. 2; google-research/augmix, cifar.py: 2 views, weight 12. A step costs about
    1 + `views` times one of `classify`; evaluation is the same.

    Args:
        config: of the run; policy_place must be 'before_mixing', and nothing may be mixed.
        dataset: `data.dataset.Dataset`.
        views: 1 to 64.
        weight: >= 0.

    Raises:
        ValueError: as `classify`, or a config that does not fit these views.
    """
    Whole(1, 64).check('task_args.', views=views)
    NOT_NEGATIVE.check('task_args.', weight=weight)
    for key, value in (('policy_place', 'before_mixing'), ('mixing', 'none'), ('batch_augment', 1)):
        if config[key] != value:
            raise ValueError(
                f"{key}={config[key]!r} does not fit task='consistency', whose views are of one image, "
                f'after its crop; set {key}={value!r}'
            )
    if config.policy == 'none':
        raise ValueError("task='consistency' makes its views by a policy; set policy, e.g. policy='augmix'")
    return Consistency(**vars(classify(config, dataset)), views=views, weight=weight)


@dataclasses.dataclass(frozen=True)
class Consistency(Classify):
    """See `consistency`."""

    views: int
    weight: float

    metric_names: ClassVar[tuple[str, ...]] = (*Classify.metric_names, 'divergence')

    def prepare(self, params, batch_stats, batch, key, progress):
        """Images float32 [B, 1 + views, H, W, C], the first without the policy, and labels [B, K]."""
        augment, policy, *rest = self.view.stages
        cropped = View((augment,))(batch['images'], key, progress)
        key_policy = keys.stream(key, policy.stream)
        views = [cropped]
        views += [policy.apply(keys.at_step(key_policy, i), cropped, progress) for i in range(self.views)]
        # One key for all of them: where a half is cut out, it is the same half.
        images = jnp.stack([View(tuple(rest))(view, key, progress) for view in views], axis=1)
        labels = jax.nn.one_hot(batch['label'], self.dataset.num_classes, dtype=jnp.float32)
        return {'images': images, 'labels': metrics.smooth(labels, self.label_smoothing)}

    def loss(self, params, batch_stats, examples, key):
        images, labels = examples['images'], examples['labels']
        logits, updated = self.model.apply(
            {'params': params, 'batch_stats': batch_stats},
            images.reshape(-1, *images.shape[2:]),
            train=True,
            mutable=['batch_stats'],
            rngs=streams(self.model, key),
        )
        logits = logits.reshape(*images.shape[:2], -1)
        plain = logits[:, 0]
        divergence = jnp.mean(metrics.jensen_shannon(logits))
        loss = jnp.mean(self.example_loss(plain, labels)) + self.weight * divergence
        measured = {
            'loss': loss,
            'mixed_top1': jnp.mean(metrics.label_share(plain, labels)),
            'divergence': divergence,
        }
        return loss, (updated.get('batch_stats', {}), measured)
