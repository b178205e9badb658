"""The frame of a mixing op: it checks the arguments, takes NumPy arrays, and adapts to how JAX partitions."""

import functools

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import AxisType


def mixing_op(function):
    """Decorates a mixing op, so that its body can ignore in which context it is called.

    - NumPy images and labels become JAX arrays and are checked (`check_batch`).
    - Under a mesh with Explicit axes the body runs with Auto axes, since partners are gathered across the
      batch, which the compiler partitions better than the body could. Results are sharded as the arguments.
      Functions of images among the keywords (a teacher) still run with Explicit axes.
    - Inside shard_map all arrays vary over the same mesh axes, so that the branches of a `lax.switch` agree.

    Args:
        function: `(key, images, labels, *, ...) -> (images, labels)`, see the contract of
            `resizemix_jax.mixing`.

    Returns:
        A function of the same signature.
    """

    @functools.wraps(function)
    def op(key, images, labels, **keywords):
        images, labels = jnp.asarray(images), jnp.asarray(labels)
        check_batch(images, labels)
        arrays = {name: value for name, value in keywords.items() if isinstance(value, jax.Array)}
        others = {name: value for name, value in keywords.items() if name not in arrays}
        shardings = jax.typeof(images).sharding, jax.typeof(labels).sharding
        explicit = any(AxisType.Explicit in sharding.mesh.axis_types for sharding in shardings)
        if explicit:
            others = {name: _explicit(value, shardings[0]) for name, value in others.items()}

        def body(*args):
            *args, arrays = vary_together(args)
            return function(*args, **others, **arrays)

        if explicit:
            body = jax.sharding.auto_axes(body, out_sharding=shardings)
        return body(key, images, labels, arrays)

    return op


def _explicit(value, sharding):
    """`value`; a function of images (a teacher) is called with Explicit axes, as its parameters may have."""
    return jax.sharding.explicit_axes(value, in_sharding=sharding) if callable(value) else value


def vary_together(tree):
    """`tree` with all its arrays typed as varying over the mesh axes over which any of them varies.

    shard_map (check_vma=True) wants equal types before and after an iteration, and of all branches. Values do
    not change; outside shard_map nothing does.
    """
    axes = frozenset().union(*(jax.typeof(leaf).manual_axis_type.varying for leaf in jax.tree.leaves(tree)))

    def vary(leaf):
        missing = tuple(sorted(axes - jax.typeof(leaf).manual_axis_type.varying))
        return lax.pcast(leaf, missing, to='varying') if missing else leaf

    return jax.tree.map(vary, tree)


def check_batch(images, labels):
    """Raises ValueError unless images are float [B, H, W, C] and labels float32 [B, K]."""
    if images.ndim != 4 or not jnp.issubdtype(images.dtype, jnp.floating):
        raise ValueError(
            f'images must be float [B, H, W, C]; got {images.dtype}{list(images.shape)}. '
            'Convert uint8 images first, e.g. images.astype(jnp.float32) / 255'
        )
    if labels.ndim != 2 or labels.dtype != jnp.float32 or labels.shape[0] != images.shape[0]:
        raise ValueError(
            f'labels must be soft, float32 [B, K] with B={images.shape[0]}; '
            f'got {labels.dtype}{list(labels.shape)}. '
            'Make them with jax.nn.one_hot(label, num_classes, dtype=jnp.float32)'
        )
