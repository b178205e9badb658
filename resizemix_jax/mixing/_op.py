"""The decorator of every mixing op: checks, NumPy arrays, and the ways in which JAX partitions a batch."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, cast, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import ArrayLike

from resizemix_jax.find import needs
from resizemix_jax.ranges import Whole, shown

Keywords = ParamSpec('Keywords')


class MixingOp(Protocol[Keywords]):
    """What type checkers know of a decorated op: its own keywords, or any beside `num_classes`."""

    @overload
    def __call__(
        self,
        key: Array,
        images: ArrayLike,
        labels: ArrayLike,
        /,
        *args: Keywords.args,
        **keywords: Keywords.kwargs,
    ) -> tuple[Array, Array]: ...

    @overload
    def __call__(
        self, key: Array, images: ArrayLike, labels: ArrayLike, *, num_classes: int, **keywords: Any
    ) -> tuple[Array, Array]: ...


def mixing_op(
    function: Callable[Concatenate[Array, Array, Array, Keywords], tuple[Array, Array]],
) -> MixingOp[Keywords]:
    """Decorates a mixing op, so that its body need not know the context in which it is called.

    - NumPy images and labels become JAX arrays and are checked. With the further keyword
      `num_classes`, integer labels [B] become one-hot rows.
    - Keywords that a config sets become Python values; arrays among them may be NumPy's or JAX's, not traced.
    - Under a mesh with Explicit axes the body runs with Auto axes, since partners are gathered across the
      batch, which the compiler partitions better than the body could. Results are sharded as the arguments.
      Functions of images among the keywords (a teacher) still run with Explicit axes.
    - Inside shard_map all arrays vary over the same mesh axes, so that the branches of a `lax.switch` agree.

    Args:
        function: `(key, images, labels, *, ...) -> (images, labels)`, see the contract of
            `resizemix_jax.mixing`.

    Returns:
        A function of the same signature, with a further keyword `num_classes`.
    """

    @functools.wraps(function)
    def op(key, images, labels, *, num_classes=None, **keywords):
        check_key(key)
        images = jnp.asarray(images)
        check_images(images)
        labels = soft_labels(labels, num_classes)
        check_labels(labels, images)
        provided = needs(function)
        keywords = {k: v if k in provided else _python_value(v) for k, v in keywords.items()}
        arrays = {name: value for name, value in keywords.items() if isinstance(value, jax.Array)}
        others = {name: value for name, value in keywords.items() if name not in arrays}
        mesh, axes = _explicit_axes(images, labels)
        if axes:
            specs = (jax.typeof(array).sharding.spec for array in (images, labels))
            shardings = tuple(jax.sharding.NamedSharding(mesh, spec) for spec in specs)
            others = {name: _with_explicit_axes(value, axes, shardings[0]) for name, value in others.items()}

        def body(*args):
            *args, arrays = vary_together(args)
            return function(*args, **others, **arrays)

        if axes:
            body = jax.sharding.auto_axes(body, axes=axes, out_sharding=shardings)
        return body(key, images, labels, arrays)

    own = inspect.signature(function)
    classes = inspect.Parameter('num_classes', inspect.Parameter.KEYWORD_ONLY, default=None)
    signature = own.replace(parameters=[*own.parameters.values(), classes])
    vars(op)['__signature__'] = signature
    return cast(MixingOp[Keywords], op)


def _explicit_axes(*arrays):
    """The mesh of the first of the arrays that has Explicit axes, and their names; (None, ()) if none has."""
    for array in arrays:
        mesh = jax.typeof(array).sharding.mesh
        kinds = zip(mesh.axis_names, mesh.axis_types, strict=True)
        axes = tuple(name for name, kind in kinds if kind is jax.sharding.AxisType.Explicit)
        if axes:
            return mesh, axes
    return None, ()


def _with_explicit_axes(value, axes, sharding):
    """`value`; a function of images (a teacher) still runs with Explicit axes, as its parameters may."""
    return jax.sharding.explicit_axes(value, axes=axes, in_sharding=sharding) if callable(value) else value


def vary_together(tree):
    """`tree` with all its arrays typed as varying over the mesh axes over which any of them varies.

    shard_map (check_vma=True) requires that a loop's state has the same type before and after an iteration.
    Pass the initial state of a `lax.while_loop` or `lax.fori_loop` through this function, together with the
    arrays that the body reads, if JAX reports that the types differ. Values do not change, and outside
    shard_map nothing does.
    """
    axes = frozenset().union(*(jax.typeof(leaf).manual_axis_type.varying for leaf in jax.tree.leaves(tree)))

    def vary(leaf):
        missing = tuple(sorted(axes - jax.typeof(leaf).manual_axis_type.varying))
        return lax.pcast(leaf, missing, to='varying') if missing else leaf

    return jax.tree.map(vary, tree)


def _python_value(value):
    """A concrete array as Python numbers; anything else as it is."""
    if isinstance(value, jax.core.Tracer) or not isinstance(value, np.ndarray | np.generic | jax.Array):
        return value
    return value.tolist()


def soft_labels(labels, num_classes=None):
    """Labels as a JAX array; integer labels [B] as one-hot rows, float32 [B, num_classes], if that is given.

    Raises:
        ValueError: NumPy labels outside 0..num_classes - 1, or soft labels of another number of classes.
    """
    if num_classes is None:
        return jnp.asarray(labels)
    Whole(1).check(num_classes=num_classes)
    labels = labels if isinstance(labels, jax.Array) else np.asarray(labels)
    if labels.ndim == 1 and jnp.issubdtype(labels.dtype, jnp.integer):
        if isinstance(labels, np.ndarray) and ((labels < 0) | (labels >= num_classes)).any():
            raise ValueError(f'labels must be in 0..{num_classes - 1}; got {labels.min()}..{labels.max()}')
        return jax.nn.one_hot(labels, num_classes, dtype=jnp.float32)
    if labels.shape[1:] != (num_classes,):
        remedy = '; integers [B, 1] are labels[:, 0]' if labels.shape[1:] == (1,) else ''
        raise ValueError(
            f'labels must be integers [B], or soft [B, {num_classes}] as num_classes={num_classes} says; '
            f'got {labels.dtype}{list(labels.shape)}{remedy}'
        )
    return jnp.asarray(labels)


def check_key(key):
    """Raises ValueError for a seed in the place of a key; whether a key fits is what `jax.random` says."""
    if key is not None and not hasattr(key, 'dtype'):
        raise ValueError(f'key={shown(key)} must be a JAX key: jax.random.key(seed)')


def check_images(images):
    """Raises ValueError unless images are float [B, H, W, C]."""
    if images.ndim != 4 or not jnp.issubdtype(images.dtype, jnp.floating):
        raise ValueError(
            f'images must be float [B, H, W, C]; got {images.dtype}{list(images.shape)}. '
            f'{_images_remedy(images)}'
        )
    _, height, width, channels = images.shape
    if height in (1, 3, 4) and channels > 4 and width > height < channels:
        raise ValueError(
            f'images {list(images.shape)} seem to be [B, C, H, W]: as [B, H, W, C] they have {channels} '
            'channels. Transpose them first: jnp.transpose(images, (0, 2, 3, 1))'
        )


def check_labels(labels, images):
    """Raises ValueError unless labels are soft, float32 [B, K], a row an image."""
    if labels.ndim != 2 or labels.dtype != jnp.float32 or labels.shape[0] != images.shape[0]:
        raise ValueError(
            f'labels must be soft, float32 [B, K] with B={images.shape[0]}; '
            f'got {labels.dtype}{list(labels.shape)}. {_labels_remedy(labels, images)}'
        )


def _images_remedy(images):
    if images.ndim == 3:
        return 'Pass the batch, outside any vmap over images: partners come from it'
    return 'Convert uint8 images first, e.g. images.astype(jnp.float32) / 255'


def _labels_remedy(labels, images):
    if labels.ndim == 2 and labels.shape[0] != images.shape[0]:
        return 'Images and labels must be those of one batch'
    if labels.ndim == 2 and labels.shape[1] > 1:
        return 'Convert them with labels.astype(jnp.float32)'
    column = ', here labels[:, 0],' if labels.ndim == 2 else ''
    return (
        'Make them with jax.nn.one_hot(label, num_classes, dtype=jnp.float32), or pass integer labels [B]'
        f'{column} with num_classes=K'
    )
