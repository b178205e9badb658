"""Object detection as pure functions: boxes, anchors, assignment, sampling, NMS, RoIAlign, losses, AP.

Shared contract of all but `average_precision`, which is NumPy on the host:
    boxes   float32 [..., 4] = (x0, y0, x1, y1) in pixels of the network's input. A side is x1 - x0, without
            the + 1 of older code; nothing is rounded.
    images  every function is of one image. `jax.vmap` makes it one of a batch: all shapes are static, and no
            result depends on another image's.
    valid   bool, or float with 1 for true: which entries of a padded array count. The others may hold any
            finite numbers, and change no result, loss or gradient.
    arrays  JAX or NumPy; results are JAX arrays.
    label   int32, 0 .. C - 1; in logits the background is the last class, C, as in MMDetection 2.
    numbers among the keywords are Python values, not traced: the compiled code depends on them.

The functions are right under `jit`, `vmap`, `pmap` and `shard_map`. Boxes, overlaps, NMS and losses are
computed in float32 whatever the network's dtype is. Laws are those of MMDetection 2.6 to 2.11, whose
configurations the published tables were made with; where torchvision's differ, the docstring says so.

    >>> import jax.numpy as jnp
    >>> from resizemix_jax.detection.nms import nms
    >>> boxes = jnp.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10.0]])
    >>> index, kept = nms(boxes, jnp.array([0.5, 0.9, 0.3]), jnp.ones(3, bool), threshold=0.5, size=3)
    >>> index[kept].tolist()
    [1, 2]
"""
