"""Random damage to the files of a run, as disks, editors and other versions do it."""

import json
import os

FILES = ('config.json', 'result.json', 'metrics.jsonl')
WHOLE = (b'', b'[1]', b'null', b'{}', b'{"x": 1}', b'{', b'3', b'\xff\xfe\x00', b'\x00' * 64, b'[' * 100_000)
VALUES = (
    None, True, 0, -1, 7, 0.5, 1e300, 10**400, float('nan'), float('inf'), '', 'x', '<script>|\n# *x*',
    '\ud800', 'a.b', '.', [], [1], {}, {'x': None},
)  # fmt: skip


def damage(path, rng):
    """Damages one file of a run in one way; returns what was done, in words.

    Args:
        path: of its workdir, pathlib.Path.
        rng: random.Random.
    """
    file = path / rng.choice(FILES)
    kind = rng.choice((_bytes, _cut, _whole, _place, _value, _value, _value))
    return f'{file.name}: {kind(file, rng)}'


def _bytes(file, rng):
    data = bytearray(file.read_bytes())
    for _ in range(rng.choice((1, 1, 8))):
        data[rng.randrange(len(data))] = rng.randrange(256)
    file.write_bytes(data)
    return 'bytes'


def _cut(file, rng):
    data = file.read_bytes()
    size = rng.randrange(len(data))
    file.write_bytes(data[:size])
    return f'cut at {size}'


def _whole(file, rng):
    content = rng.choice(WHOLE)
    file.write_bytes(content)
    return f'is {content[:12]}'


def _place(file, rng):
    """Something other than a file stands in its place, or nothing."""
    file.unlink()
    kind = rng.choice(('nothing', 'directory', 'dangling', 'loop', 'pipe'))
    if kind == 'directory':
        file.mkdir()
    elif kind == 'pipe':
        os.mkfifo(file)
    elif kind != 'nothing':
        file.symlink_to('gone' if kind == 'dangling' else file.name)
    return kind


def _value(file, rng):
    """A value is another, or its key is missing."""
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.suffix == '.jsonl' else None
    content = rng.choice(lines) if lines else json.loads(file.read_text())
    node = content
    while True:
        key = rng.choice(sorted(node))
        if not (isinstance(node[key], dict) and node[key] and rng.random() < 0.7):
            break
        node = node[key]
    value = rng.choice(('absent', *VALUES))
    if value == 'absent':
        del node[key]
    else:
        node[key] = value
    text = ''.join(json.dumps(line) + '\n' for line in lines) if lines else json.dumps(content)
    file.write_text(text)
    return f'{key} is {str(value)[:20]!r}'
