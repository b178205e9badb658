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

RECIPES = ('paper', 'released')

# The two columns that most tables have.
WRN, SS = 'wrn28_10', 'ss26_2x96d'

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
    config.optimizer = ml_collections.ConfigDict(
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

    config.eval_batch_size = 512
    config.log_every_steps = 50
    config.eval_every_epochs = 1
    config.save_every_epochs = 1
    config.max_to_keep = 1  # newest checkpoints; the best one is kept besides
    config.num_devices = 0  # 0: all
    return config


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


def table(name, rows, models, arg, *, dataset):
    """The config of a cell of a table: the base, its row's method, its model's recipe.

    Args:
        name: of the table.
        rows, models: ROWS and MODELS of its file.
        arg: the config's argument, keys row, model, recipe, seed.
        dataset: a file of resizemix_jax/data.

    Raises:
        ValueError: an argument that cannot be, or a row that is refused (with the reason).
    """
    args = parse(arg, row='resizemix', model=models[0], recipe='paper', seed=0)
    by_name = {row['row']: row for row in rows}
    row = by_name[choose('row', args['row'], tuple(by_name))]
    if 'refused' in row:
        raise ValueError(f'row={row["row"]} ({row["title"]}) cannot be run: {row["refused"]}')
    choose('model', args['model'], models)
    choose('recipe', args['recipe'], RECIPES)
    config = base()
    config.table, config.row = name, row['row']
    config.recipe, config.seed = args['recipe'], args['seed']
    config.dataset = dataset
    MODEL_RECIPES[args['model']](config, args['recipe'])
    config.mixing = row['mixing']
    config.mixing_args = ml_collections.ConfigDict(row['mixing_args'])
    return config


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
    resized and flipped while they are decoded, so the step augments nothing.
    """

    def recipe_of(config, recipe):
        config.model = 'resnet'
        config.model_args = ml_collections.ConfigDict(dict(depth=depth, width=64))
        config.augment = 'none'
        config.augment_args = ml_collections.ConfigDict()
        config.epochs, config.batch_size = 300, 512
        config.optimizer.update(lr=0.5, weight_decay=4e-5, nesterov=recipe == 'paper')

    return recipe_of


MODEL_RECIPES = {
    WRN: wrn28_10,
    SS: ss26_2x96d,
    'resnet50': resnet(50),
    'resnet101': resnet(101),
}


def cutmix_args(prob):
    """CutMix's README: prob 0.5 for CIFAR, 1.0 for ImageNet."""
    return dict(alpha=1.0, prob=prob, per='batch')


def resizemix_args(tau=(0.1, 0.8)):
    """Paper, section 5.1.1 and Table 8; what it leaves open is as in the released code."""
    return dict(tau=tau, per='batch', method='nearest', antialias=True)


def check_overrides(overrides):
    """Raises ValueError if an override changes what only names the run and would change nothing else."""
    for key in ('table', 'row', 'recipe'):
        if key in overrides:
            raise ValueError(
                f'--config.{key} cannot be overridden, since the values that hang on it are resolved; '
                f'write it into the argument: --config=FILE:{key}={overrides[key]}'
            )


def listing(path, table):
    """A table's rows as text: title, the paper's numbers, and the command or the reason against it.

    Args:
        path: of the table's file.
        table: its names, ROWS and MODELS among them.
    """
    lines = []
    models = table.get('MODELS', ())
    for row in table.get('ROWS', ()):
        lines.append(f'{row["title"]}  (paper: {_numbers(row)})')
        if 'refused' in row:
            lines.append(f'    cannot be run: {row["refused"]}')
            continue
        for model in models:
            name = f'{row["row"]},model={model}' if len(models) > 1 else row['row']
            workdir = f'runs/{path.stem}_{row["row"]}_{model}_seed0'
            lines.append(f'    python main.py --config={path}:row={name},seed=0 --workdir={workdir}')
    return '\n'.join(lines) or f'{path} has no rows; its docstring says how it is used'


def conclusion(table, result, overrides):
    """A run's accuracies, and the paper's numbers of the row, as text.

    Args:
        table: the names of the config's file.
        result: name -> number.
        overrides: of the config on the command line.
    """
    lines = [f'{name}: {100 * value:.2f} %' for name, value in result.items() if 'top1' in name]
    for row in table.get('ROWS', ()):
        if row['row'] == result.get('row') and row['paper']:
            lines.append(f'the paper, {row["title"]}: {_numbers(row)}')
            if overrides:
                lines.append(f'not comparable: this run overrides {", ".join(sorted(overrides))}')
    return '\n'.join(lines)


def _numbers(row):
    return ', '.join(f'{column} {number:g}' for column, number in row['paper'].items()) or 'no number'
