"""ResizeMix in JAX: mixing ops, and the trainer that compares them."""

__version__ = '0.2.0'
