"""Networks, one a file: `<name>(num_classes, *, ...)` returns a Linen module.

Shared contract:
    init(key, images, train=False)         -> {'params': ...}, and 'batch_stats' with BatchNorm; all float32.
    apply(variables, images, train=...)    -> logits, float32 [B, num_classes].
    images                                 float [B, H, W, C], normalised.
    attribute `streams`                    names of the random streams that training draws from, e.g.
                                           ('dropout',); may be absent if there are none.
    methods `features` and `head`          optional, for saliency maps: they compose to the network. A feature
                                           map [B, h, w, c], then logits; `layer` cuts after that group of
                                           blocks, 0 after the last.
Constants of a file:
    NEEDS   the keywords that the trainer provides, of
            dtype        of the computation; parameters, statistics and the classifier's product stay float32;
            batch_axis   the mapped axis to compute BatchNorm's statistics over, or ''; only with BatchNorm;
            remat        keep only the blocks' inputs for the backward pass and recompute the rest: less
                         memory, about a third more operations, the same parameters, values and gradients.
    TINY    optional: keywords of the smallest networks of every kind in the file, a tuple of dicts, for the
            tests; else they test the defaults.
Padding, BatchNorm and pooling follow torch: explicit symmetric pads, eps 1e-5, running momentum 0.9.
"""
