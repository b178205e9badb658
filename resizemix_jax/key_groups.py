"""What a change of a key means: groups of keys, and the difference of two configs."""

# What the rows of a table may differ in, and still be drawn side by side: see `config.base`.
METHOD_KEYS = (
    'task', 'task_args', 'augment', 'augment_args', 'policy', 'policy_args', 'policy_place', 'batch_augment',
    'mixing', 'mixing_args', 'saliency', 'saliency_args', 'saliency_layer', 'saliency_mode', 'half_train',
    'half_eval', 'loss', 'label_smoothing',
)  # fmt: skip

# What may differ between two parts of one run, without making it another experiment.
LOGGING_KEYS = (
    'log_every_steps', 'gallery_every', 'profile_steps', 'save_every_epochs', 'save_every_minutes',
    'keep_every', 'max_to_keep', 'logger', 'logger_args',
)  # fmt: skip
DEVICE_KEYS = ('data_dir', 'num_devices', 'workers', 'input_timeout', 'eval_batch_size', 'remat')
GENERATE_KEYS = ('generate_images', 'generate_args')  # of --mode=generate alone
# May change in a run that continues, and change its course: where it is, its learning rates, its best step.
SHIFTING_KEYS = ('batch_size', 'epochs', 'steps', 'eval_every_epochs')


def group(key):
    """What a change of a key means for a run that continues: 'free', 'shifts' or 'experiment'.

    Args:
        key: e.g. 'batch_size' or 'mixing_args.tau'.
    """
    top = key.partition('.')[0]
    if top in (*LOGGING_KEYS, *DEVICE_KEYS, *GENERATE_KEYS):
        return 'free'
    return 'shifts' if top in SHIFTING_KEYS else 'experiment'


def differences(old, new, ignore=(*LOGGING_KEYS, *DEVICE_KEYS, *GENERATE_KEYS)):
    """The keys in which two stored configs differ.

    Args:
        old, new: as `stored` gives them.
        ignore: top-level keys that do not count; by default those whose `group` is 'free'.

    Returns:
        A list of (key, old value, new value), sorted; a key that one of them lacks is 'absent' there.
    """
    return _differences(old, new, '', ignore)


def _differences(old, new, prefix, ignore):
    found = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key, 'absent'), new.get(key, 'absent')
        if before == after or prefix + key in ignore:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            found += _differences(before, after, f'{prefix}{key}.', ignore)
        else:
            found.append((prefix + key, before, after))
    return found
