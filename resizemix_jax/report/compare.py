"""Two runs, or two sets of runs over seeds: how their configs and their results differ."""

import glob
import os
import statistics
from typing import NamedTuple

from resizemix_jax.errors import ConfigError
from resizemix_jax.key_groups import differences
from resizemix_jax.report import paired, runs
from resizemix_jax.report.cells import add, held_out
from resizemix_jax.run.clock import unit
from resizemix_jax.run.results import TEST

SCORES = {'last': 'last', 'best': 'best', 'median10': 'median of the last 10'}
SHOWN = 0.5  # points, for which the number of seeds is told
TIMES = {'seconds': 'time', 'compile_seconds': 'compilation in it'}


class Variant(NamedTuple):
    """Runs whose configs differ in the seed alone, one a seed."""

    runs: list

    @property
    def config(self):
        return self.runs[0].config

    @property
    def cell(self):
        return tuple(self.config[key] for key in ('table', 'row', 'column'))

    def finished(self):
        """seed -> Run."""
        return {run.seed: run for run in self.runs if run.result}


def compare(one, two, accuracy='last'):
    """The differences of two sides, B - A, as text.

    Args:
        one, two: directories, or patterns of such ('runs/table3_cutmix_*'), of one run or of many. Two sides
            of one config each are compared whatever those are; otherwise the cells of a table that both have.
        accuracy: which score is tested: 'last', 'best' or 'median10'.

    Raises:
        ConfigError: a side without a run, or two sides without a cell in common.
    """
    (first, notes), (second, more) = side(one), side(two)
    if len(first) == len(second) == 1:
        pairs = [(first[0], second[0])]
    else:
        pairs = [(_only(first, a.cell), _only(second, a.cell)) for a in first if _only(first, a.cell)]
        pairs = [pair for pair in pairs if pair[1]]
    if not pairs:
        raise ConfigError(
            f'{one} and {two} share no cell of a table with one config on each side:\n'
            f'    A has {_cells(first)}\n    B has {_cells(second)}'
        )
    left_out = [v for v in (*first, *second) if all(v not in pair for pair in pairs)]
    parts = [f'A: {one}\nB: {two}', *(_pair(a, b, accuracy) for a, b in pairs)]
    if left_out:
        parts.append(f'Not compared, no single counterpart: {_cells(left_out)}')
    text = '\n\n'.join([*parts, *notes, *more])
    return text.encode('utf-8', errors='backslashreplace').decode()  # names of files need not be UTF-8


def side(pattern):
    """The Variants of a side, and sentences on files that could not be used; ConfigError if there is none."""
    found, problems = [], []
    for path in [pattern] if os.path.lexists(pattern) else sorted(glob.glob(str(pattern))) or [pattern]:
        some, sentences = runs.find(path)
        found, problems = found + some, problems + sentences
    variants = []
    for run in found:
        for variant in variants:
            if not changes(variant.config, run.config):
                add(variant.runs, run, problems)
                break
        else:
            variants.append(Variant([run]))
    if not variants:
        raise ConfigError('\n    '.join([f'{pattern} holds no run to compare', *problems]))
    return variants, problems


def changes(one, two):
    """The differences of two configs in what makes another experiment, except the seed."""
    return [found for found in differences(one, two) if found[0] != 'seed']


def _pair(a, b, accuracy):
    """A comparison of two Variants, in words."""
    lines = [' '.join(filter(None, a.cell)) if a.cell == b.cell else f'{_cells([a])} -> {_cells([b])}']
    lines += [f'    {key}: {before} -> {after}' for key, before, after in changes(a.config, b.config)]
    if len(lines) == 1:
        lines.append('    the configs are equal except for the seeds')
    for name, variant in (('A', a), ('B', b)):
        lines.append(f'    {name}: seeds {", ".join(str(run.seed) for run in variant.runs)}')
        unfinished = [run for run in variant.runs if not run.result]
        lines += [f'        unfinished, not counted: {run.path}, {runs.status(run)}' for run in unfinished]
        if held_out(variant.runs):
            lines.append('        its scores are of the test split, measured once after the last step')
    ours, theirs = a.finished(), b.finished()
    if ours and theirs:
        lines += ['', f'    {"mean over the seeds":32}{"A":>10}{"B":>10}{"B - A":>10}']
        lines += _means(ours, theirs)
        lines += ['', *_test(ours, theirs, accuracy)]
    return '\n'.join(lines)


def _means(ours, theirs):
    """The means of what the results of both sides have, a line each."""
    run, lines = next(iter(ours.values())), []
    scores = {f'{run.score}_{key}': f'{run.score_title} {words}, %' for key, words in SCORES.items()}
    others = [
        key for key in run.result if key.endswith('_last') and not key.startswith(TEST) and key not in scores
    ]
    for accuracy, words in SCORES.items():
        sides = _sides(ours, theirs, lambda run, name=accuracy: run.held_out(name))
        lines += [_line(f'held-out part: {words}, %', *map(statistics.mean, sides))] if sides else []
    for key in (*scores, *others, *TIMES, 'images_per_second'):
        # A score is that of the test split on both sides, whatever they were evaluated on.
        read = runs.Run.measured if key in (*scores, *others) else lambda run, key: run.result.get(key)
        sides = _sides(ours, theirs, lambda run, key=key, read=read: read(run, key))
        if not sides:
            continue
        x, y = map(statistics.mean, sides)
        words, factor = scores.get(key, f'{key.removesuffix("_last")} last'), 100 if key in scores else 1
        if key in TIMES:
            name, size = unit(max(min(x, y), 1))
            words, factor = f'{TIMES[key]}, {name}', 1 / size
        elif key == 'images_per_second':
            words = 'images/s'
        lines.append(_line(words, factor * x, factor * y))
    return lines


def _sides(ours, theirs, value):
    """Two lists of `value` of the Runs of both sides, or None if one of these is no number."""
    sides = [[value(run) for run in side.values()] for side in (ours, theirs)]
    return sides if all(isinstance(one, int | float) for values in sides for one in values) else None


def _line(words, a, b):
    a, b, change = (_short(value, sign) for value, sign in ((a, ''), (b, ''), (b - a, '+')))
    return f'    {words:32}{a:>10}{b:>10}{change:>10}'


def _short(value, sign):
    return format(value, f'{sign},.0f' if abs(value) >= 1000 else f'{sign}.4g')


def _test(ours, theirs, accuracy):
    """The paired tests over the seeds that both have, as lines."""
    titles = [run.score_title for run in (*ours.values(), *theirs.values())]
    if len(set(titles)) > 1:
        return [f'    No test: A is measured by {titles[0]}, B by {titles[-1]}']
    common = sorted(ours.keys() & theirs.keys())
    pairs = [(ours[seed].reached(accuracy), theirs[seed].reached(accuracy)) for seed in common]
    values = [after - before for before, after in pairs if None not in (before, after)]
    if len(values) < len(pairs):
        short = [seed for seed, pair in zip(common, pairs, strict=True) if None in pair]
        seeds = ', '.join(map(str, short))
        if held_out([*ours.values(), *theirs.values()]):
            return [f'    No test: the last 10 evaluations were on a held-out part; seeds with such: {seeds}']
        return [f'    No test: the median of the last 10 evaluations needs 10; seeds with fewer: {seeds}']
    if not 2 <= len(values) <= paired.MOST:
        return [f'    No test: seeds finished on both sides: {len(values)}; 2 to {paired.MOST} are needed']

    count, least = len(values), 2 / 2 ** len(values)
    mean, spread = statistics.mean(values), statistics.stdev(values)
    p = paired.t_test_p(values)
    return [
        f'    B - A, {titles[0]} {SCORES[accuracy]}, {count} seeds in pairs: {mean:+.2f} ± {spread:.2f} '
        'points (mean, sample standard deviation)',
        *_spread_lines(values, spread, count),
        f'    exact permutation test of the signs, two-sided: p = {paired.permutation_p(values):.3g}',
        f'    paired t-test, two-sided: {"undefined, all are equal" if p is None else f"p = {p:.3g}"}',
        f'    Caveat: with {count} pairs the permutation test cannot give p below {least:.3g}.',
        '    The t-test assumes normal differences, which so few pairs cannot show.',
        '    Among many comparisons some p are small by chance.',
    ]


def _spread_lines(values, spread, count):
    """The interval of the mean, and what so many pairs of this spread can show; none if all are equal."""
    if spread <= 1e-9:
        return []
    low, high = paired.interval(values)
    return [
        f'    {paired.LEVEL:.0%} interval of the mean over seeds: {low:+.2f} to {high:+.2f} points',
        f'    With this spread {count} pairs show {paired.detectable(spread, count):.2g} points with '
        f'probability {paired.POWER}; {SHOWN} points take {paired.seeds_needed(spread, SHOWN)} pairs.',
    ]


def _only(variants, cell):
    """The one Variant of a cell, or None."""
    found = [variant for variant in variants if variant.cell == cell]
    return found[0] if len(found) == 1 else None


def _cells(variants):
    return ', '.join(sorted({' '.join(filter(None, variant.cell)) for variant in variants}))
