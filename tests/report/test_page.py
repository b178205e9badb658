import base64
import html.parser
import os
import re

import pytest

from resizemix_jax.report import page as report_page
from resizemix_jax.report.page import Link, TextTable
from resizemix_jax.report.plots import Picture

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'


@pytest.fixture
def page():
    results = TextTable(('Row', 'ours'), [('<b> & |', '84.10 ± 0.20 (3)')])
    details = [
        TextTable(('Row', 'seeds'), [('CutMix', '0')]),
        TextTable(('Row', 'started from'), [('X', Link('a <|', 'a b/c'))]),
    ]
    section = report_page.Section(
        heading='Runs', remarks=['As they are'], results=results, notes=['Refused: <none>'],
        pictures=[Picture('curves_x', 'A "caption"', SVG)], details=details,
        commands=['python a', 'python b'],
    )  # fmt: skip
    return report_page.Page('Table <3>', 'The legend', [section], ['x: left out'])


class Checker(html.parser.HTMLParser):
    """Every element that is opened is closed; what a browser would fetch is collected."""

    VOID = {'meta', 'img'}

    def __init__(self):
        super().__init__()
        self.open, self.fetched = [], []

    def handle_starttag(self, tag, attrs):
        self.open += [] if tag in self.VOID else [tag]
        self.fetched += [value for key, value in attrs if key in ('src', 'href')]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_whole_and_loads_nothing(page):
    text = report_page.as_html(page)
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert checker.fetched == ['data:image/svg+xml;base64,' + base64.b64encode(SVG).decode(), 'a%20b/c']
    for part in ('Table &lt;3&gt;', '&lt;b&gt; &amp; |', 'A &quot;caption&quot;', '84.10 ± 0.20 (3)',
                 '&lt;none&gt;', 'x: left out', '>a &lt;|</a>', 'python a\npython b'):  # fmt: skip
        assert part in text
    assert '<script' not in text and 'http-equiv' not in text
    assert '<meta http-equiv="refresh" content="30">' in report_page.as_html(page, 30)


def test_markdown_has_the_same_content(page):
    text = report_page.as_markdown(page)
    assert '| &lt;b&gt; &amp; \\| | 84.10 ± 0.20 (3) |' in text and '# Table &lt;3&gt;' in text
    order = [
        'The legend', '## Runs', 'As they are', '| Row | ours |', 'Refused', '![A', '| Row | seeds |',
        '| X | [a &lt;\\|](a%20b/c) |', 'python a\npython b', '## Left out', '* x: left out',
    ]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_files_are_replaced_and_old_pictures_deleted(page, tmp_path):
    report_page.write(page, tmp_path)
    assert (tmp_path / 'report_pictures' / '0_curves_x.svg').read_bytes() == SVG
    link = re.search(r'\((report_pictures/.*)\)', (tmp_path / 'report.md').read_text()).group(1)
    assert (tmp_path / link).exists()
    (tmp_path / 'report_pictures' / 'mine.txt').write_text('stays')
    report_page.write(page._replace(sections=[]), tmp_path)
    assert {path.name for path in (tmp_path / 'report_pictures').iterdir()} == {'mine.txt'}
    assert {path.name for path in tmp_path.iterdir()} == {'report.md', 'report.html', 'report_pictures'}


def test_text_of_others_is_no_markup_in_markdown(page):
    bad = '# <script>alert(1)</script>\n* [x](javascript:x) `y` a_b _c_ | ![z][w] $e$ ~~s~~ \\'
    section = page.sections[0]._replace(
        heading=f'Runs {bad}', remarks=[bad], notes=[f'1. {bad}'],
        results=TextTable(('Row',), [(bad,)]), commands=['python \'a', '```', '<script>', '````x\''],
    )  # fmt: skip
    text = report_page.as_markdown(page._replace(sections=[section], problems=[bad, '- x']))
    whole = (
        '&lt;script&gt;alert(1)&lt;/script&gt; \\* [x\\](javascript:x) \\`y\\` a_b \\_c\\_ \\| ![z\\][w] '
        '\\$e\\$ \\~\\~s\\~\\~ \\\\'
    )
    for line in (
        f'## Runs # {whole}',
        f'\\# {whole}',
        f'1\\. # {whole}',
        f'| # {whole} |',
        f'* \\# {whole}',
        '* \\- x',
    ):
        assert line in text.splitlines(), line
    fence = "`````bash\npython 'a\n```\n<script>\n````x'\n`````"
    assert fence in text
    assert '<script>' not in text.replace(fence, '')


def test_names_that_are_not_utf_8_are_written(page, tmp_path):
    name = os.fsdecode(b'run\xff')
    details = [TextTable(('Row', 'from'), [(name, Link(name, name))])]
    section = page.sections[0]._replace(details=details, commands=[name])
    for path in report_page.write(page._replace(sections=[section], problems=[name]), tmp_path):
        text = path.read_text('utf-8')
        assert 'run\\udcff' in text and 'run%FF' in text
