"""Every mixing op against a plain jitted copy of its batch: time, memory, compilation.

python -m benchmarks.mixing [--rounds=30]
"""

import functools
import inspect
import time

import jax
import jax.numpy as jnp

from benchmarks import timing
from resizemix_jax.find import find, names

SHAPES = ((256, 32, 32, 3), (64, 224, 224, 3))
FURTHER = {  # op -> a word for the table -> arguments
    'resizemix': {'linear': {'method': 'linear'}},
    'fmix': {'textbook': {'spectrum': 'textbook'}},
}


def cases():
    """name -> op, every way that an op draws, and the ones of FURTHER."""
    made = {}
    for name in names('mixing'):
        function = find('mixing', name)
        for per in ('batch', 'sample') if 'per' in inspect.signature(function).parameters else ('',):
            keywords = {'per': per} if per else {}
            made[f'{name} {per}'.strip()] = functools.partial(guided(function), **keywords)
            for word, more in FURTHER.get(name, {}).items():
                made[f'{name} {per} {word}'] = functools.partial(function, **keywords, **more)
    return made


def guided(function):
    """The op with one channel for its map, if it takes one: what making a map costs is not measured here."""
    if 'saliency' not in inspect.signature(function).parameters:
        return function
    return lambda key, images, labels, **keywords: function(
        key, images, labels, saliency=images[..., 0], **keywords
    )


def copy(key, images, labels):
    return jnp.copy(images), jnp.copy(labels)


def measure(shape, rounds):
    images = jax.random.normal(jax.random.key(0), shape)
    labels = jnp.eye(shape[0], 10, dtype=jnp.float32)
    functions, facts = {}, {}
    for name, op in {'copy': copy, **cases()}.items():
        start = time.perf_counter()
        compiled = jax.jit(op).lower(jax.random.key(0), images, labels).compile()
        temporary = compiled.memory_analysis().temp_size_in_bytes / images.nbytes
        facts[name] = time.perf_counter() - start, temporary
        keys = iter(jax.random.split(jax.random.key(1), rounds + 1))
        functions[name] = lambda c=compiled, k=keys: c(next(k), images, labels)
    seconds = timing.rounds(functions, rounds)
    print(f'\n{list(shape)}, {timing.machine()}, {rounds} rounds')
    print(f'{"op":28}{"x copy":>8}{"quartiles":>16}{"temporaries / batch":>22}{"compile s":>12}')
    for name in functions:
        middle, low, high = timing.ratio(seconds, name, 'copy')
        compile_seconds, temporary = facts[name]
        print(f'{name:28}{middle:8.2f}{low:9.2f}-{high:.2f}{temporary:20.2f}{compile_seconds:13.1f}')


def main():
    rounds = timing.arguments(rounds=30).rounds
    for shape in SHAPES:
        measure(shape, rounds)


if __name__ == '__main__':
    main()
