"""Every mixing op against a plain jitted copy of its batch: time, memory, compilation.

    python -m benchmarks.mixing [--rounds=30] [--shapes=256x32x32x3,64x224x224x3] [--ops=resizemix,cutmix]

Every op is timed as it draws, per batch and per sample. What the trainer provides is cheap here, so that the
op alone is measured: the saliency map is a channel of the images, SuperMix's teacher is linear.
"""

import functools
import time

import jax
import jax.numpy as jnp

from benchmarks import _timing as timing
from resizemix_jax.find import bind, find, keywords, names

CLASSES = 10
FURTHER = {  # op -> a word for the table -> arguments
    'resizemix': {'linear': {'method': 'linear'}},
    'fmix': {'textbook': {'spectrum': 'textbook'}},
}


def cases():
    """name -> op, every way that an op draws, and the ones of FURTHER."""
    made = {}
    for name in names('mixing'):
        for per in ('batch', 'sample') if 'per' in keywords(find('mixing', name)) else ('',):
            own = {'per': per} if per else {}
            for word, more in ({'': {}} | FURTHER.get(name, {})).items():
                label = ' '.join(filter(None, (name, per, word)))
                made[label] = functools.partial(mix, name, own | more)
    return made


def mix(name, values, key, images, labels):
    """The op `name` with the keywords `values`, on a batch."""
    provided = {'saliency': images[..., 0], 'std': 1.0, 'teacher': teacher}
    return bind('mixing', name, values, **provided)(key, images, labels)


def teacher(images):
    """Logits [B, CLASSES], linear in the means of the image's rows."""
    means = images.mean((2, 3))
    return means @ jax.random.normal(jax.random.key(2), (means.shape[1], CLASSES))


def copy(key, images, labels):
    return jnp.copy(images), jnp.copy(labels)


def measure(shape, rounds, ops):
    images = jax.random.normal(jax.random.key(0), shape)
    labels = jax.nn.one_hot(jnp.arange(shape[0]) % CLASSES, CLASSES)
    functions, facts = {}, {}
    for name, op in {'copy': copy, **cases()}.items():
        if name != 'copy' and ops and name.partition(' ')[0] not in ops:
            continue
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


def main(argv=None):
    smallest = dict(rounds=1, shapes='4x16x16x3')
    shapes = '256x32x32x3,64x224x224x3'
    args = timing.arguments(__doc__, argv, smallest, rounds=30, shapes=shapes, ops='')
    for shape in args.shapes.split(','):
        measure(tuple(map(int, shape.split('x'))), args.rounds, [*filter(None, args.ops.split(','))])


if __name__ == '__main__':
    main()
