"""What the command can do: --mode=NAME is the function NAME of this file, which returns what is printed.

Each imports what it needs when it runs: --help, --list and a wrong flag answer at once.
"""

import shlex
from typing import Any, NamedTuple

from configs import common, show


class Request(NamedTuple):
    """What the command was asked for.

    Attributes:
        path: of the config's file, with the argument after its colon.
        config: resolved, overrides included.
        workdir: of the run.
        table: the names of the config's file.
        overrides: of the config on the command line.
        options: name -> value of the flags that belong to one mode.
    """

    path: str
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


def generate(request):
    """Mixes the training images by the network of the workdir, and writes a set to train on."""
    from resizemix_jax.generate import generate

    made = generate(request.config, request.workdir, request.options['output'])
    return (
        f'{made.tried} images tried, {made.kept} kept ({100 * made.kept / made.tried:.1f} %), after '
        f'{made.steps:.1f} steps on average; written to {made.directory}. Train on them with:\n'
        f'    {_student(request, made.directory)}'
    )


def _student(request, directory):
    """The command that trains on a generated set what the request would train."""
    own = ('dataset', 'data_dir', 'generate_images')
    kept = {k: v for k, v in request.overrides.items() if k not in own and not k.startswith('generate_args.')}
    flags = {**kept, 'dataset': 'generated', 'data_dir': directory}
    command = ['python', 'main.py', f'--config={request.path}', f'--workdir={directory}_run']
    return shlex.join(command + [f'--config.{key}={value}' for key, value in flags.items()])


MODES = {function.__name__: function for function in (train, evaluate, gallery, generate)}
