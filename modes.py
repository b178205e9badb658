"""What the command can do: --mode=NAME is the function NAME of this file, which returns what is printed.

Each imports what it needs when it runs: --help, --list and a wrong flag answer at once.
"""

from typing import Any, NamedTuple

from configs import common, show


class Request(NamedTuple):
    """What the command was asked for.

    Attributes:
        config: the resolved config, overrides included.
        workdir: of the run.
        table: the names of the config's file.
        overrides: of the config on the command line.
        options: name -> value of the flags that belong to one mode.
    """

    config: Any
    workdir: str
    table: dict
    overrides: dict
    options: dict


def train(request):
    """Trains, or continues."""
    from resizemix_jax.train import train_and_evaluate

    change = request.options['allow_config_change']
    result = train_and_evaluate(request.config, request.workdir, change)
    return show.conclusion(request.table, result, request.overrides)


def evaluate(request):
    """Evaluates the newest and the best checkpoint."""
    from resizemix_jax.evaluate import evaluate_checkpoint

    result = evaluate_checkpoint(request.config, request.workdir)
    return show.conclusion(request.table, result, request.overrides)


def gallery(request):
    """Draws what the network is shown."""
    from resizemix_jax.gallery import gallery

    variants = common.variants(request.config, request.table)
    images = request.options['images'], request.options['image_size']
    return '\n'.join(map(str, gallery(request.config, request.workdir, variants, *images)))


MODES = {function.__name__: function for function in (train, evaluate, gallery)}
