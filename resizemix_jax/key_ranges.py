"""The ranges of the config's own keys. The keywords of a member are checked by the member, and the keys of a
task by the task."""

from resizemix_jax.ranges import NOT_NEGATIVE, Choice, Flag, Number, Several, Text, Whole

BATCH = Whole(1, 2**20)  # the largest published ones are a tenth of it

RANGES = {
    'format': Whole(1),
    'table': Text(),
    'row': Text(),
    'column': Text(),
    'recipe': Text(),
    'scale': Text(),
    'task': Text(),
    'seed': Whole(0, 2**63 - 1),
    'dataset': Text(),
    'data_dir': Text(),
    'held_out': Number(0, 1, '[)'),
    'model': Text(),
    'remat': Flag(),
    'init': Text(),
    'init_scope': Choice('all', 'backbone'),
    'freeze': Several(Text()),
    'augment': Text(),
    'policy': Text(),
    'mixing': Text(),
    'saliency': Text(),
    'saliency_layer': Whole(0),
    'saliency_mode': Choice('train', 'eval'),
    'optimizer': Text(),
    'schedule': Text(),
    'logger': Text(),
    'batch_size': BATCH,
    'micro_batches': BATCH,
    'epochs': Whole(1),
    'steps': Whole(0),
    'eval_batch_size': BATCH,
    'log_every_steps': Whole(1),
    'eval_every_epochs': Whole(1),
    'save_every_epochs': Whole(1),
    'save_every_minutes': NOT_NEGATIVE,
    'keep_every': Whole(0),
    'max_to_keep': Whole(1),
    'gallery_every': Whole(0),
    'profile_steps': Whole(0, 10_000),  # a trace of more can hardly be opened
    'num_devices': Whole(0),
    'workers': Whole(-1, 1024),
    'input_timeout': NOT_NEGATIVE,
    'generate_images': Whole(0),
}


def check(values):
    """Raises ValueError for the first value of a config out of its range, or a key that it lacks.

    Args:
        values: all keys of a config -> values, `config.to_dict()`.
    """
    for key, allowed in RANGES.items():
        if key not in values:
            raise ValueError(f'the config has no key {key!r}; begin with resizemix_jax.config.base()')
        allowed.check(**{key: values[key]})


def check_given(values):
    """Raises ValueError for the first of some values, e.g. of the command line, out of its range."""
    for key, value in values.items():
        if key in RANGES:
            RANGES[key].check(**{key: value})
