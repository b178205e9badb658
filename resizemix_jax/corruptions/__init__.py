"""Common corruptions of images, by which it is measured how far a network's score falls; run on the device.

Shared contract: `<name>(key, images, *, severity=1) -> images`:
    key       typed JAX key; every draw comes from it, independently per image. A member that draws nothing
              takes None.
    images    uint8 [B, H, W, C], C 1 or 3, JAX or NumPy; ValueError for any other dtype or shape.
    severity  1 to 5, a Python number: the compiled code depends on it.
    returns   uint8 of the same shape. A result x in [0, 1] becomes floor(255 x), as in the original.

The laws and their numbers are those of Hendrycks and Dietterich, "Benchmarking neural network robustness to
common corruptions and perturbations", arXiv:1903.12261, and of the code that made the published images
(hendrycks/robustness: make_cifar_c.py for CIFAR-10-C, make_imagenet_c.py for ImageNet-C). That code has
numbers for images of 32 pixels and for images of 224. Here images whose shorter side is below 64 pixels take
those for 32, larger ones those for 224; the numbers are used as they are, not scaled to the size. The draws
are others, so the images are not those that were published. What else differs is in each docstring. The
fifteenth corruption, frost, is left out: it pastes photographs.

    >>> import jax, numpy as np
    >>> from resizemix_jax.corruptions.gaussian_noise import gaussian_noise
    >>> gaussian_noise(jax.random.key(0), np.zeros((2, 32, 32, 3), np.uint8), severity=3).shape
    (2, 32, 32, 3)
"""
