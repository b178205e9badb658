"""Records the logits of a tiny Vision Transformer made of torch.nn's modules, in vit.npz.

Run `python -m tests.reference.make_vit` in an environment with torch (the file here was made by 2.13.0).
The weights and images come from a seeded generator of NumPy, so only the logits are stored.
"""

import pathlib

import numpy as np

FILE = pathlib.Path(__file__).with_name('vit.npz')
IMAGE, PATCH, WIDTH, DEPTH, HEADS, CLASSES = 12, 4, 8, 2, 2, 5
TOKENS = 1 + (IMAGE // PATCH) ** 2


def shapes():
    """The parameters by torch's names, in the order in which they are drawn."""
    layer = {
        'norm1.weight': (WIDTH,),
        'norm1.bias': (WIDTH,),
        'self_attn.in_proj_weight': (3 * WIDTH, WIDTH),
        'self_attn.in_proj_bias': (3 * WIDTH,),
        'self_attn.out_proj.weight': (WIDTH, WIDTH),
        'self_attn.out_proj.bias': (WIDTH,),
        'norm2.weight': (WIDTH,),
        'norm2.bias': (WIDTH,),
        'linear1.weight': (4 * WIDTH, WIDTH),
        'linear1.bias': (4 * WIDTH,),
        'linear2.weight': (WIDTH, 4 * WIDTH),
        'linear2.bias': (WIDTH,),
    }
    return {
        'patch.weight': (WIDTH, 3, PATCH, PATCH),
        'patch.bias': (WIDTH,),
        'token': (1, 1, WIDTH),
        'positions': (1, TOKENS, WIDTH),
        **{f'encoder.layers.{i}.{name}': shape for i in range(DEPTH) for name, shape in layer.items()},
        'encoder.norm.weight': (WIDTH,),
        'encoder.norm.bias': (WIDTH,),
        'head.weight': (CLASSES, WIDTH),
        'head.bias': (CLASSES,),
    }


def inputs():
    """(parameters by torch's names, images [2, 3, 12, 12]), float32; large enough that every part matters."""
    rng = np.random.RandomState(0)  # its stream is fixed for all versions of NumPy
    weights = {
        name: (rng.standard_normal(shape) * 0.5 + ('norm' in name and name.endswith('weight'))).astype(
            np.float32
        )
        for name, shape in shapes().items()
    }
    return weights, rng.standard_normal((2, 3, IMAGE, IMAGE)).astype(np.float32)


def logits(weights, images):
    """{'token': ..., 'mean': ...}: the logits of a network with a class token, and of one with the mean."""
    import torch
    from torch import nn

    class Vit(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch = nn.Conv2d(3, WIDTH, PATCH, PATCH)
            self.token = nn.Parameter(torch.zeros(1, 1, WIDTH))
            self.positions = nn.Parameter(torch.zeros(1, TOKENS, WIDTH))
            layer = nn.TransformerEncoderLayer(
                WIDTH, HEADS, 4 * WIDTH, 0.0, 'gelu', layer_norm_eps=1e-6, batch_first=True, norm_first=True
            )
            norm = nn.LayerNorm(WIDTH, eps=1e-6)
            self.encoder = nn.TransformerEncoder(layer, DEPTH, norm, enable_nested_tensor=False)
            self.head = nn.Linear(WIDTH, CLASSES)

        def forward(self, images, pool):
            x = self.patch(images).flatten(2).transpose(1, 2)
            if pool == 'mean':
                return self.head(self.encoder(x + self.positions[:, 1:]).mean(dim=1))
            x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1)
            return self.head(self.encoder(x + self.positions)[:, 0])

    network = Vit().eval()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    with torch.no_grad():
        return {pool: network(torch.from_numpy(images), pool).numpy() for pool in ('token', 'mean')}


if __name__ == '__main__':
    np.savez(FILE, **logits(*inputs()))
