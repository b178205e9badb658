"""--mode=export: the network of a run as files for other programs, and a page that says what they are."""

import importlib
import json
import logging
import pathlib

import jax
import jax.numpy as jnp

from resizemix_jax import build
from resizemix_jax import config as configs
from resizemix_jax.errors import ConfigError, first_line
from resizemix_jax.input.held_out import EVAL
from resizemix_jax.run import files, identity, results
from resizemix_jax.run import network as networks
from resizemix_jax.run.leaves import named
from resizemix_jax.run.workdir import RESULT
from resizemix_jax.run.writers import METRICS
from resizemix_jax.weights import card
from resizemix_jax.weights.files import write_pth, write_safetensors
from resizemix_jax.weights.torch_layout import Layout, Network

log = logging.getLogger(__name__)

PLATFORMS = ('cpu', 'cuda', 'tpu')  # that the program of model.stablehlo runs on
DIRECTORY = 'export'  # of a workdir
PACKAGES = 'safetensors', 'flatbuffers'  # that writing the files needs


def export(config, workdir, output='', describe=lambda result: ''):
    """Writes the network of a run: its best checkpoint, or else the newest.

    model.safetensors  parameters and statistics with torch's names and axes, see `weights.torch_layout`,
                       and how to use them as metadata (`metadata`).
    model.pth          the same, for `torch.load(FILE, weights_only=True)`.
    model.stablehlo    the whole program, weights and preprocessing included, for `jax.export.deserialize`:
                       images uint8 [B, H, W, C], any B -> probabilities float32 [B, K]; cpu, cuda and tpu.
    README.md          the model card.

    Args:
        config: of the run.
        workdir: of the run.
        output: the directory to create; '' is `workdir`/export.
        describe: (name -> number) -> text for the card: the score, and the paper's number beside it.

    Returns:
        The directory, a pathlib.Path.

    Raises:
        ConfigError: a wrong config, no checkpoint, an output that exists, a task without `predict`, or a
            network without torch's names.
        DataError: the checkpoint is damaged, or of another network.
        ModuleNotFoundError: a package of the extra `export` is missing.
    """
    plan = build.plan(config)
    workdir = pathlib.Path(workdir)
    directory = pathlib.Path(output or workdir / DIRECTORY)
    layout = _check(plan, directory)
    network = networks.restore(plan, workdir)
    if network is None:
        raise ConfigError(f'{workdir} has no checkpoint to export; train first with --mode=train')
    score = _score(plan, workdir, network.step)
    facts = metadata(plan, workdir, network.step, score)
    tensors = layout.to_torch(Network(named(network.params), named(network.batch_stats)), network.step)
    program = to_stablehlo(plan, network)
    part = _part(directory)
    files.make_directory(part)
    write_safetensors(part / 'model.safetensors', tensors, facts)
    write_pth(part / 'model.pth', tensors)
    files.write_bytes(part / 'model.stablehlo', program)
    files.write_text(part / 'README.md', card.text(facts, layout.source, describe(score).splitlines()))
    files.rename(part, directory)
    log.info('Exported the network of step %d to %s', network.step, directory)
    return directory


def to_stablehlo(plan, network):
    """The program of a network with its weights, serialised by `jax.export`; see `export`."""
    images = jax.ShapeDtypeStruct(
        jax.export.symbolic_shape(', '.join(map(str, ('b', *plan.dataset.image_shape)))), jnp.uint8
    )

    def predict(images):
        return plan.task.predict(network.params, network.batch_stats, images)

    try:
        return jax.export.export(jax.jit(predict), platforms=PLATFORMS)(images).serialize()
    except Exception as error:  # a network of the user's own may fail in any way
        raise ConfigError(
            f'model={plan.config.model!r} cannot be exported for batches of any size: '
            f'{type(error).__name__}: {first_line(error)}. Take sizes in it from x.shape, not by len(x)'
        ) from error


def metadata(plan, workdir, step, score):
    """How the weights are used and how they were made: name -> text; all but words is JSON.

    Args:
        plan: `build.Plan`.
        workdir: of the run.
        step: of the checkpoint.
        score: name -> what the checkpoint reached, or {}.
    """
    config, dataset = plan.config, plan.dataset
    starts = files.read_rows(workdir / identity.IDENTITY)[0]
    latest = starts[-1] if starts else {}
    stored = configs.complete(configs.stored(config))
    facts = {
        'model': config.model,
        'model_args': stored['model_args'],
        'num_classes': dataset.num_classes,
        'classes': latest.get('data', {}).get('eval', {}).get('names') or [],
        'image_shape': dataset.image_shape,
        'mean': dataset.mean,
        'std': dataset.std,
        'half_eval': config.half_eval,
        'dataset': dataset.name.partition(':/')[0],  # the path of a folder is its owner's
        **{key: config[key] for key in ('table', 'row', 'column', 'recipe', 'scale', 'mixing', 'seed')},
        'step': step,
        'epochs': config.epochs,
        'score': score,
        'versions': latest.get('versions', {}),
        'commit': (latest.get('commit') or 'unknown') + (', with changes' if latest.get('dirty') else ''),
        'format': 'pt',  # torch's names and axes, as the readers of safetensors files know it
    }
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in facts.items()}


def _score(plan, workdir, step):
    """The task's score of the evaluation at a step: name -> number; {} if that is not known.

    Of a run with a held-out part `evaluated_on` says that it is of that, and once the run is finished there
    is the best state's score on the test split.
    """
    name = plan.task.score
    at_step = [row for row in files.read_rows(workdir / METRICS)[0] if row['step'] == step]
    values = [row[f'eval_{name}'] for row in at_step if f'eval_{name}' in row]
    found = {name: values[-1]} if values else {}
    if found and plan.evaluated_on != EVAL:
        found['evaluated_on'] = plan.evaluated_on
        tested, result = f'{results.TEST}{name}_best', workdir / RESULT
        known = files.read_json(result) if files.exists(result) else {}
        found |= {tested: known[tested]} if tested in known else {}
    return found


def _part(directory):
    """Where the files are until all of them are whole."""
    return directory.with_name(directory.name + files.PART)


def _check(plan, directory):
    """The `Layout` of a plan's network; an error for what would fail later."""
    if files.exists(_part(directory)):
        raise ConfigError(
            f'{_part(directory)} exists, as an export that was stopped leaves it; delete it, or name another '
            'directory with --output=DIR'
        )
    for package in PACKAGES:
        importlib.import_module(package)
    if files.exists(directory):
        raise ConfigError(f'{directory} exists, and nothing is overwritten; name another with --output=DIR')
    if not hasattr(plan.task, 'predict'):
        raise ConfigError(f'task={plan.config.task!r} has no `predict`, which --mode=export needs; add it')
    layout = Layout(plan.config.model, plan.config.model_args)
    template = build.template(plan)
    layout.names(Network(named(template.params), named(template.batch_stats)))
    return layout
