"""Detectors, one a file: `<name>(num_classes, *, ...)` returns a Linen module on a backbone of models/.

Shared contract:
    init(key, images, train=False)         -> {'params': ..., 'batch_stats': ...}; all float32. What a
                                           classifier has, too, is below 'backbone' in both.
    apply(variables, images, train=...)    -> logits and offsets of anchors, float32, see each file.
    images                                 float [B, H, W, C], normalised, 0 beyond an image's own size.
    attribute `streams`                    names of the random streams that training draws from.
Boxes are float32 (x0, y0, x1, y1) in pixels; class C of C + 1 is the background.
NEEDS is as in `resizemix_jax.models`.
"""
