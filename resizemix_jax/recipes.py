"""How the paper trains each of its networks, and how the code that its authors released does.

The two differ ("released" is configs/*.py of JayQine/ResizeMix, published two years later); where a function
below does not say otherwise, they agree.
"""

import ml_collections

NAMES = ('paper', 'released')
SCALES = ('paper', 'small')

# The two networks of most tables.
WRN, SS = 'wrn28_10', 'ss26_2x96d'


def wrn28_10(config, recipe):
    """Paper, section 5.1.1: 200 epochs, batch 256, lr 0.1, weight decay 5e-4, Nesterov, cosine.

    Released (configs/cifar10.py of JayQine/ResizeMix): lr 0.2 after 5 epochs of warm-up, cosine to 1e-5,
    no Nesterov, and its own form of the network.
    """
    config.model = 'wide_resnet'
    config.model_args = ml_collections.ConfigDict(dict(depth=28, width=10, variant='original', dropout=0.0))
    if recipe == 'released':
        config.model_args.variant = 'released'
        config.optimizer.update(lr=0.2, nesterov=False, warmup_epochs=5, final_lr=1e-5)


def ss26_2x96d(config, recipe):
    """Paper, section 5.1.1: 1800 epochs, batch 256, lr 0.01, weight decay 1e-3.

    Released: lr 0.04 after 5 epochs of warm-up, cosine to 1e-5, weight decay 1e-4, no Nesterov.
    """
    config.model = 'shake_shake'
    config.model_args = ml_collections.ConfigDict(dict(depth=26, width=96))
    config.epochs = 1800
    config.optimizer.update(lr=0.01, weight_decay=1e-3)
    if recipe == 'released':
        config.optimizer.update(lr=0.04, weight_decay=1e-4, nesterov=False, warmup_epochs=5, final_lr=1e-5)


def resnet(depth):
    """Paper, section 5.1.3: 300 epochs, batch 512, lr 0.5, weight decay 4e-5, cosine.

    Released: the same without Nesterov; 64 images a GPU, BatchNorm of each GPU. The images are cropped,
    resized and flipped while they are decoded, so the step augments nothing (eval_resize 0: 256 for 224).
    """

    def recipe_of(config, recipe):
        config.model = 'resnet'
        config.model_args = ml_collections.ConfigDict(dict(depth=depth, width=64))
        config.augment = 'none'
        config.augment_args = ml_collections.ConfigDict()
        config.epochs, config.batch_size = 300, 512
        config.dataset_args = ml_collections.ConfigDict(
            dict(image_size=224, eval_resize=0, resize='linear', max_damaged=1e-4)
        )
        config.optimizer.update(lr=0.5, weight_decay=4e-5, nesterov=recipe == 'paper')

    return recipe_of


MODELS = {
    WRN: wrn28_10,
    SS: ss26_2x96d,
    'resnet50': resnet(50),
    'resnet101': resnet(101),
}


def small(config, recipe):
    """Whatever the row's network and data are: minutes on a CPU, to see that the row runs; not the paper's.

    A Wide ResNet 10-1, 6 epochs of batch 32 on the embedded 10,000 images of 28 pixels; else as `wrn28_10`.
    """
    wrn28_10(config, recipe)
    config.model_args.depth, config.model_args.width = 10, 1
    config.dataset = 'fashion_mnist_10k'
    config.batch_size, config.epochs = 32, 6
    config.log_every_steps = 104
    if config.mixing == 'cutout':  # its square covers the share of the image that it covers of CIFAR's
        config.mixing_args.length = config.mixing_args.length * 28 // 32


def cutmix_args(prob):
    """CutMix's README: prob 0.5 for CIFAR, 1.0 for ImageNet."""
    return dict(alpha=1.0, prob=prob, per='batch')


def resizemix_args(tau=(0.1, 0.8)):
    """Paper, section 5.1.1 and Table 8; what it leaves open is as in the released code."""
    return dict(tau=tau, per='batch', method='nearest', antialias=True)


def cut_paste_args(source, paste):
    """Table 1; the sizes are ResizeMix's, since the paper gives none."""
    return dict(source=source, paste=paste, size='tau', tau=(0.1, 0.8), alpha=1.0, per='batch')


def grad_cam():
    """The keys of a row whose method is guided: what is left of Grad-CAM in the released code."""
    return dict(
        saliency='grad_cam',
        saliency_args=dict(target='argmax', reduction='mean'),
        saliency_layer=0,
        saliency_mode='train',
    )


def fmix():
    """FMix's code: its own spectrum, one mask a batch, the drawn lam as the weight."""
    return dict(
        mixing='fmix',
        mixing_args=dict(alpha=1.0, decay=3.0, spectrum='released', weight='drawn', per='batch'),
    )


def saliencymix(prob):
    """SaliencyMix's code: prob 0.5 for CIFAR, 1.0 for ImageNet, one image's box for the batch."""
    return dict(
        mixing='saliencymix',
        mixing_args=dict(alpha=1.0, prob=prob, per='batch'),
        saliency='fine_grained',
        saliency_args={},
    )


def puzzlemix(t_size, loss):
    """PuzzleMix's code: on CIFAR-100 parts of 4 pixels move and the loss is binary; ImageNet moves blocks."""
    return dict(
        mixing='puzzlemix',
        mixing_args=dict(alpha=1.0, beta=1.2, gamma=0.5, eta=0.2, n_labels=3, neigh=4, transport=True,
                         t_eps=0.8, t_size=t_size),
        saliency='input_gradient',
        saliency_args={},
        saliency_mode='eval',
        loss=loss,
    )  # fmt: skip


CUTOUT = dict(mixing='cutout', mixing_args=dict(length=16))  # of the policies' own CIFAR trainings


def policy(name, place='before_crop', **args):
    """The keys of a row with an augmentation policy."""
    return dict(policy=name, policy_args=args, policy_place=place)


def randaugment(n, m):
    """N and M where a network has its own."""
    return dict(policy_args=dict(n=n, m=m, scale='ildoonet', per='sample'))


def augmix():
    """AugMix's code for CIFAR: two views of severity 3 beside the image, and the divergence of all three."""
    return dict(
        mixing='none', mixing_args={}, task='consistency', task_args=dict(views=2, weight=12.0)
    ) | policy('augmix', 'before_mixing', severity=3.0, width=3, depth=3, alpha=1.0)


def after_mixing():
    """RandAugment after the mixing, as the released code has it."""
    return policy('randaugment', 'after_mixing', n=2, m=14, scale='released', per='batch')


def resizemix_plus():
    """ResizeMix+: every mixed image augmented twice, the labels repeated."""
    return dict(mixing='resizemix', mixing_args=resizemix_args(), batch_augment=2) | after_mixing()
