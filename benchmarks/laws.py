"""The law of every mixing op, measured, and its distance from public code: docs/laws.md.

    python -m benchmarks.laws [--methods=cutmix,fmix]
    python -m benchmarks.laws --page

The first adds a line to docs/laws.jsonl, or to --records=FILE, for every measurement that it lacks: each op
as it draws per batch and per image, at 32 x 32 and 224 x 224, and as each recorded public implementation
draws (tests/reference/laws.json, made by tests/reference/make_laws.py). To measure an op again, delete its
lines. The second writes the page from both files and the ops' docstrings.
"""

import functools
import json
import os
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks import _law as law
from benchmarks import _laws_page as page
from benchmarks import _timing as timing
from resizemix_jax.find import bind, find, keywords, names, needs
from resizemix_jax.saliency.fine_grained import fine_grained

ROOT = pathlib.Path(__file__).parents[1]
RECORDS, PAGE = ROOT / 'docs' / 'laws.jsonl', ROOT / 'docs' / 'laws.md'
REFERENCE = ROOT / 'tests' / 'reference' / 'laws.json'
SIDES = (32, 224)
BATCHES = {32: 20_000, 224: 2_000}  # of a measurement
POOL = {32: 32, 224: 8}  # batches of generated pictures, which take turns
# Where an op is not like most: its sides and share of BATCHES if it takes long, keywords, images of a batch,
# whether an image can be its own partner, and whether the cell at the corner is read instead of the weight of
# all other images.
SPECIAL = {
    'puzzlemix': {'share': 0.1},
    'random_erasing': {'values': {'fill': 0.0}},  # there are more channels than its colour has
    'ricap': {'cells': True},
    'ricap sample': {'batch': 32, 'share': 0.05},  # two cells of a row seldom show one image then
    'supermix': {'sides': (32,), 'share': 0.01, 'alone': False},
}


def main(argv=None):
    smallest = dict(records=os.devnull, share=0.001, methods='cutmix,cutout')
    args = timing.arguments(__doc__, argv, smallest, methods='', records=str(RECORDS), share=1.0, page=False)
    public = read_public()
    if args.page:
        PAGE.write_text(page.text(read(args.records), public), 'utf-8')
        return
    done = {page.key(record) for record in read(args.records)}
    for case in cases(public, tuple(filter(None, args.methods.split(',')))):
        if page.key(case) in done:
            continue
        record = measure(**case, public=public, share=args.share)
        with open(args.records, 'a', encoding='utf-8') as file:
            file.write(json.dumps(record) + '\n')
        print(record, flush=True)


def read(path):
    """The records of a file, one a line; [] if there is none."""
    path = pathlib.Path(path)
    return [json.loads(line) for line in path.read_text('utf-8').splitlines()] if path.exists() else []


def read_public():
    """The recorded public implementations."""
    return json.loads(REFERENCE.read_text('utf-8'))['records'] if REFERENCE.exists() else []


def cases(public, methods=()):
    """What is measured: dicts of method, values (keywords) and side; of all methods if none is named."""
    found = []
    for name in names('mixing'):
        if not methods or name in methods:
            found += own_cases(name)
            found += [case_of(record) for record in public if record['method'] == name and 'at' in record]
    return [case for i, case in enumerate(found) if case not in found[:i]]


def own_cases(name):
    """An op as it draws by default, at all sides."""
    per = ('batch', 'sample') if 'per' in keywords(find('mixing', name)) else ()
    ways = [{'per': one} for one in per] or [{}]
    sides = SPECIAL.get(name, {}).get('sides', SIDES)
    return [dict(method=name, values=given_values(name, way), side=side) for side in sides for way in ways]


def case_of(record):
    """The case that a recorded public implementation is compared with."""
    method = record['method']
    return dict(method=method, values=given_values(method, record['ours']), side=record['side'])


def given_values(name, more):
    """The keywords of an op in a measurement: always applied, and `more`."""
    always = {'prob': 1.0} if 'prob' in keywords(find('mixing', name)) else {}
    return always | SPECIAL.get(name, {}).get('values', {}) | more


def measure(method, values, side, public=(), share=1.0, seed=0):
    """The record of a case: its law's numbers, and its distances from those of the public code of that law.

    Args:
        method, values, side: see `cases`.
        public: the recorded implementations.
        share: of BATCHES.
        seed: of the draws.
    """
    case = dict(method=method, values=values, side=side)
    special = SPECIAL.get(method, {}) | SPECIAL.get(f'{method} {values.get("per")}', {})
    batches = max(int(BATCHES[side] * share * special.get('share', 1)), 4)
    found = sample(
        method, values, side, batches, special.get('batch', law.BATCH), seed, special.get('cells', False)
    )
    made = law.read(*found, alone=special.get('alone', True))
    distances = {
        page.name(record): [
            round(one, 4) for one in law.distance(made, record['at'], record['below'], record['draws'])
        ]
        for record in public
        if 'at' in record and case_of(record) == case
    }
    return case | made.numbers() | {'distances': distances}


def sample(method, values, side, batches, batch, seed, cells=False):
    """Mixes many batches: (labels [N, B, B], shares [N, B, B], weights [N, B] or None), as for `law.read`.

    Of the last B channels, number i is 1 in image i and 0 in all others, so that its mean over a mixed image
    is the share of image i. An op that needs something also gets three channels of a generated picture.
    """
    function = find('mixing', method)
    pool = POOL[side] if needs(function) else 0
    pictures = law.pictures(pool * batch, side).reshape(-1, batch, side, side, 3)
    normal = jnp.asarray((pictures - np.float32(law.MEAN)) / np.float32(law.STD))
    maps = lax.map(fine_grained, jnp.asarray(pictures * 255 + 0.5, jnp.uint8)) if pool else None
    provided = {
        'std': tuple(value * (3 + batch) / 3 for value in law.STD)
        + (0.0,) * batch,  # a mean over all channels
        'teacher': functools.partial(linear_teacher, jnp.asarray(law.teacher_matrix(side, batch))),
    }

    def mix(step):
        key, turn = step
        images = jnp.broadcast_to(jnp.eye(batch)[:, None, None], (batch, side, side, batch))
        given = provided | {'saliency': None}
        if pool:
            images = jnp.concatenate([normal[turn], images], axis=-1)
            given = provided | {'saliency': maps[turn]}
        mixed, labels = bind('mixing', method, values, **given)(key, images, jnp.eye(batch))
        codes = mixed[..., -batch:]
        return labels, codes.mean((1, 2)), borders(codes) if cells else None

    keys = jax.random.split(jax.random.key(seed), batches)
    labels, shares, lines = jax.jit(lambda steps: lax.map(mix, steps))(
        (keys, jnp.arange(batches) % max(pool, 1))
    )
    weights = law.corner_cell(np.asarray(lines), values['per'] == 'batch') if cells else None
    return np.asarray(labels), np.asarray(shares), weights


def linear_teacher(matrix, images):
    """Logits [B, K], linear in the means of the rows of the first three channels."""
    means = images[..., :3].mean(2)
    return means.reshape(len(means), -1) @ matrix


def borders(codes):
    """The image that each pixel of the borders shows: int8 [4, B, side], top, bottom, left and right."""
    image = jnp.argmax(codes, axis=-1).astype(jnp.int8)
    return jnp.stack([image[:, 0], image[:, -1], image[:, :, 0], image[:, :, -1]])


if __name__ == '__main__':
    main()
