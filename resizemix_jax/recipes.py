"""How the paper trains each of its networks, and how the code released by its authors does.

The two differ ("released" is configs/*.py of JayQine/ResizeMix, published two years later); where a function
below does not say otherwise, they agree. Everything here is a dict of config keys, for `config.assign`.

What `recipe=released` does not have of that code:
* An epoch of ImageNet has 2502 steps here. There the data loader is told not to fill up the last batch
  (DALI's fill_last_batch=False), which by its documentation makes 2503, while the schedule counts 2502: the
  last 300 or so steps would then run at the final learning rate.
* ImageNet is trained there on 8 GPUs with 64 images each: tau, partners and BatchNorm are of 64 images. That
  is so here on 8 devices alone; on 1, 2 or 4 they are of 512, 256 or 128. CIFAR is mixed there over the
  batch of 256 and then scattered; here within each device's share, which is the same on one device.
* BatchNorm's running variance is unbiased there (n / (n - 1) times the batch's), and that of GPU 0; here it
  is the batch's own, averaged over the devices.
* There the best epoch on the evaluation images is reported; here the last one, with the best beside it.
"""

NAMES = ('paper', 'released')
SCALES = ('paper', 'small')

# The two networks of most tables.
WRN, SS = 'wrn28_10', 'ss26_2x96d'

_WARM_UP = dict(warmup_epochs=5)  # of the released CIFAR configs
_MIN_LR = dict(final_lr=1e-5)  # of configs/train_base.py, which all released configs begin with


def wrn28_10(recipe):
    """Paper, section 5.1.1: 200 epochs, batch 256, lr 0.1, weight decay 5e-4, Nesterov, cosine.

    Released (configs/cifar10_wrs.py and cifar100_wrs.py): lr 0.2 after 5 epochs of warm-up, cosine to 1e-5,
    no Nesterov, and its own form of the network.
    """
    released = recipe == 'released'
    return dict(
        model='wide_resnet',
        model_args=dict(depth=28, width=10, variant='released' if released else 'original', dropout=0.0),
        batch_size=256,
        epochs=200,
        optimizer_args=dict(nesterov=not released, weight_decay=5e-4),
        schedule_args=dict(lr=0.2, **_WARM_UP, **_MIN_LR) if released else dict(lr=0.1),
    )


def ss26_2x96d(recipe):
    """Paper, section 5.1.1: 1800 epochs, batch 256, lr 0.01, weight decay 1e-3.

    Released (configs/cifar10_ss.py and cifar100_ss.py): lr 0.04 after 5 epochs of warm-up, cosine to 1e-5,
    weight decay 1e-4, no Nesterov.
    """
    released = recipe == 'released'
    return dict(
        model='shake_shake',
        model_args=dict(depth=26, width=96),
        batch_size=256,
        epochs=1800,
        optimizer_args=dict(nesterov=not released, weight_decay=1e-4 if released else 1e-3),
        schedule_args=dict(lr=0.04, **_WARM_UP, **_MIN_LR) if released else dict(lr=0.01),
    )


def resnet(depth):
    """Paper, section 5.1.3: 300 epochs, batch 512, lr 0.5, weight decay 4e-5, cosine.

    Released (configs/imagenet_res.py): cosine to 1e-5, no Nesterov; 64 images a GPU; DALI is told to resize
    by a triangle where images shrink and by Lanczos where they grow, which the paper leaves open. The images
    are cropped, resized and flipped while they are decoded, so the step augments nothing (eval_resize 0: 256
    for 224).
    """

    def keys(recipe):
        resize = 'dali' if recipe == 'released' else 'antialias'
        return dict(
            model='resnet',
            model_args=dict(depth=depth, width=64),
            augment='none',
            dataset_args=dict(image_size=224, eval_resize=0, resize=resize, max_damaged=1e-4),
            batch_size=512,
            epochs=300,
            optimizer_args=dict(nesterov=recipe == 'paper', weight_decay=4e-5),
            schedule_args=dict(lr=0.5) if recipe == 'paper' else dict(lr=0.5, **_MIN_LR),
        )

    return keys


_COCO, _VOC = dict(dataset='coco'), dict(dataset='voc')
_NO_NESTEROV = dict(nesterov=False)


def ssd300(data):
    """SSD300 on ResNet-50, as MMDetection's ssd300_coco and ssd300_voc0712 with another backbone; batch 64.

    The paper's 24 epochs are those of these configurations, which repeat the data: 5 times for COCO, 10 times
    for VOC; here an epoch is one pass. Nothing of detection was released, so both recipes are this one.
    """
    coco = data == 'coco'
    passes = 5 if coco else 10
    lr, falls = (2e-3, (16, 22)) if coco else (1e-3, (16, 20))

    def keys(recipe):
        del recipe
        return (_COCO if coco else _VOC) | dict(
            task='detect_ssd',
            task_args=dict(measure='coco' if coco else 'voc07', distort=True),
            dataset_args=dict(resize='square', image_size=300, crops=True),
            model='ssd300',
            model_args=dict(variant='c3c5', depth=50, width=64, anchors=data, backbone_norm='eval'),
            batch_size=64,
            epochs=24 * passes,
            optimizer_args=_NO_NESTEROV | dict(weight_decay=5e-4),
            schedule='step',
            schedule_args=dict(
                lr=lr,
                decay_epochs=tuple(passes * epoch for epoch in falls),
                warmup_steps=500,
                warmup_lr=lr / 1000,
            ),
        )

    return keys


def faster_rcnn(data):
    """Faster R-CNN on ResNet-50 with FPN, as MMDetection's faster_rcnn_r50_fpn for the set; batch 16.

    The paper's 4 epochs of VOC repeat the data 3 times; here an epoch is one pass. Both recipes are this one.
    """
    coco = data == 'coco'

    def keys(recipe):
        del recipe
        schedule = dict(lr=0.02, decay_epochs=(8, 11), warmup_steps=500, warmup_lr=2e-5)
        return (_COCO if coco else _VOC) | dict(
            task='detect_rcnn',
            task_args=dict(measure='coco' if coco else 'voc07'),
            dataset_args=dict(resize='keep'),
            model='faster_rcnn',
            model_args=dict(depth=50, width=64, backbone_norm='eval'),
            batch_size=16,
            epochs=12,
            optimizer_args=_NO_NESTEROV | dict(weight_decay=1e-4),
            schedule='step',
            schedule_args=schedule if coco else dict(lr=0.01, decay_epochs=(9,), warmup_steps=0),
        )

    return keys


# How each network is trained: name -> function from the recipe to the keys of the config that it sets.
NETWORKS = {
    WRN: wrn28_10, SS: ss26_2x96d, 'resnet50': resnet(50), 'resnet101': resnet(101),
    'ssd300_coco': ssd300('coco'), 'ssd300_voc': ssd300('voc'),
    'faster_rcnn_coco': faster_rcnn('coco'), 'faster_rcnn_voc': faster_rcnn('voc'),
}  # fmt: skip


def cutout(length):
    """Cutout's code: 16 pixels for CIFAR-10, 8 for CIFAR-100; the policies take 16 for both."""
    return dict(mixing='cutout', mixing_args=dict(length=length))


def mixup():
    """Mixup's code: one lam a batch."""
    return dict(mixing='mixup', mixing_args=dict(alpha=1.0, per='batch'))


def random_erasing():
    """Random Erasing's code for CIFAR."""
    return dict(mixing='random_erasing', mixing_args=dict(prob=0.5, area=(0.02, 0.4), ratio=0.3))


def ricap():
    """RICAP's code: one corner a batch."""
    return dict(mixing='ricap', mixing_args=dict(beta=0.3, per='batch'))


def cutmix(prob):
    """CutMix's README: prob 0.5 for CIFAR, 1.0 for ImageNet."""
    return dict(mixing='cutmix', mixing_args=dict(alpha=1.0, prob=prob, per='batch'))


def resizemix(tau=(0.1, 0.8), per='batch', method='nearest'):
    """Paper, section 5.1.1 and Table 8; what it leaves open is as in the released code."""
    return dict(mixing='resizemix', mixing_args=dict(tau=tau, per=per, method=method, antialias=True))


def cut_paste(source, paste):
    """Table 1; the sizes are ResizeMix's, since the paper gives none."""
    args = dict(source=source, paste=paste, size='tau', tau=(0.1, 0.8), alpha=1.0, per='batch')
    return dict(mixing='cut_paste', mixing_args=args)


def grad_cam():
    """The keys of a guided row: Grad-CAM as far as it is left in the released code."""
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
    )


def puzzlemix(t_size, loss):
    """PuzzleMix's code: on CIFAR-100 parts of 4 pixels move and the loss is binary; ImageNet moves blocks."""
    return dict(
        mixing='puzzlemix',
        mixing_args=dict(alpha=1.0, beta=1.2, gamma=0.5, eta=0.2, n_labels=3, neigh=4, transport=True,
                         t_eps=0.8, t_size=t_size),
        saliency='input_gradient',
        saliency_mode='eval',
        loss=loss,
    )  # fmt: skip


def policy(name, place='before_crop', **args):
    """The keys of a row with an augmentation policy."""
    return dict(policy=name, policy_args=args, policy_place=place)


def augmix():
    """AugMix's code for CIFAR: two views of severity 3 beside the image, and the divergence of all three."""
    views = policy('augmix', 'before_mixing', severity=3.0, width=3, depth=3, alpha=1.0)
    return views | dict(task='consistency', task_args=dict(views=2, weight=12.0))


def after_mixing():
    """RandAugment after the mixing, as the released code has it."""
    return policy('randaugment', 'after_mixing', n=2, m=14, scale='released', per='batch')


def resizemix_plus():
    """ResizeMix+: every mixed image augmented twice, the labels repeated."""
    return resizemix() | after_mixing() | dict(batch_augment=2)
