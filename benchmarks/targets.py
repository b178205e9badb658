"""Which rows compile for which accelerators, none of which needs to be present: docs/targets.md.

    python -m benchmarks.targets --target=v5e:2x4 --table=table4 --columns=resnet50 --rows=baseline,resizemix
    python -m benchmarks.targets --page

Each compilation adds a line to docs/targets.jsonl, or to --records=FILE; rows that the file has are skipped.
--page rewrites the tables below the page's prose. --remat compiles with rematerialisation.
"""

import importlib
import json
import os
import pathlib

from benchmarks import _timing as timing

DOCS = pathlib.Path(__file__).parents[1] / 'docs'
RECORDS, PAGE = DOCS / 'targets.jsonl', DOCS / 'targets.md'
KEY = ('target', 'table', 'column', 'row', 'remat')
TABLES = ('table2', 'table4')
MIB, GIB = 2**20, 2**30
HEAD = (
    '| table, network | row | images a device | needed, GiB | temporaries, GiB | GFLOP an image '
    '| all-reduce, MiB | compiled in |\n|---|---|---|---|---|---|---|---|'
)


def main(argv=None):
    smallest = dict(target='local', table='quickstart', rows='baseline', records=os.devnull)
    args = timing.arguments(
        __doc__, argv, smallest, target='', table='', columns='', rows='', records=str(RECORDS), remat=False,
        page=False,
    )  # fmt: skip
    if args.page:
        prose = PAGE.read_text().partition('\n## ')[0].rstrip()
        PAGE.write_text('\n\n'.join((prose, *tables(read(args.records)))) + '\n')
        return
    table = table_of(args.table)
    for cell in table.cells(split(args.rows), split(args.columns)):
        key = (args.target, args.table, cell['column'], cell['row'], args.remat)
        if key in {tuple(record[name] for name in KEY) for record in read(args.records)}:
            continue
        record = dict(zip(KEY, key, strict=True)) | compiled(table, cell, args)
        with open(args.records, 'a') as file:
            file.write(json.dumps(record) + '\n')
        print(record, flush=True)


def table_of(name):
    return importlib.import_module(f'configs.{name}').TABLE


def split(text):
    return tuple(filter(None, text.split(',')))


def read(path):
    """The records of a file, one a line; [] if there is none."""
    path = pathlib.Path(path)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def compiled(table, cell, args):
    """The compiler's report on a cell's step as a dict, or {'error': its first line}."""
    from resizemix_jax.compile import compile_step
    from resizemix_jax.errors import ConfigError, RunError

    config = table.get_config(table.argument(cell))
    config.remat = args.remat
    try:
        report = max(compile_step(config, args.target), key=lambda one: one.needed)  # the largest bucket
    except ConfigError:
        raise
    except RunError as error:
        return {'error': str(error).splitlines()[0]}
    return report._asdict() | {'fits': report.fits, 'needed': report.needed}


def tables(found):
    """A table a target, in the order of the records, and the rows that were not compiled."""
    for target in dict.fromkeys(record['target'] for record in found):
        own = [record for record in found if record['target'] == target]
        good = next((record for record in own if 'error' not in record), None)
        title = f'{target}: {good["devices"]}, {good["memory"] / GIB:.2f} GiB each' if good else target
        order = sorted(own, key=lambda record: (record['table'], record['column']))
        yield '\n'.join((f'## {title}\n', HEAD, *map(line, order), '', absent(own)))


def absent(own):
    """A sentence that names the rows of TABLES not compiled for a target."""
    texts = []
    for name in TABLES:
        table = table_of(name)
        for column in [column.name for column in table.columns]:
            made = {record['row'] for record in own if (record['table'], record['column']) == (name, column)}
            rows = [cell['row'] for cell in table.cells(columns=(column,)) if cell['row'] not in made]
            if rows:
                texts.append(f'{name} {column}: ' + (', '.join(rows) if made else 'all rows'))
    return f'Not compiled: {"; ".join(texts)}.' if texts else 'All implemented rows of both tables.'


def line(record):
    name = f'{record["table"]}, {record["column"]}'
    row = record['row'] + (', remat' if record['remat'] else '')
    if 'error' in record:
        return f'| {name} | {row} | {record["error"]} | | | | | |'
    moved = record['collectives'].get('all-reduce', (0, 0))[1]
    return (
        f'| {name} | {row} | {record["batch"]} '
        f'| {record["needed"] / GIB:.2f}, {"fits" if record["fits"] else "**does not fit**"} '
        f'| {record["temporaries"] / GIB:.2f} | {record["flops"] / record["batch"] / 1e9:.2f} '
        f'| {moved / MIB:.1f} | {record["seconds"]:.0f} s |'
    )


if __name__ == '__main__':
    main()
