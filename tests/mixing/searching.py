"""A search of SuperMix, step by step, for the tests of the search and of the op."""

import functools

import jax

from resizemix_jax.mixing import _mask_search as mask_search
from resizemix_jax.mixing.supermix import draw_problem
from tests.mixing import teachers

BATCH, HEIGHT, WIDTH, CLASSES, CELLS = 32, 8, 12, 6, 4
TEACHER = teachers.linear(CLASSES, gain=4.0)
SEARCH = dict(sigma=1.0, lambda_s=25.0, variant='symmetric')


def make_images(size=BATCH):
    """Random fields that are smooth enough to have a class."""
    coarse = jax.random.normal(jax.random.key(5), (size, 4, 4, 2))
    return 2 * jax.image.resize(coarse, (size, HEIGHT, WIDTH, 2), 'nearest')


@functools.cache
def problem_of(k=2):
    return draw_problem(jax.random.key(1), make_images(), TEACHER, k=k, alpha=3.0)


@functools.cache
def advance():
    return jax.jit(functools.partial(mask_search.advance, TEACHER, **SEARCH))


@functools.cache
def searched(k=2, steps=10):
    """The search at its beginning and after every step."""
    problem = problem_of(k)
    made = [mask_search.begin(TEACHER, problem, mask_size=CELLS, lambda_s=25.0)]
    for _ in range(steps):
        made.append(advance()(problem, made[-1]))
    return made
