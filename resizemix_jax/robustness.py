"""How a network's score falls on perturbed images: --mode=evaluate --robustness=NAME,...

The name of a condition (see `perturbations`), e.g. fgsm_4, stands before the score in the values of an
evaluation: best_fgsm_4_SCORE.
"""

import functools

import jax
import numpy as np

from resizemix_jax import build
from resizemix_jax.devices import parallel
from resizemix_jax.errors import ConfigError
from resizemix_jax.find import names
from resizemix_jax.perturbations import CORRUPTIONS, SEVERITIES
from resizemix_jax.state import NetworkError

NETWORKS = 'last', 'best'  # with which the names of an evaluation's values begin


def check(plan, chosen):
    """Raises ConfigError for Perturbations that do not fit a `build.Plan`; traces them, computes nothing."""
    config = plan.config
    (shape, dtype), *others = (bucket.get('images', ((), None)) for bucket in plan.dataset.buckets)
    if others or len(shape) != 3 or dtype != np.uint8:
        raise ConfigError(
            f'--robustness perturbs uint8 images of one size, and dataset={config.dataset!r} has others'
        )
    for one in chosen:
        if one.name == 'fgsm' and not hasattr(plan.task, 'gradient'):
            raise ConfigError(f'--robustness=fgsm: task={config.task!r} has no gradient of its images')
        if one.name in ('fgsm', 'half') and config.get('half_eval', 'full') != 'full':
            raise ConfigError(
                f'--robustness={one.name} is of images at full resolution, and half_eval='
                f'{config.half_eval!r}; leave it out, or evaluate with --config.half_eval=full'
            )
        _trace(plan, one)


def make_step(plan, chosen):
    """The evaluation step (state, batch) -> (sums, rows) of all conditions, one after the other.

    So every batch is read once. The names of the sums and rows have the condition and a / before them, see
    `of_condition`.

    Args:
        plan: `build.Plan`.
        chosen: Perturbations that `check` accepts.
    """
    steps = dict(_conditions(plan, chosen))

    def step(state, batch):
        sums, rows = {}, {}
        for name, one in steps.items():
            # On the host at once: perturbed batches do not pile up on the device.
            own, own_rows = parallel.to_host(one(state, batch))
            sums |= {'examples': own['examples']} | _renamed(own, name)
            rows |= {key: own_rows[key] for key in ('row', 'valid') if own_rows} | _renamed(own_rows, name)
        return sums, rows

    return step


def of_condition(name, sums, rows):
    """The sums and the rows of one condition, under their own names; arguments as `evaluate.count` gives."""
    start = f'{name}/'
    return tuple(
        {key.removeprefix(start): value for key, value in some.items() if key.startswith(start)}
        for some in (sums, rows)
    )


def _renamed(some, name):
    return {f'{name}/{key}': value for key, value in some.items()}


def _conditions(plan, chosen):
    """(name, step) of every condition."""
    steps = {}  # by the size of the images
    for one in chosen:
        compiled = {}
        for name, strength in one.strengths.items():
            fixed = None if one.traced else strength
            if fixed not in compiled:
                compiled[fixed] = parallel.on_shares(_step(plan.task, one, fixed), plan.devices)
            shape = _shape(plan, one, strength)
            if shape not in steps:
                steps[shape] = build.eval_step(_at_size(plan, shape))
            yield name, functools.partial(_evaluate, steps[shape], compiled[fixed], np.float32(strength))


def without(values, chosen):
    """The values of an evaluation that are not of a condition: name -> number."""
    starts = tuple(
        f'{network}_{name}_'
        for network in NETWORKS
        for name in (CORRUPTIONS, *(name for one in chosen for name in one.strengths))
    )
    return {name: value for name, value in values.items() if not name.startswith(starts)}


def summary(values, score, chosen):
    """The scores as text: a line for each perturbation and each network, 'last' and 'best'.

    Args:
        values: of an evaluation, name -> number.
        score: the name of the score.
        chosen: Perturbations.
    """
    lines = []
    for network in NETWORKS:
        if f'{network}_{score}' in values:
            lines.append(f'{network}, {score} in %: {100 * values[f"{network}_{score}"]:.2f}')
        for one in chosen:
            found = {name: values.get(f'{network}_{name}_{score}') for name in one.strengths}
            words = ', '.join(
                f'{name.removeprefix(one.name + "_")}: {100 * value:.2f}'
                for name, value in found.items()
                if value is not None
            )
            lines += [f'    {one.name:14} {words}'] if words else []
        mean = values.get(f'{network}_{CORRUPTIONS}_{score}')
        lines += [] if mean is None else [f'    mean of all corruptions: {100 * mean:.2f}']
    return '\n'.join(lines)


def mean(values, score):
    """The mean score over all corruptions and severities, or None unless all of them are in `values`.

    Args:
        values: name of a condition and the score, e.g. snow_1_SCORE, without the network's name -> number.
    """
    wanted = {f'{name}_{severity}_{score}' for name in names(CORRUPTIONS) for severity in SEVERITIES}
    return float(np.mean([values[one] for one in wanted])) if wanted and values.keys() >= wanted else None


def _step(task, one, fixed):
    """(state, batch, strength) -> batch, of one device's share; a strength that is `fixed` is not read."""

    def step(state, batch, strength):
        images = one.apply(task, state, batch, strength if fixed is None else fixed)
        return batch | {'images': images}

    return step


def _evaluate(eval_step, perturb, strength, state, batch):
    return eval_step(state, perturb(state, batch, strength))


def _trace(plan, one):
    """Runs a perturbation and the network behind it on shapes, at the least strength."""
    count = plan.eval_batch_size // len(plan.devices)
    variables = jax.eval_shape(plan.task.init, jax.eval_shape(jax.random.key, 0))
    state = build.template(plan)
    (batch,) = build.eval_batches(plan._replace(eval_batch_size=count))
    strength = min(one.strengths.values())
    try:
        perturbed = parallel.trace(
            lambda state, batch: _step(plan.task, one, strength)(state, batch, None), state, batch
        )
        perturbed = {name: jax.ShapeDtypeStruct(a.shape[1:], a.dtype) for name, a in perturbed.items()}
        stats = variables.get('batch_stats', {})
        parallel.trace(plan.task.measure, variables['params'], stats, perturbed)
    except NetworkError as error:
        raise ConfigError(
            f'--robustness={one.name}: model={plan.config.model!r} takes no images of half the size; leave '
            'it out'
        ) from error
    except ValueError as error:
        raise ConfigError(f'--robustness={one.name}: {error}') from error


def _shape(plan, one, strength):
    """(h, w, C) of the images of a condition."""
    height, width, channels = plan.dataset.image_shape
    return (height // 2, width // 2, channels) if one.name == 'half' else (height, width, channels)


def _at_size(plan, shape):
    """A plan whose evaluation batches have images of another size."""
    (bucket,) = plan.dataset.buckets
    bucket = bucket | {'images': (shape, bucket['images'][1])}
    return plan._replace(dataset=plan.dataset._replace(buckets=(bucket,)))
