"""Optimisers, one a file: `<name>(schedule, *, ...)` returns an `optax.GradientTransformation`.

Shared contract:
    schedule   step (int32 [], the updates made so far) -> learning rate, float32 []; see
               `resizemix_jax.schedules`.
    returns    init(params) and update(grads, opt_state, params), pure, over any tree of float32 parameters;
               the updates are added to the parameters. Frozen parameters are not in the tree.
    keywords   the config's `optimizer_args`. Weight decay is called `weight_decay`; `decay` says which
               parameters it applies to: 'all', or 'kernels', those of convolutions and linear layers.
    errors     ValueError for a value out of range, naming optimizer_args.<keyword>.
"""
