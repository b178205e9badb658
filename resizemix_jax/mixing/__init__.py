"""Mixing ops, one method a file: `<method>(key, images, labels, *, ...) -> (images, labels)`.

Shared contract:
    key     typed JAX key; every draw comes from it.
    images  float [B, H, W, C], any size and scale; H and W may differ. Dtype and shape are kept.
    labels  float32 [B, K], soft (a one-hot row is the simplest), of any sum. A mixed row is a weighted mean
            of rows, so equal sums are kept. Integer labels [B] are taken with the further keyword
            `num_classes`, K, that every op has.
    arrays  JAX or NumPy; results are JAX arrays.
    per     'batch': the method's number is drawn once per batch, as its public code does;
            'sample': once per image, with the same marginal law.
    NEEDS   keywords that the trainer provides and a config does not set: 'saliency', 'std', 'teacher'.
    numbers and words among the keywords are Python values, not traced: the compiled code depends on them.
    gradients  jax.grad goes through every op to images and labels, where draws, boxes and masks are
            constants; `supermix` has no gradient, since its search takes as many steps as its data needs.
    errors  ValueError for images or labels of another rank or dtype, for images with the channels first, for
            a seed in the place of the key, and for numbers out of range.

`images[i]` is the target of row i, `images[partner[i]]` its source; `lam` is always the share of the source.

    >>> import jax, jax.numpy as jnp
    >>> from resizemix_jax import resizemix
    >>> images, label = jnp.zeros((4, 32, 32, 3)), jnp.array([0, 1, 2, 1])
    >>> mixed, labels = resizemix(jax.random.key(0), images, label, num_classes=3)
    >>> mixed.shape, labels.shape, labels.sum(axis=-1).tolist()
    ((4, 32, 32, 3), (4, 3), [1.0, 1.0, 1.0, 1.0])

Ops are pure, and right outside jit, under jit, vmap, pmap and shard_map, and under meshes with Auto and with
Explicit axes. Inside pmap and shard_map, partners are on the same device. The decorator `_op.mixing_op`, on
every op, does most of that; a loop whose first state is a constant also needs `_op.vary_together`.
"""
