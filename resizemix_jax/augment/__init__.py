"""Augmentations that run on the device, inside the step: crop and flip, and policies, before or after mixing.

Shared contract: `<name>(key, images, *, ...) -> images`:
    key     typed JAX key; every draw comes from it. A member that draws nothing takes None.
    images  uint8 [B, H, W, C], JAX or NumPy. Dtype and shape are kept; only `halve` changes the sides.
    per     'sample': draws are independent per image, also where a member has no such keyword;
            'batch': one draw for the batch.
    NEEDS   a member that changes during training declares ('progress',): the completed share of the
            training, float32 [] in [0, 1).
"""
