"""Vision Transformer (Dosovitskiy et al., 2021): plain, pre-norm, with learned positions."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from resizemix_jax import layers
from resizemix_jax.ranges import Choice, Number, Whole

NEEDS = ('dtype', 'remat')
TINY = (
    dict(patch=8, width=8, depth=3, heads=2, dropout=0.5),
    dict(patch=8, width=8, depth=3, heads=2, pool='mean'),
)
POOLS = ('token', 'mean')
STD = 0.02  # of the initial weights; timm truncates them at 2.0, which is a hundred times this


def vit(
    num_classes,
    *,
    patch=16,
    width=384,
    depth=12,
    heads=6,
    pool='token',
    dropout=0.0,
    dtype='float32',
    remat=False,
):
    """ViT for images whose sides are multiples of `patch`; the default is ViT-S/16.

    A patch x patch convolution with that stride embeds the image, learned positions are added, and `depth`
    blocks follow: x + attention(LayerNorm(x)), then x + MLP(LayerNorm(x)) with 4 * width hidden channels and
    the exact GELU; then a LayerNorm and a linear layer. LayerNorm's eps is 1e-6. Initialisation is timm's:
    linear layers and positions ~ N(0, 0.02^2), biases 0, the class token ~ N(0, 1e-12), the convolution as
    in torch. 22,050,664 parameters for 224 x 224 images and 1000 classes, 86,567,656 with width 768 and 12
    heads. The parameters fit images of one size.

    pool 'token': a learned class token is put before the patches, and the linear layer takes its output.
    pool 'mean': the linear layer takes the mean over the patches after the LayerNorm; there is no class
        token (big_vision's 'gap'). Only this form has `features` and `head`, for saliency maps: a map is the
        patches' tokens in their places, [B, H / patch, W / patch, width], and `layer` counts blocks.

    Parameters correspond one to one to timm's: in backbone patch_embed, cls_token, pos_embed, and norm1, qkv,
    proj, norm2, fc1 and fc2 of block1 (timm's blocks.0) to block<depth>; in top norm and classifier (head).

    Args:
        num_classes: K.
        patch: the side of a patch in pixels, >= 1.
        width: channels, a multiple of `heads`.
        depth: blocks, 1 to 200.
        heads: of the attention, >= 1.
        pool: 'token' or 'mean'.
        dropout: the rate, in [0, 1), after the positions, the attention's projection and both layers of the
            MLP, as in torchvision (stream 'dropout').
        dtype, remat: see `resizemix_jax.models`.

    Raises:
        ValueError: a value out of range, or images that do not fit.
    """
    Whole(1, 2**16).check(patch=patch, width=width, heads=heads)
    Whole(1, layers.DEEPEST // 2).check(depth=depth)
    if width % heads:
        raise ValueError(f'width={width} must be a multiple of heads={heads}')
    Number(0, 1, '[)').check(dropout=dropout)
    Choice(*POOLS).check(pool=pool)
    backbone = Backbone(patch, width, depth, heads, pool == 'token', dropout, dtype, remat)
    top, streams = Top(num_classes, pool == 'token', dtype), ('dropout',)
    if pool == 'token':
        return layers.Network(backbone=backbone, top=top, streams=streams)
    return layers.Classifier(backbone=backbone, top=top, streams=streams, groups=depth)


class Backbone(nn.Module):
    """From images to the tokens of the last block; or from one block to another.

    Tokens are [B, 1 + h * w, width], the class token first; or without one a map [B, h, w, width].
    """

    patch: int
    width: int
    depth: int
    heads: int
    token: bool
    dropout: float
    dtype: str
    remat: bool

    @nn.compact
    def __call__(self, x, train, start=0, stop=None):
        block = layers.block(Block, self.remat)
        if start == 0:
            x = self._embed(x, train)
        shape = x.shape
        x = x.reshape(shape[0], -1, self.width)
        for i in range(self.depth)[start:stop]:
            x = block(self.heads, self.dropout, self.dtype, name=f'block{i + 1}')(x, train)
        return x.reshape(shape)

    def _embed(self, images, train):
        if images.shape[1] % self.patch or images.shape[2] % self.patch:
            raise ValueError(
                f'images of {images.shape[1]} x {images.shape[2]} pixels: the sides must be multiples of '
                f'patch={self.patch}; set model_args.patch'
            )
        x = nn.Conv(
            self.width,
            (self.patch, self.patch),
            strides=self.patch,
            padding='VALID',
            kernel_init=layers.torch_uniform,
            bias_init=layers.torch_bias(self.patch**2 * images.shape[-1]),
            dtype=self.dtype,
            name='patch_embed',
        )(images)
        shape = x.shape
        x = x.reshape(shape[0], -1, self.width)
        if self.token:
            token = self.param('cls_token', nn.initializers.normal(1e-6), (1, 1, self.width))
            x = jnp.concatenate(
                [jnp.broadcast_to(token.astype(x.dtype), (x.shape[0], 1, self.width)), x], axis=1
            )
        x = x + self._positions(x.shape[1]).astype(x.dtype)
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return x if self.token else x.reshape(shape)

    def _positions(self, count):
        if self.has_variable('params', 'pos_embed'):
            known = self.get_variable('params', 'pos_embed').shape[1]
            if known != count:
                raise ValueError(
                    f'this vit has positions for {known} tokens, and images of this size give {count}; '
                    'train and evaluate it at the size that it was initialised for'
                )
        return self.param('pos_embed', nn.initializers.normal(STD), (1, count, self.width))


class Block(nn.Module):
    """x + attention(norm1(x)), then x + MLP(norm2(x)); tokens [B, N, width]."""

    heads: int
    dropout: float
    dtype: str

    @nn.compact
    def __call__(self, x, train):
        width = x.shape[-1]

        def drop(y):
            return nn.Dropout(self.dropout, deterministic=not train)(y)

        y = norm(self.dtype, 'norm1')(x)
        qkv = linear(3 * width, self.dtype, 'qkv')(y).reshape(*x.shape[:2], 3, self.heads, -1)
        y = jax.nn.dot_product_attention(*jnp.moveaxis(qkv, 2, 0)).reshape(x.shape)
        x = x + drop(linear(width, self.dtype, 'proj')(y))
        y = norm(self.dtype, 'norm2')(x)
        y = drop(nn.gelu(linear(4 * width, self.dtype, 'fc1')(y), approximate=False))
        return x + drop(linear(width, self.dtype, 'fc2')(y))


class Top(nn.Module):
    """LayerNorm, the class token or the mean of the patches, linear layer."""

    num_classes: int
    token: bool
    dtype: str

    @nn.compact
    def __call__(self, features, train):
        x = norm(self.dtype, 'norm')(features)
        x = x[:, 0] if self.token else layers.global_pool(x)
        return linear(self.num_classes, 'float32', 'classifier', precision='highest')(x)


def norm(dtype, name):
    """LayerNorm with the published eps; the variance is computed as torch does, from the deviations."""
    return nn.LayerNorm(epsilon=1e-6, use_fast_variance=False, dtype=dtype, name=name)


def linear(features, dtype, name, precision=None):
    """A linear layer with timm's initialisation."""
    init = nn.initializers.normal(STD)
    return nn.Dense(features, kernel_init=init, dtype=dtype, precision=precision, name=name)
