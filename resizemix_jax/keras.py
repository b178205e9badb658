"""The mixing ops as a layer of Keras 3, on its JAX backend. Nothing else of the package imports keras."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from resizemix_jax import errors, find
from resizemix_jax.ranges import shown

JAX_BACKEND = (
    "before keras is imported, set os.environ['KERAS_BACKEND'] = 'jax', or KERAS_BACKEND=jax in the shell"
)

try:
    import keras
except ModuleNotFoundError as error:
    remedy = errors.not_installed(error) if error.name == 'keras' else f'{error}: {JAX_BACKEND}'
    raise ModuleNotFoundError(remedy, name=error.name) from error


@keras.saving.register_keras_serializable(package='resizemix_jax')
class Mixing(keras.layers.Layer):
    """A mixing op as a layer, which is called as `keras.layers.CutMix` and `MixUp` are.

        mixing = Mixing('resizemix', per='sample', num_classes=10, seed=0)
        images, labels = mixing((images, labels))
        mixed = mixing({'images': images, 'labels': labels})  # a dict of the same keys

    Takes images [B, H, W, C] of any number type, and labels: soft [B, K], or with `num_classes` integers [B]
    or [B, 1]. Returns images in the layer's compute dtype, of the same scale, and labels float32 [B, K], also
    under a bfloat16 policy. A dict may have a third entry, 'saliency', for an op that takes it; it is not
    returned.

    With training=False, as in `evaluate` and `predict`, nothing is mixed and nothing drawn; the results have
    the same types. Keys come from a `keras.random.SeedGenerator`, so each step of a compiled `fit` makes new
    draws.
    Keras does not save its state: a loaded model draws from the seed's beginning, as with `Dropout`.
    Outside of a compiled function the op is compiled by itself.

    Args:
        op: name of a mixing op, such as 'resizemix'; or 'my_code.gridmix' (see `resizemix_jax.find`); or a
            function (key, images, labels, *, ...) -> (images, labels). To save a model that has a function of
            your own, register it with `keras.saving.register_keras_serializable`.
        num_classes: number of classes K, for integer labels.
        seed: int, or None for a random one.
        data_format: 'channels_last'; None is `keras.config.image_data_format()`.
        name, dtype: of every layer.
        **keywords: the op's own, such as per='sample'.

    Raises:
        ValueError: another backend than JAX, another data format, no such op, a keyword that it does not
            take; in a call, data of another form, or what the op refuses.
    """

    def __init__(
        self,
        op: str | Callable,
        *,
        num_classes: int | None = None,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        dtype: Any = None,
        **keywords: Any,
    ) -> None:
        check_backend()
        super().__init__(name=name, dtype=dtype, autocast=False)  # labels stay float32
        self.built = True  # it has no weights
        self.op = find_op(op)
        find.check_keywords(self.op, keywords)
        self.num_classes = num_classes
        self.seed = seed
        self.data_format = data_format or keras.config.image_data_format()
        check_data_format(self.data_format)
        self.keywords = keywords
        self.generator = keras.random.SeedGenerator(seed)
        classes = {} if num_classes is None else {'num_classes': num_classes}
        self._mix = jax.jit(functools.partial(self.op, **keywords, **classes))
        self._pass = functools.partial(find.find('mixing', 'none'), None, num_classes=num_classes)

    def call(self, data: Any, training: bool = True) -> Any:
        images, labels, provided = self._unpack(data)
        images = keras.ops.cast(images, self.compute_dtype)
        if jnp.issubdtype(labels.dtype, jnp.floating):
            labels = labels.astype(jnp.float32)
        elif labels.ndim == 2 and labels.shape[1] == 1:  # as Keras' own datasets have them
            labels = labels[:, 0]
        if training:
            key = jax.random.wrap_key_data(self.generator.next(), impl='threefry2x32')
            images, labels = self._mix(key, images, labels, **provided)
        else:
            images, labels = self._pass(images, labels)
        return self._pack(data, images, labels)

    def compute_output_spec(self, data, training=True):
        images, labels, _ = self._unpack(data)
        shape = labels.shape if self.num_classes is None else (labels.shape[0], self.num_classes)
        images = keras.KerasTensor(images.shape, self.compute_dtype)
        return self._pack(data, images, keras.KerasTensor(shape, 'float32'))

    def _unpack(self, data):
        """Of a pair or a dict: images, labels, and what else the op takes."""
        if isinstance(data, tuple | list) and len(data) == 2:
            return *data, {}
        optional = {'saliency'} & set(find.needs(self.op))
        wanted = ['images', 'labels', *sorted(optional)]
        if not isinstance(data, dict) or not {'images', 'labels'} <= set(data) <= set(wanted):
            got = f'a dict of {", ".join(map(repr, data))}' if isinstance(data, dict) else type(data).__name__
            raise ValueError(
                f'{self.name} takes (images, labels) or a dict of {", ".join(map(repr, wanted))}; got {got}. '
                'Leave out what it does not mix (boxes, masks, weights): it would not fit the mixed images'
            )
        return data['images'], data['labels'], {name: data[name] for name in optional & set(data)}

    def _pack(self, data, images, labels):
        return {'images': images, 'labels': labels} if isinstance(data, dict) else (images, labels)

    def get_config(self):
        config = {name: value for name, value in super().get_config().items() if name != 'trainable'}
        return {
            **config,
            'op': op_config(self.op),
            'num_classes': self.num_classes,
            'seed': self.seed,
            'data_format': self.data_format,
            **self.keywords,
        }


def check_backend() -> None:
    """Raises ValueError unless Keras runs on JAX."""
    backend = keras.config.backend()
    if backend != 'jax':
        raise ValueError(
            f"the Keras backend is {backend!r} and must be 'jax', as the ops are JAX functions: {JAX_BACKEND}"
        )


def check_data_format(data_format: str) -> None:
    """Raises ValueError unless the channels are last."""
    if data_format != 'channels_last':
        raise ValueError(
            f"data_format={shown(data_format)} must be 'channels_last': the ops mix images [B, H, W, C]. "
            "Transpose them, keras.ops.transpose(images, (0, 2, 3, 1)), and pass data_format='channels_last'"
        )


def find_op(op: str | Callable | dict) -> Callable:
    """The function of a mixing op: by name, as a function, or as Keras serialised one (`op_config`)."""
    if isinstance(op, dict):
        op = keras.saving.deserialize_keras_object(op)
    if isinstance(op, str):
        return find.find('mixing', op)
    if not callable(op) or not hasattr(op, '__name__'):
        raise ValueError(
            f'op={shown(op)} must be the name of a mixing op or a function (key, images, labels, *, ...); '
            'keywords are bound by the layer: Mixing(op, per=...)'
        )
    return op


def op_config(op: Callable) -> str | dict:
    """What `find_op` finds `op` by: the name of an op of this package, or a function, serialised by Keras."""
    own = op.__name__ in find.names('mixing') and find.find('mixing', op.__name__) is op
    return op.__name__ if own else keras.saving.serialize_keras_object(op)
