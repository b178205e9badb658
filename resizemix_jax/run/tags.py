"""The names of a run's numbers in TensorBoard and loggers, in groups; metrics.jsonl keeps its own."""

GROUPS = 'train', 'eval'
SCORES = '_last', '_best', '_median10'  # the ends of what result.json measures


def of_row(values):
    """A row's values by tag: `train_loss` is 'train/loss', and what belongs to no group is of its 'time/'.

    >>> of_row({'train_loss': 1.5, 'epoch': 2.0, 'images_per_second': 3.0})
    {'train/loss': 1.5, 'train/epoch': 2.0, 'time/images_per_second': 3.0}
    """
    return {_tag(name): value for name, value in values.items()}


def of_result(result):
    """The scores of result.json by tag: 'result/' and their name."""
    return {f'result/{name}': value for name, value in result.items() if name.endswith(SCORES)}


def of_picture(path):
    """The tag of a picture of the gallery: 'gallery/' and its name without the step."""
    return f'gallery/{path.stem.rpartition("_")[0]}'


def _tag(name):
    group, _, rest = name.partition('_')
    if group in GROUPS:
        return f'{group}/{rest}'
    return 'train/epoch' if name == 'epoch' else f'time/{name}'
