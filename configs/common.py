"""What all configs share: the base config with every key, the recipes, arguments and rows.

A table's file has ROWS, a tuple of dicts:
    row      its name in commands
    title    its name in the paper
    paper    column -> the paper's number (top-1 in %, or GPU hours); a dash in the paper is absent here
    mixing, mixing_args    the method; or else
    refused  why the row cannot be run
and MODELS, the columns of the table that are networks, and get_config(arg).
"""

import ml_collections

from configs import recipes

POLICY = 'its augmentation policy is not built yet'
UNPUBLISHED = 'its authors published neither code nor policy that could be run'
METHOD = 'its mixing method is not built yet'


def base():
    """Every key there is, with its default; a config that needs another value sets it."""
    config = ml_collections.ConfigDict()
    # What this run is: recorded in the result, chosen in the config's argument and not by an override.
    config.table = ''
    config.row = ''
    config.recipe = 'paper'

    config.task = 'classify'
    config.seed = 0
    config.dataset = 'fashion_mnist_10k'  # a file of resizemix_jax/data
    config.dataset_args = ml_collections.ConfigDict()
    config.data_dir = ''  # '': $TFDS_DATA_DIR, or else ~/tensorflow_datasets

    config.model = 'wide_resnet'  # a file of resizemix_jax/models
    config.model_args = ml_collections.ConfigDict()
    config.batch_norm = 'local'  # statistics of each device's share of the batch; 'global': of all of it
    config.dtype = 'float32'  # of the computation, or 'bfloat16'; parameters and loss stay float32

    config.augment = 'crop_flip'  # a file of resizemix_jax/augment
    config.augment_args = ml_collections.ConfigDict(dict(padding=4, flip=True))
    config.mixing = 'none'  # a file of resizemix_jax/mixing
    config.mixing_args = ml_collections.ConfigDict()
    config.loss = 'ce'  # or 'bce'
    config.label_smoothing = 0.0

    config.batch_size = 256  # over all devices
    config.micro_batches = 1  # parts of a device's batch, one after the other, to save memory
    config.epochs = 200
    config.steps = 0  # 0: epochs times the steps of an epoch
    config.optimizer = optimizer()

    config.eval_batch_size = 512
    config.log_every_steps = 50
    config.eval_every_epochs = 1
    config.save_every_epochs = 1
    config.max_to_keep = 1  # newest checkpoints; the best one is kept besides
    config.num_devices = 0  # 0: all
    return config


def optimizer():
    """SGD with Nesterov momentum and a cosine: the paper's, with its values for WRN-28-10."""
    return ml_collections.ConfigDict(
        dict(
            lr=0.1,
            momentum=0.9,
            nesterov=True,
            weight_decay=5e-4,
            decay='all',  # or 'kernels': not biases and BatchNorm
            warmup_epochs=0,
            warmup_lr=1e-5,
            final_lr=0.0,
        )
    )


def parse(arg, **defaults):
    """'a=1,b=x' -> a dict over `defaults`, each value of its default's type.

    Raises:
        ValueError: no key=value, an unknown key (lists the known), or a value of another type.
    """
    values = dict(defaults)
    for item in filter(None, (arg or '').split(',')):
        key, equals, text = item.partition('=')
        if not equals or key not in defaults:
            raise ValueError(
                f'{item!r} in the config argument: write key=value with a key of {", ".join(defaults)}'
            )
        try:
            values[key] = type(defaults[key])(text)
        except ValueError as error:
            kind = type(defaults[key]).__name__
            raise ValueError(f'{key}={text!r} in the config argument must be of type {kind}') from error
    return values


def choose(name, value, known):
    """`value`, or ValueError with the known ones."""
    if value not in known:
        raise ValueError(f'{name}={value!r} must be one of: {", ".join(known)}')
    return value


def of_row(table_name, rows, name):
    """The base config with the method of the row `name`.

    Raises:
        ValueError: there is no such row (lists them), or it cannot be run (says why).
    """
    by_name = {row['row']: row for row in rows}
    row = by_name[choose('row', name, tuple(by_name))]
    if 'refused' in row:
        raise ValueError(f'row={name} ({row["title"]}) cannot be run: {row["refused"]}')
    config = base()
    config.table, config.row = table_name, name
    config.mixing = row['mixing']
    config.mixing_args = ml_collections.ConfigDict(row['mixing_args'])
    return config


def table(name, rows, models, arg, *, dataset, default_row='resizemix'):
    """The config of a cell of a table: the base, its row's method, its model's recipe.

    Args:
        name: of the table.
        rows, models: ROWS and MODELS of its file.
        arg: the config's argument, keys row, model, recipe, seed.
        dataset: a file of resizemix_jax/data.
        default_row: the row if `arg` names none.

    Raises:
        ValueError: an argument that cannot be, or a row that is refused (with the reason).
    """
    args = parse(arg, row=default_row, model=models[0], recipe='paper', seed=0)
    choose('model', args['model'], models)
    choose('recipe', args['recipe'], recipes.NAMES)
    config = of_row(name, rows, args['row'])
    config.recipe, config.seed, config.dataset = args['recipe'], args['seed'], dataset
    recipes.MODELS[args['model']](config, args['recipe'])
    return config


def check_overrides(overrides):
    """Raises ValueError if an override changes what only names the run and would change nothing else."""
    for key in ('table', 'row', 'recipe'):
        if key in overrides:
            raise ValueError(
                f'--config.{key} cannot be overridden, since the values that hang on it are resolved; '
                f'write it into the argument: --config=FILE:{key}={overrides[key]}'
            )
