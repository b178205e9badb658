"""Pictures of the network's inputs, made by the training's own code, and of the regions it responds to."""

import logging
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from resizemix_jax import build, keys
from resizemix_jax.errors import ConfigError
from resizemix_jax.find import bind
from resizemix_jax.input.pictures import read_pictures
from resizemix_jax.normalize import denormalize, normalize
from resizemix_jax.pictures import drawing
from resizemix_jax.pictures.drawing import Cell
from resizemix_jax.pictures.pairs import choose_pairs, class_name
from resizemix_jax.run import network as networks
from resizemix_jax.run.network import Network
from resizemix_jax.saliency import class_maps

log = logging.getLogger(__name__)

HEAT_PAIRS = 3  # of the pairs, in a picture of heat maps
HEATS = ('grad_cam', 'cam')


def gallery(config, workdir, variants, images='', side=224):
    """Draws the methods of a table, and the heat maps of the network that was trained in `workdir`.

    Args:
        config: of the run.
        workdir: of the run, trained or not; its folder gallery/ takes the pictures.
        variants: (title, config) of every method to show.
        images: a directory of the user's own pictures to mix; '' takes the dataset's training images.
        side: pixels, of those pictures.

    Returns:
        The paths of the pictures.

    Raises:
        ConfigError: a wrong config.
        DataError: data that is missing, or a checkpoint of another network.
    """
    plan = build.plan(config)
    if not hasattr(plan.task, 'draw'):
        raise ConfigError(f'task={config.task!r} draws no pictures; see `draw` in resizemix_jax/tasks')
    split = read_pictures(images, side) if images else plan.dataset.read('train', config.data_dir)
    pairs = choose_pairs(split, config.seed, pictures=bool(images))
    channels = pairs.images.shape[-1]
    guided = any(variant.saliency in class_maps.METHODS for _, variant in variants)
    network = None
    if channels == plan.dataset.image_shape[-1]:
        network = _restore(plan, workdir, or_new=guided)
    elif guided:
        log.warning(
            'The network takes %d channels, the pictures have %d: the methods that it guides are left out',
            plan.dataset.image_shape[-1], channels,
        )  # fmt: skip
        variants = [
            (title, variant) for title, variant in variants if variant.saliency not in class_maps.METHODS
        ]
    return draw(plan.dataset, variants, pairs, network, pathlib.Path(workdir) / 'gallery')


def draw(dataset, variants, pairs, network, directory, suffix=''):
    """Writes methods<suffix>.png and, with a trained network, cam<suffix>.png and grad_cam<suffix>.png.

    Args:
        dataset: `input.dataset.Dataset`.
        variants: (title, config) of every method.
        pairs: `Pairs`.
        network: `Network`, or None if no method is guided by one.
        directory: is created.
        suffix: of the files' names.

    Returns:
        Their paths.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tasks = [_task(variant, dataset) for _, variant in variants]
    titles = [title for title, _ in variants]
    mixed = [task.draw(network, pairs, variants[0][1].seed) for task in tasks]
    paths = [directory / f'methods{suffix}.png']
    header = ['target', 'source', *titles]
    rows = [
        [_original(pairs, 2 * k), _original(pairs, 2 * k + 1)]
        + [
            Cell(denormalize(images[k], dataset.mean, dataset.std), pairs.weights(k, lam[k]))
            for images, lam in mixed
        ]
        for k in range(len(pairs.label) // 2)
    ]
    drawing.grid(paths[0], "The network's inputs and their labels", header, rows)
    if network and network.step:
        for kind in HEATS:
            paths.append(directory / f'{kind}{suffix}.png')
            draw_heat(paths[-1], kind, tasks, titles, mixed, pairs, network)
    return paths


def draw_heat(path, kind, tasks, titles, mixed, pairs, network):
    """Figure 5: for a few pairs, the originals and the mixed images with the heat maps of both classes."""
    task, dataset = tasks[0], tasks[0].dataset
    count = min(HEAT_PAIRS, len(pairs.label) // 2)
    plain = normalize(pairs.images[: 2 * count], dataset.mean, dataset.std)
    label, names = pairs.label, pairs.names
    if pairs.pictures:  # only the network knows their classes
        label, names = np.asarray(jnp.argmax(network.logits(task.model, plain), axis=-1)), ()
    shown = [('target', plain[::2]), ('source', plain[1::2])]
    shown += [(t, images[:count]) for t, (images, lam) in zip(titles, mixed, strict=True) if lam.any()]
    heat_of = jax.jit(lambda network, images, label: task.heat(network, kind, images, label))
    rows = []
    for title, images in shown:
        heats = [heat_of(network, images, label[side : 2 * count : 2]) for side in (0, 1)]
        row = []
        for k, image in enumerate(np.asarray(denormalize(images, dataset.mean, dataset.std))):
            row.append(Cell(image, title))
            row += [Cell(image, f'p = {chance[k]:.2f}', np.asarray(heat[k])) for heat, chance in heats]
        rows.append(row)
    header = []
    for k in range(count):
        header += ['', *(f'evidence for {class_name(names, label[2 * k + side])}' for side in (0, 1))]
    title = f'{kind} of the network at step {network.step}; p is the probability that it gives the class'
    drawing.grid(path, title, header, rows)


def _task(config, dataset):
    config = config.copy_and_resolve_references()
    with config.unlocked():
        config.batch_norm = 'local'  # pictures are made on one device
    return bind('tasks', config.task, config.task_args)(config, dataset)


def _restore(plan, workdir, or_new):
    """The network of a workdir; without a checkpoint a new one, or None."""
    trained = networks.restore(plan, workdir)
    if trained:
        return trained
    log.info('%s has no checkpoint: no heat maps%s', workdir, ', guided by a new network' if or_new else '')
    if not or_new:
        return None
    variables = jax.jit(plan.task.init)(keys.stream(keys.root(plan.config.seed), 'init'))
    return Network(variables['params'], variables.get('batch_stats', {}), 0)


def _original(pairs, index):
    return Cell(pairs.images[index], pairs.name(index))
