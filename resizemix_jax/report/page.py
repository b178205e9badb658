"""A report as files: report.md with its pictures beside it, and report.html with everything inside."""

import base64
import html
import os
import re
import urllib.parse
from typing import NamedTuple

PICTURES = 'report_pictures'
NONE = '–'  # in a cell without a value
PROBLEMS = 'Left out'  # the heading of the sentences on runs that are not shown, or not whole
STYLE = """
body { max-width: 60rem; margin: 1rem auto; padding: 0 1rem; font: 16px/1.45 system-ui, sans-serif;
  color: #1a1a1a; background: #fff; }
h1 { font-size: 1.35rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin-top: 2rem;
  border-top: 2px solid #1a1a1a; padding-top: .6rem; overflow-wrap: anywhere; }
p, li { overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #ccc; white-space: nowrap; }
th { vertical-align: bottom; border-bottom: 2px solid #1a1a1a; white-space: normal; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: #fff; }
.details td:last-child, .details th:last-child { text-align: left; white-space: normal; min-width: 9rem; }
pre { font-size: .75rem; line-height: 1.5; overflow-x: auto; background: #f4f4f4; padding: .6rem; }
figure { margin: 1.2rem 0; break-inside: avoid; } figure img { width: 100%; max-width: 36rem; height: auto; }
figcaption { font-size: .875rem; }
@media (max-width: 32rem) { body { font-size: 15px; padding: 0 .6rem; }
  table { font-size: .8rem; } th, td { padding: .3rem; }
  td:first-child, th:first-child { white-space: normal; min-width: 5.5rem; max-width: 8rem; } }
@media print { body { max-width: none; font-size: 10pt; } .wide { overflow: visible; }
  .figures { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem; } figure { margin: .4rem 0; }
  figcaption { font-size: 8pt; } h2 { break-after: avoid; }
  table { font-size: 8pt; } th, td { padding: .15rem .3rem; }
  th:first-child, td:first-child { position: static; } pre { white-space: pre-wrap; font-size: 7pt; } }
"""


class Link(NamedTuple):
    """A link to a path relative to the page."""

    text: str
    target: str


class TextTable(NamedTuple):
    """Rows and columns of text; a cell of `lines` may be a Link."""

    header: tuple
    lines: list


class Section(NamedTuple):
    """A group of runs.

    Attributes:
        heading: text.
        remarks: sentences on the group.
        results: TextTable.
        notes: sentences on the results.
        pictures: `plots.Picture`s.
        details: TextTables on the runs.
        commands: lines of shell.
    """

    heading: str
    remarks: list
    results: TextTable
    notes: list
    pictures: list
    details: list
    commands: list


class Page(NamedTuple):
    """A report: title, how to read the numbers, Sections, and sentences on what was left out."""

    title: str
    legend: str
    sections: list
    problems: list


def write(page, directory, refresh=0):
    """Writes the two pages; returns their paths. `refresh` as in `as_html`."""
    pictures = directory / PICTURES
    pictures.mkdir(exist_ok=True)
    files = {
        _file(k, picture): picture.svg for k, part in enumerate(page.sections) for picture in part.pictures
    }
    for name, svg in files.items():
        _write(pictures / name, svg)
    for stale in pictures.glob('*.svg'):
        if stale.name not in files:
            stale.unlink()
    paths = directory / 'report.md', directory / 'report.html'
    for path, text in zip(paths, (as_markdown(page), as_html(page, refresh)), strict=True):
        _write(path, text.encode('utf-8', errors='backslashreplace'))  # names of files need not be UTF-8
    return paths


def as_markdown(page):
    """The page in Markdown; its pictures are files."""
    parts = [f'# {_plain(page.title)}', _line(page.legend)]
    for k, section in enumerate(page.sections):
        parts += [f'## {_plain(section.heading)}', *map(_line, section.remarks)]
        parts += [_markdown_table(section.results), *map(_line, section.notes)]
        for picture in section.pictures:
            caption = _plain(picture.caption)
            parts.append(f'![{caption}]({PICTURES}/{_file(k, picture)})\n\n{_line(picture.caption)}')
        parts += [*map(_markdown_table, section.details), _fenced(section.commands)]
    if page.problems:
        parts += [f'## {PROBLEMS}', '\n'.join(f'* {_line(line)}' for line in page.problems)]
    return '\n\n'.join(parts) + '\n'


def as_html(page, refresh=0):
    """The page in HTML, self-contained; a browser reloads it every `refresh` seconds; 0 for never."""
    parts = [f'<h1>{_escape(page.title)}</h1>', f'<p>{_escape(page.legend)}</p>']
    for section in page.sections:
        parts += [f'<h2>{_escape(section.heading)}</h2>', *_paragraphs(section.remarks)]
        parts += [_html_table(section.results, 'results'), *_paragraphs(section.notes)]
        parts += ['<div class="figures">', *map(_figure, section.pictures), '</div>']
        commands = _escape('\n'.join(section.commands))
        parts += [_html_table(table, 'details') for table in section.details]
        parts.append(f'<pre>{commands}</pre>')
    if page.problems:
        lines = ''.join(f'<li>{_escape(line)}</li>' for line in page.problems)
        parts += [f'<h2>{PROBLEMS}</h2>', f'<ul>{lines}</ul>']
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ''
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'{again}<title>{_escape(page.title)}</title>\n<style>{STYLE}</style></head>\n<body>\n'
        + '\n'.join(parts)
        + '\n</body></html>\n'
    )


def _markdown_table(table):
    lines = [table.header, ['---'] * len(table.header), *table.lines]
    return '\n'.join('| ' + ' | '.join(map(_markdown_cell, line)) + ' |' for line in lines)


def _markdown_cell(cell):
    if isinstance(cell, Link):
        return f'[{_plain(cell.text)}]({_address(cell)})'
    return _plain(cell)


def _plain(text):
    """Text as Markdown that shows it as it is, on one line: nothing in it is taken for markup."""
    text = html.escape(' '.join(str(text).split()), quote=False)
    return re.sub(r'[\\`*|~$]|\](?=[(\[:])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])', r'\\\g<0>', text)


def _line(text):
    """The same at the beginning of a line, where more is markup."""
    return re.sub(r'^(\d*)([#+=.)-])', r'\1\\\2', _plain(text))


def _fenced(lines):
    """Lines of shell as a block of code, whose fence is longer than any in them."""
    text = '\n'.join(lines)
    longest = max((len(run) for run in re.findall('`+', text)), default=0)
    fence = '`' * max(3, longest + 1)
    return f'{fence}bash\n{text}\n{fence}'


def _html_table(table, kind):
    head = ''.join(f'<th>{_escape(text)}</th>' for text in table.header)
    body = '\n'.join(
        '<tr>' + ''.join(f'<td>{_html_cell(cell)}</td>' for cell in line) + '</tr>' for line in table.lines
    )
    return f'<div class="wide"><table class="{kind}"><tr>{head}</tr>\n{body}</table></div>'


def _html_cell(cell):
    if isinstance(cell, Link):
        return f'<a href="{_address(cell)}">{_escape(cell.text)}</a>'
    return _escape(cell)


def _address(link):
    return urllib.parse.quote(os.fsencode(link.target))


def _paragraphs(lines):
    return [f'<p>{_escape(line)}</p>' for line in lines]


def _figure(picture):
    data = base64.b64encode(picture.svg).decode()
    caption = _escape(picture.caption)
    image = f'<img alt="{caption}" src="data:image/svg+xml;base64,{data}">'
    return f'<figure>{image}<figcaption>{caption}</figcaption></figure>'


def _file(section, picture):
    return f'{section}_{picture.name}.svg'


def _escape(text):
    return html.escape(str(text))


def _write(path, content):
    """Writes a file whole: a browser may be reading it."""
    part = path.with_name(path.name + '.part')
    part.write_bytes(content)
    part.replace(path)
