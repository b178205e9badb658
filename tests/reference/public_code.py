"""Parts of public training code, run on a CPU with stand-ins for what only a training has.

The public code is read from checkouts that the caller has made; nothing of it is kept here. A training loop
gets a network that keeps the images that it is given, and a criterion whose value is the one-hot matrix of
the classes that it is given. So the loss that the loop computes is the matrix of label weights, whatever its
form.
"""

import ast
import contextlib
import importlib
import pathlib
import sys
import types

import numpy as np
import torch

BATCH = 8


def definitions(path, *wanted, **namespace):
    """The functions and classes `wanted` of a file, without running the rest of it.

    Args:
        path: of a Python file.
        *wanted: names, at the level of the module.
        **namespace: what they find under their global names.

    Returns:
        A namespace with them.
    """
    tree = ast.parse(pathlib.Path(path).read_text('utf-8'))
    tree.body = [node for node in tree.body if getattr(node, 'name', None) in wanted]
    found = dict(namespace, np=np, torch=torch, nn=torch.nn)
    exec(compile(tree, str(path), 'exec'), found)  # noqa: S102
    return types.SimpleNamespace(**{name: found[name] for name in wanted}, namespace=found)


def module(path, **stubs):
    """A file as a module; `stubs` are modules that it imports, with dots as '__', and that need not exist."""
    for name, stub in stubs.items():
        sys.modules[name.replace('__', '.')] = stub
    path = pathlib.Path(path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    made = importlib.util.module_from_spec(spec)
    with on_path(path.parent):
        spec.loader.exec_module(made)
    return made


@contextlib.contextmanager
def on_path(directory):
    """Lets imports find the modules of a directory."""
    sys.path.insert(0, str(directory))
    try:
        yield
    finally:
        sys.path.remove(str(directory))


def stay_on_cpu():
    """Lets `.cuda()` do nothing, and restores names that NumPy has removed since."""
    torch.Tensor.cuda = torch.nn.Module.cuda = lambda self, *args, **kwargs: self
    np.int = int


def on_cpu(function):
    """A function that is called with device='cuda', with device='cpu'."""
    return lambda *args, **keywords: function(*args, **(keywords | {'device': 'cpu'}))


class CpuTorch:
    """torch, with `device=` ignored where arrays are made."""

    def __getattr__(self, name):
        found = getattr(torch, name)
        if name not in ('zeros', 'ones', 'tensor'):
            return found
        return lambda *args, device=None, **keywords: found(*args, **keywords)


class Labels:
    """A matrix of label weights that takes the place of a loss: sums and multiples of it are of its kind.

    `Labels.last` is the one that the loop has called `backward` of.
    """

    last = None
    __array_ufunc__ = None  # numbers of NumPy leave multiplication to it

    def __init__(self, matrix):
        self.matrix = matrix

    def __mul__(self, factor):
        return Labels(self.matrix * float(factor))

    def __add__(self, other):
        return Labels(self.matrix + getattr(other, 'matrix', other))

    __rmul__, __radd__ = __mul__, __add__

    @property
    def data(self):
        return self

    def item(self):
        return 0.0

    def backward(self):
        Labels.last = self.matrix


def criterion(logits, classes):
    """The one-hot matrix of `classes` as `Labels`."""
    return Labels(np.eye(BATCH)[classes.numpy()])


class Network(torch.nn.Module):
    """A network that keeps the images that it was given."""

    def forward(self, images):
        self.images = images.detach().clone()
        return torch.zeros(len(images), BATCH)


class Optimizer:
    """An optimiser that does nothing."""

    param_groups = ({'lr': 0.0},)

    def zero_grad(self):
        pass

    def step(self):
        pass


class Meter:
    """An average of nothing."""

    val = avg = 0.0

    def update(self, value, count=1):
        pass


class Loader:
    """One batch, for loops of any age: iterable, and its iterators have `next`."""

    def __init__(self, images, classes):
        self.batches = [(images, classes)]

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        self.left = list(self.batches)
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        return self.left.pop()

    next = __next__
