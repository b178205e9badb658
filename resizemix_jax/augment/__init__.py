"""Augmentations that run on the device, inside the step: crop and flip, and policies, before or after mixing.

Shared contract: `<name>(key, images, *, ...) -> images` on uint8 [B, H, W, C], shape and dtype kept, every
draw its own for each image unless `per` says otherwise. One that changes over the training takes the keyword
`progress`, the share of it that is over. `normalize` makes the floats that mixing and the network see.
"""
