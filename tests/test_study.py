"""The plan of the study: its table of pilots and its numbers of seeds are what the files say."""

import json
import pathlib

from resizemix_jax.report import paired

FOLDER = pathlib.Path(__file__).parent.parent / 'docs' / 'study'
KEYS = 'images', 'width', 'epochs', 'weight_decay', 'lr'
ROWS = 'baseline', 'cutmix', 'resizemix_batch_nearest'


def test_the_table_has_every_pilot():
    pilots = [json.loads(line) for line in (FOLDER / 'pilots.jsonl').read_text().splitlines()]
    found = {}
    for pilot in pilots:
        regime = tuple(f'{pilot[key]:g}' for key in KEYS)
        assert pilot['seed'] == 100 and pilot['row'] not in found.setdefault(regime, {})
        found[regime][pilot['row']] = f'{100 * pilot["held_out_top1"]:.2f}'
    lines = [line for line in (FOLDER / 'README.md').read_text().splitlines() if line.startswith('| ')][1:]
    table = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]
    assert table == [[*regime, *(scores.get(row, '–') for row in ROWS)] for regime, scores in found.items()]


def test_the_seeds_are_those_that_the_power_asks_for():
    spread = 0.556  # pooled, of the seven rows of the small study
    assert paired.seeds_needed(spread, 0.5) == 12
    assert [round(paired.detectable(spread, count), 2) for count in (10, 15)] == [0.55, 0.43]
