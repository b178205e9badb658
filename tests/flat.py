"""A user's network for images of one size: a linear layer on all pixels."""

import flax.linen as nn


def flat(num_classes, *, broken=False):
    return Flat(num_classes, broken)


class Flat(nn.Module):
    num_classes: int
    broken: bool

    @nn.compact
    def __call__(self, images, train=False):
        x = images.reshape(images.shape[0], -1)
        if self.broken:
            self.put_variable('params', 'count', x[0, 0])  # which training does not allow
        return nn.Dense(self.num_classes)(x)
