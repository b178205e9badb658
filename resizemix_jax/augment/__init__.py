"""Augmentations that run on the device, inside the step: crop and flip, and policies, before or after mixing.

Shared contract: `<name>(key, images, *, ...) -> images`:
    key     typed JAX key; every draw comes from it. A member that draws nothing takes None.
    images  uint8 [B, H, W, C], JAX or NumPy; ValueError for any other dtype or rank, by the decorator
            `_images.augmentation` on every member. Dtype and shape are kept; only `halve` changes the sides.
    per     'sample': draws are independent per image, also where a member has no such keyword;
            'batch': one draw for the batch.
    NEEDS   a member that changes during training declares ('progress',): the completed share of the
            training, float32 [] in [0, 1).

    >>> import jax, numpy as np
    >>> from resizemix_jax import randaugment
    >>> images = np.zeros((2, 32, 32, 3), np.uint8)
    >>> randaugment(jax.random.key(0), images, n=2, m=9).dtype
    dtype('uint8')
"""
