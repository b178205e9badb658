"""The config: every key with its default, and how configs are completed, changed and migrated.

A key in FAMILIES holds the name of a member: `mixing='cutmix'` is resizemix_jax/mixing/cutmix.py, and the
group `mixing_args` has its keywords. Two groups belong to no family: `saliency_args` to the function that
`saliency` names, and `generate_args` to resizemix_jax/mixing/supermix.py.
"""

import contextlib
import json
from collections.abc import Mapping

import ml_collections

from resizemix_jax import migrations
from resizemix_jax.errors import ConfigError
from resizemix_jax.find import check_keywords, find, keywords, module
from resizemix_jax.key_checks import check_key, member

FORMAT = 3  # of config.json; a change of the format adds its function to resizemix_jax/migrations.py

FAMILIES = {
    'task': 'tasks',
    'dataset': 'datasets',
    'model': 'models',
    'augment': 'augment',
    'policy': 'augment',
    'mixing': 'mixing',
    'optimizer': 'optimizers',
    'schedule': 'schedules',
    'logger': 'loggers',
}
NAME_KEYS = (*FAMILIES, 'saliency')  # each has a group of keywords, NAME_args


def base():
    """A new config with all keys.

    The groups hold the keywords whose value differs from the function's default; `complete` adds the others.
    """
    config = ml_collections.ConfigDict()
    config.format = FORMAT
    config.table = config.row = config.column = ''
    config.recipe = config.scale = 'paper'
    config.task = 'classify'
    config.seed = 0
    config.dataset = 'fashion_mnist_10k'  # or NAME:SOURCE, e.g. 'folder:/path'
    config.data_dir = ''  # '': $TFDS_DATA_DIR, or else ~/tensorflow_datasets
    config.held_out = 0.0  # share of the training images to evaluate on instead, see input/held_out.py
    config.model = 'wide_resnet'
    config.batch_norm = 'local'  # statistics over each device's part of the batch; 'global': over all of it
    config.dtype = 'float32'  # of the computation, or 'bfloat16'; parameters and loss stay float32
    config.remat = False  # recompute what is inside the blocks in the backward pass, to save memory
    config.init = ''  # weights to start from: a workdir, or a .safetensors or .pth file; '': new ones
    config.init_scope = 'all'  # or 'backbone': the rest is new
    config.freeze = ()  # patterns of parameters that are not trained, e.g. 'backbone/*'
    _method(config)
    for key in (*NAME_KEYS, 'generate'):
        config[f'{key}_args'] = ml_collections.ConfigDict()
    config.optimizer_args.weight_decay = 5e-4

    config.batch_size = 256  # over all devices
    config.micro_batches = 1  # parts of a device's batch, one after the other, to save memory
    config.epochs = 200
    config.steps = 0  # 0: epochs times the steps of an epoch
    config.eval_batch_size = 512
    config.log_every_steps = 50
    config.eval_every_epochs = 1
    config.save_every_epochs = 1
    config.save_every_minutes = 0.0  # besides, since the last save; 0: off
    config.keep_every = 0  # epochs between checkpoints that are kept besides the newest; 0: none
    config.max_to_keep = 1  # newest checkpoints; the best one is kept in addition
    config.logger = 'none'  # a service that is given the rows of metrics, too: 'wandb', 'mlflow'
    config.gallery_every = 0  # steps between pictures of what the network is shown; 0: none
    config.profile_steps = 0  # steps traced into WORKDIR/profile, after the first one
    config.num_devices = 0  # 0: all
    config.workers = -1  # processes that decode streamed images; -1: one a core, 0: none
    config.input_timeout = 1800  # seconds without a batch from them that end the run; 0: wait for ever
    config.generate_images = 0  # images that --mode=generate mixes; 0: all training images once
    return config


def _method(config):
    """What happens to images and labels before the network sees them, the loss, and the optimiser."""
    config.augment = 'crop_flip'
    config.policy = 'none'
    config.policy_place = 'before_crop'  # or 'before_mixing', 'after_mixing'
    config.batch_augment = 1  # copies of each mixed image that the policy after the mixing augments
    config.mixing = 'none'
    config.saliency = ''  # the map for a guided method: 'grad_cam', 'cam', 'input_gradient', 'fine_grained'
    config.saliency_layer = 0  # the group of blocks whose features the map is taken from; 0: the last
    config.saliency_mode = 'train'  # of BatchNorm and dropout in that pass, or 'eval'
    config.half_train = 'full'  # or half the resolution, by 'random_crop', 'center_crop' or 'resize'
    config.half_eval = 'full'
    config.loss = 'ce'  # or 'bce', 'bce_softmax', 'bce_torch', see resizemix_jax/metrics.py
    config.label_smoothing = 0.0
    config.optimizer = 'sgd'
    config.schedule = 'cosine'


def functions(config):
    """The function whose keywords a group holds: name of the group -> function or None.

    Raises:
        ValueError: a name that its family does not have; lists those it has.
    """
    found = {}
    for key, family in _families(config['task']).items():
        try:
            found[f'{key}_args'] = find(family, member(key, config[key]))
        except ValueError as error:
            raise ValueError(f'{key}={config[key]!r}: {error}') from error
    found['saliency_args'] = _saliency(config['saliency'])
    found['generate_args'] = find('mixing', 'supermix')
    return found


def _families(task):
    """FAMILIES, with the family that the task takes its networks from, see `resizemix_jax.tasks`."""
    try:
        networks = getattr(module('tasks', member('task', task)), 'NETWORKS', FAMILIES['model'])
    except ValueError:  # of a task that does not exist, which is found out in its turn
        return FAMILIES
    return FAMILIES | {'model': networks}


def complete(config):
    """Adds to every group the keywords it lacks, with their defaults; in place.

    Args:
        config: ConfigDict or dict with all top-level keys.

    Returns:
        `config`.

    Raises:
        ValueError: as `functions`, or a keyword that the function does not take.
    """
    for group_name, function in functions(config).items():
        values = config[group_name]
        if function is None:
            if values:
                raise ValueError(f'{group_name}={dict(values)} needs a name: set {group_name[:-5]}')
            continue
        try:
            check_keywords(function, values)
            defaults = keywords(function)
        except ValueError as error:
            raise ValueError(f'{group_name}: {error}') from error
        with getattr(values, 'unlocked', contextlib.nullcontext)():  # a dict has no lock
            for name, default in defaults.items():
                if name not in values:
                    values[name] = default
    return config


def assign(config, keys):
    """Sets top-level keys of a config, in place: the one rule for tables, recipes and the command line.

    A member's name that changes empties its group first, since the keywords are of the old member. A group is
    merged: keywords that `keys` does not have stay.

    Args:
        config: ConfigDict.
        keys: key -> value; a mapping for a group.

    Returns:
        `config`.

    Raises:
        ValueError: an unknown key.
        TypeError: a value of another type than the key's; keywords in groups are not checked.
    """
    for key in keys:
        check_key(config, key)
    with config.unlocked():
        for key in keys:
            if key in NAME_KEYS and member(key, config[key]) != member(key, keys[key]):
                config[f'{key}_args'] = ml_collections.ConfigDict()
        for key, value in keys.items():
            if isinstance(value, Mapping | ml_collections.ConfigDict):
                # A member's keyword may take values of several types; its function checks them.
                with config[key].ignore_type():
                    config[key].update(value)
            else:
                config[key] = value
    return config


def override(config, values):
    """Applies overrides of the command line to a completed config, in place: names first, then the rest.

    Args:
        config: ConfigDict.
        values: 'mixing' or 'mixing_args.tau' -> value.

    Returns:
        `config`, completed.

    Raises:
        ValueError: an unknown key, a name its family does not have, or a keyword its function does not take.
        TypeError: a value of another type than the key's.
    """
    complete(assign(config, {key: value for key, value in values.items() if key in NAME_KEYS}))
    for key, value in values.items():
        check_key(config, key)
        group_name, _, keyword = key.rpartition('.')
        assign(config, {group_name: {keyword: value}} if group_name else {key: value})
    return complete(config)


def stored(config):
    """The config as its run stores it: a dict as JSON has it, tuples as lists."""
    return json.loads(config.to_json())


def migrate(old):
    """A stored config in the current format, with all keys.

    Args:
        old: content of a config.json; one without `format` is of format 1.

    Returns:
        A new dict, as `stored` gives it. A key that the format has gained takes the value that makes the run
        what it was; a key that is still absent takes its default.

    Raises:
        ConfigError: a newer format, or a member that this version does not have.
    """
    version = old.get('format', 1)
    if version not in range(1, FORMAT + 1):
        raise ConfigError(
            f'the config has format {version!r}, and this version of resizemix_jax reads the formats 1 to '
            f'{FORMAT}: update the package'
        )
    new = json.loads(json.dumps(old))
    try:
        for step in migrations.STEPS[version - 1 :]:
            new = step(new)
        new = complete(stored(base()) | new | {'format': FORMAT})
    except KeyError as error:
        raise ConfigError(f'the config of format {version} lacks the key {error}') from error
    except ValueError as error:
        raise ConfigError(f'this version of resizemix_jax cannot read the config: {error}') from error
    return json.loads(json.dumps(new))


def _saliency(name):
    """The function that makes a map, or None for ''."""
    if not name:
        return None
    from resizemix_jax.saliency import class_maps, fine_grained  # late: they import JAX

    methods = class_maps.METHODS | fine_grained.METHODS
    if name not in methods:
        raise ValueError(f'saliency={name!r}: there is no such map; there are: {", ".join(sorted(methods))}')
    return methods[name]
