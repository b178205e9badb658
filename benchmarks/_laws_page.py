"""docs/laws.md, from the measurements of `benchmarks.laws`, the recorded public code and the docstrings."""

import inspect
import json
import re

from resizemix_jax.find import find

COLUMNS = {  # of the summary: a record's `column` -> its title
    'authors': "authors' code",
    'openmixup': 'OpenMixup',
    'mmpretrain': 'mmpretrain',
    'timm': 'timm',
    'torchvision': 'torchvision',
}
INTRODUCTION = """# The laws of the mixing ops

What every op of `resizemix_jax.mixing` draws, measured with the op itself, and how far public code is from
it, measured with that code. Made by

    python -m benchmarks.laws
    python -m benchmarks.laws --page

from `docs/laws.jsonl` (this project's ops), `tests/reference/laws.json` (the public code, recorded by
`tests/reference/make_laws.py`, with versions, commits and licences) and the docstrings, whose laws are
quoted.

**How it is read.** Image i of a batch is 1 in a channel of its own and 0 in those of the others, and its
label is class i. So the label of a mixed image has the weight of every image, and the means of its channels
are their shares of the pixels. Ops with NEEDS also get three channels of a generated picture (soft spots of
random colours), its fine-grained saliency map, a linear, untrained teacher, and a `std` that counts the
picture alone.

* **lam** is the label weight of the source; for ops that leave labels alone, the share of the pixels that is
  erased; for RICAP the share of the cell at the upper left corner. `prob` is 1 in all measurements: less only
  adds zeros.
* **nothing** is the chance that nothing is pasted all the same, for instance because the box is empty. lam is
  0 then, and counts in mean and quantiles. So does a permutation that moves none of 8 images, 1 in 40,320.
* **label - pixels**: mean and largest absolute difference of a label weight and the share of the pixels, over
  the images where something is pasted. Below 1e-5 it is rounding, and printed as 0.
* **draws**: independent ones, that is batches, where an op draws once a batch. Where images of a batch share
  a part of the draws, the number that has the same standard error.
* **D** is the Kolmogorov-Smirnov distance, the largest difference of the distribution functions of lam, taken
  at up to 51 points that divide the public law evenly; in brackets what two samples of one law exceed once in
  1,000 times. **Bold** is beyond that: another law. A plain D shows no difference of lam; the sentences below
  each table say what else differs, and why.
"""


def text(records, public):
    """The page.

    Args:
        records: of `benchmarks.laws.measure`.
        public: of tests/reference/laws.json.
    """
    parts = [INTRODUCTION, summary(records, public)]
    return '\n'.join(parts + [section(name, records, public) for name in methods(records)])


def methods(records):
    """The ops that were measured, in the order of their names."""
    return sorted({record['method'] for record in records})


def summary(records, public):
    """The table of all methods: E[lam] and the distance from each library's code."""
    lines = [
        '## Summary\n',
        'D at 32 x 32 of the first setting of each library that the sections list, bold where the law of lam '
        'is another. "Not there": the library has no such method.\n',
        f'| op | E[lam], 32 px | 224 px | {" | ".join(COLUMNS.values())} |',
        '|---' * (3 + len(COLUMNS)) + '|',
    ]
    for method in methods(records):
        means = []
        for side in (32, 224):
            found = next((r for r in records if (r['method'], r['side']) == (method, side)), None)
            means.append(f'{found["mean"]:.3f}' if found else '')
        cells = [cell(method, column, records, public) for column in COLUMNS]
        lines.append(f'| [{method}](#{method}) | {" | ".join(means + cells)} |')
    return '\n'.join(lines) + '\n'


def cell(method, column, records, public):
    """A library's cell of the summary."""
    own = [record for record in public if (record['method'], record['column']) == (method, column)]
    if not own:
        return 'not there'
    if 'at' not in own[0]:
        return 'not run'
    ours = ours_of(own[0], records)
    return shown(ours, own[0]) if ours else 'not measured'


def shown(ours, record):
    """The distance of a public record from the record of the op with its settings, bold above noise."""
    apart, noise = ours['distances'][name(record)]
    return f'{apart:.3f}' if apart < noise else f'**{apart:.3f}**'


def section(method, records, public):
    """A method's section: its law, its numbers, and public code."""
    title, laws, source = docstring(method)
    own = [record for record in records if record['method'] == method]
    parts = [f'## {method}\n', f'{title}\n', f'```text\n{laws}\n```\n', source, measured(own)]
    return '\n'.join(filter(None, [*parts, compared(method, records, public)]))


def docstring(method):
    """(title, law, source) of an op's docstring."""
    doc = inspect.getdoc(find('mixing', method))
    title = doc.partition('\n')[0] if not doc.startswith('Law:') else ''
    rest = doc.partition('Law:')[2].partition('\nArgs:')[0]
    laws, _, source = rest.partition('\nSource:')
    return title, inspect.cleandoc(laws), 'Source:' + source.rstrip() + '\n' if source else ''


def measured(records):
    """The table of an op's own numbers."""
    lines = [
        '| keywords | px | E[lam] | deviation | 5 % | 25 % | 50 % | 75 % | 95 % | nothing '
        '| label - pixels | draws |',
        '|---' * 12 + '|',
    ]
    for record in records:
        quantiles = ' | '.join(f'{value:.3f}' for value in record['quantiles'])
        lines.append(
            f'| {words(record["values"])} | {record["side"]} | {mean(record)} | {record["deviation"]:.3f} '
            f'| {quantiles} | {record["nothing"]:.4f} | {gap(record)} | {record["draws"]:,} |'
        )
    return '\n'.join(lines) + '\n'


def compared(method, records, public):
    """The table of the public implementations of a method, and a sentence for each."""
    own = [record for record in public if record['method'] == method]
    if not own:
        return 'Public code: none of the compared libraries has this op.\n'
    lines = [
        '| public code | setting | the op here | E[lam] there | E[lam] here | D (noise) | nothing there '
        '| label - pixels there |',
        '|---' * 8 + '|',
    ]
    for record in own:
        ours = ours_of(record, records)
        if 'at' in record and ours:
            noise = ours['distances'][name(record)][1]
            lines.append(
                f'| {library(record)} | {record["setting"]} | {words(ours["values"])} '
                f'| {mean(record)} | {mean(ours)} '
                f'| {shown(ours, record)} ({noise:.3f}) '
                f'| {record["nothing"]:.4f} | {gap(record)} |'
            )
    reasons = [
        f'* **{library(record)}**, {record["setting"]}: {record["why"]}'
        + (f' (Not run: {record["not_run"]}.)' if 'not_run' in record else '')
        for record in own
    ]
    table = lines if len(lines) > 2 else []
    return '\n'.join([*table, '' if table else 'Public code:', *reasons]) + '\n'


def ours_of(record, records):
    """The measurement of the op that a public record is compared with, or None."""
    own = (ours for ours in records if ours['method'] == record['method'])
    return next((ours for ours in own if name(record) in ours['distances']), None)


def name(record):
    """A public record's name."""
    return f'{record["library"]}, {record["setting"]}'


def key(record):
    """What a measurement is of, as text."""
    return json.dumps([record['method'], record['values'], record['side']], sort_keys=True)


def library(record):
    return f'{record["library"]} {record["version"]}'


def words(values):
    """Keywords as code."""
    shown = [f'{key}={value!r}' for key, value in values.items() if key not in ('prob', 'fill')]
    return f'`{", ".join(shown)}`' if shown else ''


def mean(record):
    return f'{record["mean"]:.4f} ± {record["error"]:.4f}'


def gap(record):
    """The mean and the largest difference of label and pixels."""
    if not record['gap']:
        return ''
    return ', '.join('0' if value < 1e-5 else re.sub(r'^0\.', '.', f'{value:.4f}') for value in record['gap'])
