"""Public mixing code, called: every function here makes a draw, `(images, classes) -> (images, labels)`.

`images` are torch [B, C, H, W], `classes` int64 [B], 0 to B - 1; `labels` [B, B] have the weight of every
image in every row. A draw may also return the shares of the images in the pixels, [B, B], where these do not
show it.
`sources` is the directory of the checkouts, see `make_laws`.
"""

import copy
import logging
import math
import numbers
import random
import time
import types
import typing
import unittest.mock

import numpy as np
import torch
from torch.nn import functional

from benchmarks import _law as law
from tests.reference import public_code as code
from tests.reference.public_code import BATCH, Labels, Loader, Meter, Network, Optimizer, criterion

SIDE = 32
POOL = 32  # batches of pictures
ONE_HOT = torch.eye(BATCH)
Space = types.SimpleNamespace


def pictures():
    """The batches of pictures that take turns, normalised: float32 [POOL, B, 3, side, side]."""
    made = (law.pictures(POOL * BATCH, SIDE) - np.float32(law.MEAN)) / np.float32(law.STD)
    return np.ascontiguousarray(made.transpose(0, 3, 1, 2)).reshape(-1, BATCH, 3, SIDE, SIDE)


def soft(classes_a, classes_b, weight):
    """weight * onehot(a) + (1 - weight) * onehot(b), for one weight or one a row."""
    weight = torch.as_tensor(weight, dtype=torch.float64).reshape(-1, 1)
    one = ONE_HOT.double()
    return (weight * one[classes_a] + (1 - weight) * one[classes_b]).numpy()


def retried(draw):
    """The draw, made again where it raises since a box is empty."""

    def again(images, classes):
        while True:
            try:
                return draw(images.clone(), classes)
            except (RuntimeError, ValueError):
                continue

    return again


# ---- Libraries


def openmixup(sources, name, **keywords):
    """A mixer of openmixup, whose head weighs two cross-entropies by the lam that it returns."""
    utils = Space(batch_shuffle_ddp=None)
    path = sources / 'openmixup' / 'openmixup' / 'models' / 'augments' / f'{name}.py'
    mix = getattr(code.module(path, openmixup__models__utils=utils), name)

    def draw(images, classes):
        mixed, (a, b, lam) = mix(images, classes, **keywords)
        return mixed, soft(a, b, lam)

    return draw


def openmixup_puzzlemix(sources):
    """With the defaults of MixUpClassification, and the map that the op here is given."""
    maps = saliency_maps()

    def draw(images, classes):
        mean, std = channels(law.MEAN), channels(law.STD)
        return openmixup(
            sources, 'puzzlemix', alpha=1.0, features=maps(images), block_num=4, neigh_size=4, n_labels=3,
            t_eps=0.8, mean=mean, std=std,
        )(images, classes)  # fmt: skip

    return draw


def openmixup_erasing(sources):
    from PIL import Image

    path = sources / 'openmixup' / 'openmixup' / 'datasets' / 'pipelines' / 'transforms.py'
    found = code.definitions(
        path, 'RandomErasing_numpy', PIPELINES=Space(register_module=lambda one: one), Number=numbers.Number,
        Sequence=typing.Sequence, Image=Image,
    )  # fmt: skip
    erase = found.RandomErasing_numpy(erase_prob=1.0)
    return each_array(lambda image: np.asarray(erase(Image.fromarray(image))))


def openmixup_cutout(sources):
    from PIL import Image

    path = sources / 'openmixup' / 'openmixup' / 'datasets' / 'pipelines' / 'auto_augment.py'
    found = code.definitions(
        path, 'Cutout', 'cutout', PIPELINES=Space(register_module=lambda *args, **keywords: lambda one: one),
        Number=numbers.Number, Sequence=typing.Sequence, Union=typing.Union, Tuple=tuple, Image=Image,
    )  # fmt: skip
    return each_array(found.Cutout(shape=16, prob=1.0))


def mmpretrain(sources, name, **keywords):
    from mmpretrain.models.utils import batch_augments

    mix = getattr(batch_augments, name)(**keywords)
    return lambda images, classes: mix(images, ONE_HOT[classes])


def mmpretrain_cutout(sources):
    from mmpretrain.datasets.transforms.auto_augment import Cutout

    cutout = Cutout(shape=16, prob=1.0)
    return each_array(lambda image: cutout.transform({'img': image})['img'])


def mmpretrain_erasing(sources):
    from mmpretrain.datasets.transforms.processing import RandomErasing

    erase = RandomErasing(erase_prob=1.0)
    return each_array(lambda image: erase.transform({'img': image})['img'])


def timm_mixup(sources, **keywords):
    """timm's Mixup, without its label smoothing (0.1 by default)."""
    from timm.data.mixup import Mixup

    return Mixup(num_classes=BATCH, label_smoothing=0.0, **keywords)


def timm_checkout(sources, **keywords):
    """`timm_mixup` of a checkout."""
    found = code.module(sources / 'pytorch-image-models' / 'timm' / 'data' / 'mixup.py').Mixup
    return found(num_classes=BATCH, label_smoothing=0.0, **keywords)


def timm_erasing(sources):
    from timm.data.random_erasing import RandomErasing

    return each(RandomErasing(probability=1.0, mode='const', device='cpu'))


def torchvision_mix(sources, name):
    from torchvision.transforms import v2

    return getattr(v2, name)(num_classes=BATCH, alpha=1.0)


def torchvision_erasing(sources):
    from torchvision.transforms import RandomErasing

    return each(RandomErasing(p=1))


# ---- One image at a time


def each(erase):
    """An operation on one image, torch [C, H, W]."""
    return lambda images, classes: (torch.stack([erase(image) for image in images]), ONE_HOT)


def each_array(erase):
    """An operation on one image, uint8 NumPy [H, W, C]."""

    def on_array(image):
        array = np.ascontiguousarray(image.numpy().transpose(1, 2, 0).astype(np.uint8))
        return torch.from_numpy(np.ascontiguousarray(erase(array).transpose(2, 0, 1), np.float32))

    return each(on_array)


def cutout(sources):
    return each(code.module(sources / 'Cutout' / 'util' / 'cutout.py').Cutout(1, 16))


def random_erasing(sources):
    path = sources / 'Random-Erasing' / 'transforms.py'
    return each(
        code.definitions(path, 'RandomErasing', random=random, math=math).RandomErasing(probability=1)
    )


# ---- The authors' training code


def mixup(sources):
    found = code.definitions(sources / 'mixup-cifar10' / 'train.py', 'mixup_data', 'mixup_criterion')

    def draw(images, classes):
        mixed, a, b, lam = found.mixup_data(images, classes, 1.0, use_cuda=False)
        return mixed, found.mixup_criterion(criterion, None, a, b, lam).matrix

    return draw


def no_accuracy(*args, **keywords):
    return torch.zeros(1), torch.zeros(1)


def say_nothing(*text, **keywords):
    pass


def train_function(path, box, arguments, **namespace):
    """The function `train` of a script like CutMix's, with its function `box`."""
    found = code.definitions(
        path, 'train', box, AverageMeter=Meter, accuracy=no_accuracy, time=time, print=say_nothing,
        get_learning_rate=lambda optimizer: [0.0], **namespace,
        args=Space(print_freq=1, verbose=False, epochs=1, **arguments),
    )  # fmt: skip
    network = Network()

    def draw(images, classes):
        found.train(Loader(images, classes), network, criterion, Optimizer(), 0)
        return network.images, Labels.last

    return draw


def cutmix(sources):
    path = sources / 'CutMix-PyTorch' / 'train.py'
    return train_function(path, 'rand_bbox', dict(beta=1.0, cutmix_prob=1.0))


def saliencymix(sources, map_of_the_pixels=False):
    """Optionally with OpenCV's map of the pictures themselves, instead of the bytes of normalised floats."""
    import cv2

    path = sources / 'SaliencyMix' / 'SaliencyMix-ImageNet' / 'train.py'
    draw = train_function(path, 'saliency_bbox', dict(beta=1.0, salmix_prob=1.0), cv2=cv2)
    if not map_of_the_pixels:
        return draw
    create = cv2.saliency.StaticSaliencyFineGrained_create

    class Detector:
        def computeSaliency(self, image):  # noqa: N802
            return True, pixel_map(create(), image)

    def with_map(images, classes):
        with unittest.mock.patch.object(cv2.saliency, 'StaticSaliencyFineGrained_create', Detector):
            return draw(images, classes)

    return with_map


def pixel_map(detector, image):
    """OpenCV's fine-grained map of a normalised picture [H, W, 3], from its pixels: float32 [H, W]."""
    pixels = np.round(255 * (image * np.float32(law.STD) + np.float32(law.MEAN))).astype(np.uint8)
    return np.asarray(detector.computeSaliency(np.ascontiguousarray(pixels[..., ::-1]))[1], np.float32)


def ricap(sources):
    found = code.definitions(
        sources / 'ricap' / 'trainers.py', 'Trainer', 'TrainerRICAP', F=Space(cross_entropy=criterion),
        Variable=lambda array: array, print=say_nothing,
    )  # fmt: skip
    trainer = found.TrainerRICAP(Network(), (None, None), Optimizer(), 0.3)

    def draw(images, classes):
        trainer.forward_train(images, classes)
        return trainer.network.images, Labels.last

    return draw


def fmix(sources):
    base = code.module(sources / 'FMix' / 'fmix.py')
    found = code.definitions(
        sources / 'FMix' / 'implementations' / 'lightning.py', 'FMix', 'fmix_loss',
        F=Space(cross_entropy=criterion), FMixBase=base.FMixBase, sample_mask=base.sample_mask,
    )  # fmt: skip
    mix = found.FMix()

    def draw(images, classes):
        mixed = mix(images)
        return mixed, mix.loss(None, classes).matrix

    return draw


def channels(values):
    return torch.tensor(values).reshape(1, 3, 1, 1)


def saliency_maps():
    """A function from the pictures of a batch to the map that the op here is given for them, [B, H, W]."""
    import cv2

    detector = cv2.saliency.StaticSaliencyFineGrained_create()
    known = {
        picture.tobytes(): pixel_map(detector, picture.transpose(1, 2, 0))
        for picture in pictures().reshape(-1, 3, SIDE, SIDE)
    }
    return lambda images: torch.from_numpy(np.stack([known[image.numpy().tobytes()] for image in images]))


def puzzlemix(sources, **keywords):
    """`mixup_process`, with the hyperparameters of its CIFAR-100 command."""
    module = code.module(sources / 'PuzzleMix' / 'mixup.py')
    module.torch = code.CpuTorch()
    for name in ('mixup_graph', 'mixup_box'):
        setattr(module, name, code.on_cpu(getattr(module, name)))
    args = dict(
        mixup_alpha=1.0, in_batch=False, mean=channels(law.MEAN), std=channels(law.STD), box=False,
        graph=False, beta=1.2, gamma=0.5, eta=0.2, neigh_size=4, n_labels=3, transport=True, t_eps=0.8,
        t_size=-1,
    )  # fmt: skip
    args = Space(**(args | keywords))
    maps = saliency_maps() if args.graph else lambda images: None

    def draw(images, classes):
        grad = maps(images)
        return module.mixup_process(images, ONE_HOT[classes], args=args, grad=grad)

    return draw


def supermix(sources):
    """`mix_batch`, with the hyperparameters of its CIFAR-100 command; the weights are those of its target."""
    from torch.autograd import Variable

    found = code.definitions(
        sources / 'SuperMix' / 'supermix.py', 'onehot', 'Smoothing', 'kldiv2', 'mask_process', 'mix_batch',
        F=functional, Variable=Variable, math=math, copy=copy, opt=Space(n_classes=BATCH, lambda_s=25),
    )  # fmt: skip
    found.namespace['smoother'] = found.Smoothing()
    matrix = torch.from_numpy(law.teacher_matrix(SIDE))

    class Teacher(torch.nn.Module):
        def forward(self, images):
            return images.mean(3).transpose(1, 2).reshape(len(images), -1) @ matrix

    def draw(images, classes):
        order = torch.randperm(BATCH)
        drawn, dirichlet = [], np.random.dirichlet

        def kept(*args):
            drawn.append(dirichlet(*args))
            return drawn[-1]

        with unittest.mock.patch.object(np.random, 'dirichlet', kept):
            _, masks, _, pairs, _ = found.mix_batch(
                Teacher(), images[order], 2, 3.0, 8, 1, 50, int(0.7 * BATCH)
            )
        labels, shares = np.eye(BATCH), np.eye(BATCH)
        for mask, pair in zip(masks, pairs, strict=True):
            place = next(i for i in range(BATCH) if torch.equal(images[order[i]], pair[0]))
            own, other = int(order[place]), int(order[(place + 1) % BATCH])
            labels[own], shares[own] = 0, 0
            labels[own, [own, other]] = drawn[place].ravel()
            shares[own, [own, other]] = mask.detach().mean((1, 2, 3)).numpy()
        return images, labels, shares

    return draw


def resizemix(sources, cutmix=0.0):
    """The loop of the ResizeMix repository; with `cutmix`=1 its CutMix branch."""
    boxes = code.definitions(sources / 'ResizeMix' / 'tools' / 'utils.py', 'getbox_new', 'rand_bbox')
    found = code.definitions(
        sources / 'ResizeMix' / 'run_apis' / 'trainer.py', 'Trainer', F=functional, random=random, time=time,
        logging=logging, getbox_new=boxes.getbox_new, rand_bbox=boxes.rand_bbox,
        utils=Space(AverageMeter=Meter, accuracy=no_accuracy),
    )  # fmt: skip
    trainer = found.Trainer.__new__(found.Trainer)
    trainer.augment = Space(
        cutmix=Space(beta=1.0, prob=cutmix),
        resizemix=Space(if_use=True, alpha=0.1, beta=0.8),
        batch_aug=False,
    )
    trainer.config = Space(optim=Space(use_grad_clip=False))
    trainer.criterion, trainer.optimizer, trainer.scheduler = criterion, Optimizer(), Optimizer()
    trainer.use_dali, trainer.distributed, trainer.report_freq = False, False, 1
    network = Network()

    def draw(images, classes):
        trainer.train_data = Loader(images, classes)
        trainer.train(network, 0)
        return network.images, Labels.last

    return draw
