"""The maps that guide mixing: by an extra pass over the network, or computed from the image alone."""

import functools

import jax
import jax.numpy as jnp

from resizemix_jax import keys
from resizemix_jax.find import check_keywords
from resizemix_jax.normalize import denormalize
from resizemix_jax.ranges import Choice
from resizemix_jax.saliency import class_maps, fine_grained

MODES = ('train', 'eval')


def saliency_maps(method, keywords, model, dataset, *, layer, mode):
    """The maps `method`, of either kind: see `saliency_pass` and `static_maps`."""
    if method in fine_grained.METHODS:
        return static_maps(method, dict(keywords), dataset.mean, dataset.std)
    return saliency_pass(model, method, dict(keywords), layer=layer, mode=mode)


def heat_maps(model, state, kind, images, label):
    """The maps `kind` of the class `label` int32 [B], in evaluation mode, float32 [B, H, W], and the class's
    probability, float32 [B]; `state` has params and batch_stats."""
    maps = saliency_pass(model, kind, {'target': 'label'}, mode='eval')
    heat = maps(state.params, state.batch_stats, images, label, jax.random.key(0))
    variables = {'params': state.params, 'batch_stats': state.batch_stats}
    probability = jax.nn.softmax(model.apply(variables, images, train=False))
    return heat, jnp.take_along_axis(probability, label[:, None], axis=-1)[:, 0]


def saliency_pass(model, method, keywords, *, layer=0, mode='train'):
    """Binds a map of `resizemix_jax.saliency.class_maps` to a network.

    Args:
        model: a Linen module with the methods `features` and `head`.
        method: a name of `class_maps.METHODS`.
        keywords: of that function.
        layer: the group of blocks whose output is used, from 1; 0 is the last. A map of the images themselves
            has none: then it must be 0.
        mode: 'train', BatchNorm's statistics of the batch and dropout, as in the step and in what is left
            of the released code, or 'eval'. Neither moves the running statistics (the released one did).

    Returns:
        (params, batch_stats, images, label, key) -> float32 [B, H, W], for images float [B, H, W, C] and
        label int32 [B].

    Raises:
        ValueError: an unknown name or keyword, or a network without these two methods.
    """
    if method not in class_maps.METHODS:
        known = *class_maps.METHODS, *fine_grained.METHODS
        raise ValueError(f'saliency={method!r} must be one of: {", ".join(known)}')
    Choice(*MODES).check(saliency_mode=mode)
    check_keywords(class_maps.METHODS[method], keywords)
    if method in class_maps.OF_IMAGES:
        if layer:
            raise ValueError(f'saliency_layer={layer}: {method!r} is a map of the images; leave it 0')
    elif not (hasattr(model, 'features') and hasattr(model, 'head')):
        raise ValueError(
            f'saliency={method!r} needs a network with the methods features and head; '
            f'{type(model).__name__} lacks one of them. See resizemix_jax/models'
        )
    return _jitted(model, method, tuple(sorted(keywords.items())), layer, mode)


@functools.lru_cache  # tasks that differ elsewhere share the pass, and with it its compilation
def _jitted(model, method, keywords, layer, mode):
    heat_of = functools.partial(class_maps.METHODS[method], **dict(keywords))

    def maps(params, batch_stats, images, label, key):
        def run(inputs, **part):
            out = model.apply(
                {'params': params, 'batch_stats': batch_stats},
                inputs,
                train=mode == 'train',
                mutable=['batch_stats'],
                rngs=streams(model, key),
                **part,
            )
            return out[0]  # without the updated statistics

        if method in class_maps.OF_IMAGES:
            return heat_of(run, images, label)
        features = run(images, method='features', layer=layer)
        heat = heat_of(functools.partial(run, method='head', layer=layer), features, label)
        return class_maps.upsample(heat, *images.shape[1:3])

    return jax.jit(maps)


def static_maps(method, keywords, mean, std):
    """Binds a map of `resizemix_jax.saliency.fine_grained`, with the signature of `saliency_pass`.

    Args:
        method: a name of `fine_grained.METHODS`.
        keywords: of that function.
        mean, std: of the normalised images, which are taken back to uint8 first.
    """
    function = fine_grained.METHODS[method]
    check_keywords(function, keywords)

    def maps(params, batch_stats, images, label, key):
        return function(denormalize(images, mean, std), **keywords)

    return jax.jit(maps)


def streams(model, key):
    """The keys that a network draws from, by the names that it declares."""
    return {name: keys.stream(key, name) for name in getattr(model, 'streams', ())}
