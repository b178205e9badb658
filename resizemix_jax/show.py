"""What the command prints of a table: its rows, and at the end of a run the paper's numbers."""

from resizemix_jax import cells


def listing(path, table):
    """A table's rows as text: title, the paper's numbers, and the command or the reason against it.

    Args:
        path: of the table's file.
        table: its names, ROWS, COLUMN and COLUMNS among them.
    """
    lines = []
    for row in table.get('ROWS', ()):
        lines.append(f'{row["title"]}  (paper: {_numbers(row)})')
        if 'refused' in row:
            lines.append(f'    cannot be run: {row["refused"]}')
            continue
        for value in table['COLUMNS']:
            cell = dict(row=row['row'], column=value, seed=0)
            workdir = f'runs/{cells.directory(path.stem, cell)}'
            command = cells.flags(path, cells.argument(table, cell), {}, workdir)
            lines.append(f'    python main.py {" ".join(command)}')
    return '\n'.join(lines) or f'{path} has no rows; its docstring says how it is used'


def conclusion(table, result, overrides):
    """A run's accuracies, and the paper's numbers of the row, as text.

    Args:
        table: the names of the config's file.
        result: name -> number.
        overrides: of the config on the command line.
    """
    lines = [f'{name}: {100 * value:.2f} %' for name, value in result.items() if 'top1' in name]
    for row in table.get('ROWS', ()):
        if row['row'] == result.get('row') and row['paper']:
            lines.append(f'the paper, {row["title"]}: {_numbers(row)}')
            if overrides:
                lines.append(f'not comparable: this run overrides {", ".join(sorted(overrides))}')
            if result.get('scale', 'paper') != 'paper':
                lines.append(f'not comparable: this run is of scale={result["scale"]}')
    return '\n'.join(lines)


def _numbers(row):
    return ', '.join(f'{column} {number:g}' for column, number in row['paper'].items()) or 'no number'
