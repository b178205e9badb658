"""No mixing: the baseline rows."""

from jax import Array

from resizemix_jax.mixing._op import mixing_op


@mixing_op
def none(key: Array, images: Array, labels: Array) -> tuple[Array, Array]:
    """Law: nothing is drawn; images and labels are returned unchanged."""
    del key
    return images, labels
