"""--mode=generate, SuperMix: a trained network mixes training images; the recognised mixtures are written."""

import functools
import logging
import pathlib
from typing import NamedTuple

import jax
import numpy as np

from resizemix_jax import build, keys
from resizemix_jax.datasets import generated
from resizemix_jax.devices import parallel
from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.find import check_keywords
from resizemix_jax.input import pipeline
from resizemix_jax.input.dataset import ImageSplit
from resizemix_jax.mixing import supermix
from resizemix_jax.mixing import supermix as mask_search
from resizemix_jax.normalize import denormalize, normalize
from resizemix_jax.pictures import drawing
from resizemix_jax.pictures.pairs import class_name
from resizemix_jax.run import network as networks

log = logging.getLogger(__name__)

REPORTS = 10  # progress lines in the log
ROWS, COLUMNS = 3, 8  # mixtures in the picture


class Summary(NamedTuple):
    """The outcome: images tried and kept, the mean steps of the kept ones, and the set's data_dir."""

    tried: int
    kept: int
    steps: float
    directory: pathlib.Path


def generate(config, workdir, output=''):
    """Writes a set of the training images and their mixtures, to train another network on, and a picture.

    Law: the stored images without augmentation, normalised, in the shuffled batches of the pipeline;
    `mixing/supermix.py` on each batch with the teacher in evaluation mode; finished rows are kept, labelled
    with the class that the teacher gives to the mixture, and rounded to uint8. The set holds the training
    images with their own labels, then the mixtures, in the order they were made.

    The published loss is CE(clean, label) + CE(mixture, teacher's class), in equal shares. Shuffled batches
    of the union give both terms in expectation, weighted by their numbers of images: equally if as many
    mixtures are kept as there are training images. The student augments both as its config says.

    Args:
        config: of the teacher's run; `generate_images`, `generate_args` and `seed` determine the set.
        workdir: of that run; its best checkpoint, or else its newest, is the teacher.
        output: the directory to create; '' is `workdir`/generated.

    Returns:
        A `Summary`.

    Raises:
        ConfigError: a wrong config, or an output that exists.
        DataError: data or checkpoint is missing, or the teacher recognises no mixture.
    """
    plan = build.plan(config)
    directory = pathlib.Path(output or pathlib.Path(workdir) / 'generated')
    _check(plan, directory)
    teacher = networks.restore(plan, workdir)
    if teacher is None:
        raise DataError(
            f'{workdir} has no checkpoint, and mixing needs a trained network. Train one there first, with '
            '--mode=train and the same --config and --workdir'
        )
    train, evaluation = (plan.dataset.read(split, config.data_dir) for split in ('train', 'eval'))
    mixtures, tried, steps = mix(plan, teacher, train)
    if not tried or not len(mixtures.label):
        raise DataError(
            f'the teacher recognised none of {tried} mixtures. Train it longer, or allow more steps with '
            '--config.generate_args.max_iters'
        )
    union = ImageSplit(
        np.concatenate([train.images, mixtures.images]),
        np.concatenate([train.label, mixtures.label]),
        train.names,
    )
    generated.write(
        directory, plan.dataset, union, evaluation, source=plan.dataset.name, mixed=len(mixtures.label),
        teacher_step=teacher.step, seed=config.seed, **config.generate_args,
    )  # fmt: skip
    draw(directory / 'mixtures.png', mixtures, train.names)
    return Summary(tried, len(mixtures.label), steps, directory)


def mix(plan, teacher, train):
    """The finished mixtures as an `ImageSplit`, the number tried, and the mean steps of the finished ones.

    Runs on the plan's first device. The host drives the iterations of the search: on CPU, convolutions inside
    a loop on the device are four times as slow; elsewhere an iteration takes much longer than its call.
    """
    config = plan.config
    size = min(config.batch_size, len(train.label))
    count = -(-config.generate_images // size) or len(train.label) // size
    draw, advance, finish = _parts(plan)
    teacher = parallel.place(teacher, plan.devices[:1])
    key = keys.stream(keys.root(config.seed), 'generate')
    images, label, steps = [], [], []
    for index in range(count):
        batch = pipeline.train_batch(train, size, config.seed, index)
        problem, found = draw(teacher, keys.at_step(key, index), batch['images'])
        going = True
        while going:
            found, going = advance(teacher, problem, found)
        done = np.asarray(found.finished)
        for rows, values in ((images, finish(problem, found)), (label, found.answer), (steps, found.steps)):
            rows.append(np.asarray(values)[done])
        if (index + 1) % max(count // REPORTS, 1) == 0:
            log.info('%d of %d images mixed, %d kept', (index + 1) * size, count * size, sum(map(len, label)))
    steps = np.concatenate(steps)
    mean = float(steps.mean()) if len(steps) else 0.0
    return ImageSplit(np.concatenate(images), np.concatenate(label)), count * size, mean


def draw(path, mixtures, names):
    """The first mixtures, with the classes that the teacher gives them."""
    shown = min(ROWS * COLUMNS, len(mixtures.label))
    cells = [
        drawing.Cell(image, class_name(names, label))
        for image, label in zip(mixtures.images[:shown], mixtures.label[:shown], strict=True)
    ]
    cells += [drawing.Cell(np.full_like(cells[0].image, 255))] * (-shown % COLUMNS)
    rows = [cells[k : k + COLUMNS] for k in range(0, len(cells), COLUMNS)]
    drawing.grid(path, "Mixtures, and the teacher's classes", [''] * COLUMNS, rows)


def _parts(plan):
    """The functions that the host calls for every batch: draw, one iteration, and the images in uint8."""
    args, dataset, model = plan.config.generate_args, plan.dataset, plan.task.model

    @jax.jit
    def draw(teacher, key, images):
        look = functools.partial(teacher.logits, model)
        images = normalize(images, dataset.mean, dataset.std)
        problem = supermix.draw_problem(key, images, look, k=args.k, alpha=args.alpha)
        return problem, mask_search.begin(look, problem, mask_size=args.mask_size, lambda_s=args.lambda_s)

    @jax.jit
    def advance(teacher, problem, found):
        look = functools.partial(teacher.logits, model)
        found = mask_search.advance(
            look, problem, found, sigma=args.sigma, lambda_s=args.lambda_s, variant=args.variant
        )
        return found, mask_search.should_continue(found, max_iters=args.max_iters, leftover=args.leftover)

    @jax.jit
    def finish(problem, found):
        return denormalize(mask_search.mixed(problem, found.logits), dataset.mean, dataset.std)

    return draw, advance, finish


def _check(plan, directory):
    """Raises ConfigError for errors that would appear only after the search."""
    config, dataset = plan.config, plan.dataset
    if not hasattr(plan.task, 'logits'):
        raise ConfigError(
            f'task={config.task!r} classifies no images, and SuperMix mixes images by a classifier of them'
        )
    if dataset.streamed:
        raise ConfigError(
            f'dataset={config.dataset} is streamed, and a generated set is written from memory: SuperMix '
            'takes a dataset that fits into it, e.g. cifar100'
        )
    if directory.exists():
        raise ConfigError(f'{directory} exists, and nothing is overwritten; name another with --output=DIR')
    try:
        check_keywords(supermix.supermix, config.generate_args)
        supermix.check_numbers((config.batch_size, *dataset.image_shape), **config.generate_args)
        supermix.check_classes(dataset.num_classes)
    except (ValueError, TypeError) as error:
        raise ConfigError(f'generate_args: {error}') from error
    if dataset.image_shape[-1] not in (1, 3):
        raise ConfigError(f'images of {dataset.image_shape[-1]} channels cannot be written; it takes 1 or 3')
    if (config.half_train, config.half_eval) != ('full', 'full'):
        raise ConfigError(
            'a teacher of half the resolution cannot mix whole images; use one of full resolution'
        )
