"""No augmentation on the device: for images that are augmented while they are decoded, or not at all."""

import numpy as np
from jax import Array

from resizemix_jax.augment._images import augmentation


@augmentation
def none(key: Array | None, images: Array | np.ndarray) -> Array | np.ndarray:
    """Law: nothing is drawn; images are returned unchanged."""
    del key
    return images
