"""Augmentations that run on the device, inside the step, before mixing.

Shared contract: `<name>(key, images, *, ...) -> images` on uint8 [B, H, W, C], shape and dtype kept, every
draw its own for each image. `normalize` then makes the floats that mixing and the network see.
"""
