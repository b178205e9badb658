"""Networks, one family a file: `<name>(num_classes, *, ...)` returns a Linen module.

Shared contract:
    init(key, images, train=False)         -> {'params', 'batch_stats'}, all float32.
    apply(variables, images, train=...)    -> logits, float32 [B, num_classes].
    methods `features` and `head`          compose to it: a feature map [B, h, w, c], then logits;
                                           `layer` cuts after that group of blocks, 0 after the last.
    images                                 float [B, H, W, C], normalised.
    dtype                                  of the computation; parameters and statistics stay float32.
    batch_axis                             the mapped axis to take BatchNorm's statistics over, or ''.
    remat                                  keep only the blocks' inputs for the backward pass, which computes
                                           the rest anew: less memory, about a third more operations; the
                                           parameters, values and gradients are the same.
Padding, BatchNorm and pooling follow torch: explicit symmetric pads, eps 1e-5, running momentum 0.9.
"""
