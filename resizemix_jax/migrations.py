"""Stored configs of older formats: STEPS[k] makes a config of format k + 1 one of format k + 2.

A step writes out what the old version did, so it does not ask today's functions for their defaults. LAWS has
what changes the numbers of a run and no key can keep as it was.
"""

from collections.abc import Callable
from typing import NamedTuple

_OPTIMIZER = ('momentum', 'nesterov', 'weight_decay', 'decay')
_SCHEDULE = ('lr', 'warmup_epochs', 'warmup_lr', 'final_lr')

# Old key -> new key, for those who type the old one.
OLD_KEYS = {f'optimizer.{key}': f'optimizer_args.{key}' for key in _OPTIMIZER} | {
    f'optimizer.{key}': f'schedule_args.{key}' for key in _SCHEDULE
}


def _from_1(old):
    """Format 2: optimiser and schedule have names, and the groups of keywords are complete."""
    new = _filled(_BASE_1, old)
    values = new.pop('optimizer')
    new |= {
        'optimizer': 'sgd',
        'optimizer_args': {key: values[key] for key in _OPTIMIZER},
        'schedule': 'cosine',
        'schedule_args': {key: values[key] for key in _SCHEDULE},
        'freeze': [],
    }
    for key, family in _FAMILIES_1.items():
        name = new[key].partition(':')[0]
        new[f'{key}_args'] = _DEFAULTS_1[family].get(name, {}) | new[f'{key}_args']
    new['generate_args'] = _DEFAULTS_1['mixing']['supermix'] | new['generate_args']
    return new


def _from_2(old):
    """Format 3: pictures are antialiased when they are resized, and SuperMix's search has variants.

    An older run keeps what it had.
    """
    new = dict(old)
    if old['dataset'].partition(':')[0] in ('folder', 'imagenet', 'tfds'):
        new['dataset_args'] = {'resize': 'linear'} | old['dataset_args']
    new['generate_args'] = {'variant': 'symmetric'} | old['generate_args']
    if old['mixing'] == 'supermix':
        new['mixing_args'] = {'variant': 'symmetric'} | old['mixing_args']
    return new


def _filled(defaults, values):
    """A dict with the defaults that it lacks, also in its groups."""
    groups = {
        key: _filled(default, values[key])
        for key, default in defaults.items()
        if isinstance(default, dict) and isinstance(values.get(key), dict)
    }
    return defaults | values | groups


# The defaults of 0.1.0, which gained keys while it was developed; the groups of keywords follow below.
_BASE_1 = {
    'table': '', 'row': '', 'column': '', 'recipe': 'paper', 'scale': 'paper', 'seed': 0, 'task': 'classify',
    'dataset': 'fashion_mnist_10k', 'data_dir': '', 'model': 'wide_resnet', 'batch_norm': 'local',
    'dtype': 'float32', 'remat': False, 'augment': 'crop_flip', 'policy': 'none',
    'policy_place': 'before_crop', 'batch_augment': 1, 'mixing': 'none', 'saliency': '',
    'saliency_layer': 0, 'saliency_mode': 'train', 'half_train': 'full', 'half_eval': 'full',
    'loss': 'ce', 'label_smoothing': 0.0,
    'task_args': {}, 'dataset_args': {}, 'model_args': {}, 'augment_args': {}, 'policy_args': {},
    'mixing_args': {}, 'saliency_args': {}, 'generate_args': {},
    'optimizer': {
        'lr': 0.1, 'momentum': 0.9, 'nesterov': True, 'weight_decay': 5e-4, 'decay': 'all',
        'warmup_epochs': 0, 'warmup_lr': 1e-5, 'final_lr': 0.0,
    },
    'batch_size': 256, 'micro_batches': 1, 'epochs': 200, 'steps': 0, 'eval_batch_size': 512,
    'log_every_steps': 50, 'eval_every_epochs': 1, 'save_every_epochs': 1, 'max_to_keep': 1,
    'gallery_every': 0, 'profile_steps': 0, 'num_devices': 0, 'workers': -1, 'generate_images': 0,
}  # fmt: skip


_FAMILIES_1 = {
    'task': 'tasks', 'dataset': 'datasets', 'model': 'models', 'augment': 'augment', 'policy': 'augment',
    'mixing': 'mixing', 'saliency': 'saliency',
}  # fmt: skip

# The defaults that keywords had in 0.1.0, which stored only those that a table set.
_DEFAULTS_1 = {
    'mixing': {
        'cut_paste': {
            'source': 'random',
            'paste': 'random',
            'size': 'tau',
            'tau': (0.1, 0.8),
            'alpha': 1.0,
            'per': 'batch',
        },
        'cutmix': {'alpha': 1.0, 'prob': 0.5, 'per': 'batch'},
        'cutout': {'length': 16},
        'fmix': {'alpha': 1.0, 'decay': 3.0, 'spectrum': 'released', 'weight': 'drawn', 'per': 'batch'},
        'mixup': {'alpha': 1.0, 'per': 'batch'},
        'puzzlemix': {
            'alpha': 1.0,
            'beta': 1.2,
            'gamma': 0.5,
            'eta': 0.2,
            'n_labels': 3,
            'neigh': 4,
            'transport': True,
            't_eps': 0.8,
            't_size': -1,
            'blocks': (2, 4, 8, 16),
        },
        'random_erasing': {
            'prob': 0.5,
            'area': (0.02, 0.4),
            'ratio': 0.3,
            'aspect': 'uniform',
            'attempts': 100,
            'fill': (0.4914, 0.4822, 0.4465),
        },
        'resizemix': {'tau': (0.1, 0.8), 'per': 'batch', 'method': 'nearest', 'antialias': True},
        'ricap': {'beta': 0.3, 'per': 'batch'},
        'saliencymix': {'alpha': 1.0, 'prob': 0.5, 'per': 'batch'},
        'supermix': {
            'k': 2,
            'alpha': 3.0,
            'mask_size': 8,
            'sigma': 1.0,
            'lambda_s': 25.0,
            'max_iters': 50,
            'leftover': 0.7,
        },
    },
    'augment': {
        'augmix': {
            'severity': 3.0,
            'width': 3,
            'depth': 3,
            'alpha': 1.0,
            'fill': 0,
            'interpolation': 'bilinear',
        },
        'autoaugment': {
            'policy': 'autoaugment_cifar10',
            'scale': 'tf',
            'per': 'sample',
            'fill': 'scale',
            'interpolation': 'nearest',
        },
        'crop_flip': {'padding': 4, 'flip': True},
        'dada': {'policy': 'dada_cifar10', 'per': 'sample', 'fill': 0, 'interpolation': 'nearest'},
        'fast_autoaugment': {
            'policy': 'fast_autoaugment_cifar10',
            'per': 'sample',
            'fill': 0,
            'interpolation': 'nearest',
        },
        'operation': {'name': 'Rotate', 'level': 0.8, 'fill': 0, 'interpolation': 'nearest'},
        'pba': {'policy': 'pba_cifar10', 'fill': 0, 'interpolation': 'nearest'},
        'randaugment': {
            'n': 2,
            'm': 9,
            'scale': 'torchvision',
            'per': 'sample',
            'fill': 'scale',
            'interpolation': 'scale',
        },
    },
    'models': {
        'resnet': {'depth': 50, 'width': 64},
        'shake_shake': {'depth': 26, 'width': 96},
        'wide_resnet': {'depth': 28, 'width': 10, 'variant': 'original', 'dropout': 0.0},
    },
    'tasks': {
        'consistency': {'views': 2, 'weight': 12.0},
    },
    'saliency': {
        'grad_cam': {'target': 'argmax', 'reduction': 'mean'},
        'cam': {'target': 'label'},
        'input_gradient': {'target': 'label'},
    },
    'datasets': {
        'fake': {'image_shape': (32, 32, 3), 'num_classes': 10, 'train_size': 1024, 'eval_size': 256},
        'fashion_mnist_10k': {'train_size': 10000},
        'folder': {'image_size': 224, 'eval_resize': 0, 'resize': 'linear', 'max_damaged': 0.0001},
        'imagenet': {'image_size': 224, 'eval_resize': 0, 'resize': 'linear', 'max_damaged': 0.0001},
        'tfds': {'image_size': 224, 'eval_resize': 0, 'resize': 'linear', 'max_damaged': 0.0001},
    },
}

STEPS = (_from_1, _from_2)


class Law(NamedTuple):
    """A law that computes other numbers since a format.

    Attributes:
        format: of config.json, the first with the new law.
        concerns: migrated config -> whether it uses the law.
        sentence: what changed.
    """

    format: int
    concerns: Callable
    sentence: str


def _has_batch_norm(config):
    return config['model'] in ('resnet', 'shake_shake', 'wide_resnet')


def _policy(name, *scales):
    """Whether a config has this policy, on one of these scales."""
    return lambda config: any(
        config[key] == name and (not scales or config[f'{key}_args'].get('scale') in scales)
        for key in ('augment', 'policy')
    )


LAWS = (
    Law(3, _has_batch_norm, "BatchNorm's variance no longer cancels where a channel's mean is large"),
    Law(3, lambda config: _has_batch_norm(config) and config['micro_batches'] > 1,
        "BatchNorm's running statistics move once a step, not once a micro-batch"),
    Law(3, lambda config: config['dtype'] == 'bfloat16', "the classifier's product is float32"),
    Law(3, lambda config: config['model'] == 'shake_shake' and config['dtype'] == 'bfloat16',
        "Shake-Shake's weights are drawn in float32"),
    Law(3, lambda config: config['mixing'] == 'resizemix' and config['mixing_args']['method'] != 'nearest',
        'the smooth ResizeMix rounds otherwise, to the 5th digit'),
    Law(3, _policy('randaugment', 'ildoonet'),
        'the scale ildoonet posterizes to 1 bit or more and has the SolarizeAdd and Cutout of its code'),
    Law(3, _policy('randaugment', 'released'), 'the released RandAugment draws the bits of Posterize'),
    Law(3, _policy('randaugment', 'tpu'), 'the scale tpu has the Contrast and Sharpness of its code'),
    Law(3, _policy('autoaugment', 'tpu'), 'the scale tpu has the Contrast and Sharpness of its code'),
    Law(3, _policy('randaugment', 'torchvision'), 'the scale torchvision has the float32 bins of its code'),
    Law(3, _policy('autoaugment', 'torchvision'), 'the scale torchvision has the float32 bins of its code'),
    Law(3, _policy('pba'), 'a segment of the PBA schedule may begin one step earlier'),
)  # fmt: skip


def changed_laws(version, config):
    """The sentences of the laws that changed since a format and that a migrated config uses."""
    return [law.sentence for law in LAWS if version < law.format and law.concerns(config)]
