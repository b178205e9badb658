"""Mixing ops, one method a file: `<method>(key, images, labels, *, ...) -> (images, labels)`.

Shared contract:
    key     typed JAX key; every draw comes from it.
    images  float [B, H, W, C], any size and scale; H and W may differ. Dtype and shape are kept.
    labels  float32 [B, K], soft (a one-hot row is the simplest). Rows keep their sum.
    per     'batch': the method's number is drawn once a batch, as its public code does;
            'sample': once an image, with the same marginal law.
    errors  ValueError for images or labels of another rank or dtype, and for numbers out of range.

`images[i]` is the target of row i, `images[partner[i]]` its source; `lam` is always the share of the
source. Ops are pure, and safe under jit, vmap and pmap; inside pmap, partners are on the same device.
"""
