"""Pictures in rows and columns with captions, as one PNG file."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE = 128  # pixels on the page, about: a small picture is enlarged by an integer factor
LARGEST = 192  # pixels; a larger picture is reduced to it
GAP = 8
TEXT, TITLE = 13, 16  # sizes of type
INK, PAPER = (30, 30, 30), (255, 255, 255)
# From 0 to 1: black, violet, red, yellow. The lightness rises monotonically, so it survives printing, and no
# two of its colours differ only in red against green.
HEAT = ((0, 0, 4), (66, 10, 104), (147, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 164))
HEAT_WEIGHT = 0.6


class Cell(NamedTuple):
    """A picture, uint8 [h, w, 1 or 3], the text below it, and a heat map to lay over it, float [h, w]."""

    image: np.ndarray
    caption: str = ''
    heat: np.ndarray | None = None


def grid(path, title, header, rows, most=12):
    """Writes a table of pictures.

    Args:
        path: of the PNG file; its directory exists.
        title: a sentence above all.
        header: a text for every column.
        rows: of Cells, as many in each as there are columns.
        most: columns; further ones follow below.
    """
    starts = range(0, len(header), most)
    tables = [_table(header[k : k + most], [row[k : k + most] for row in rows]) for k in starts]
    table = _below(tables, 3 * GAP)
    page = _below([_text(title, table.width, TITLE), table], GAP)
    framed = _page(page.width + 2 * GAP, page.height + 2 * GAP)
    framed.paste(page, (GAP, GAP))
    framed.save(path)


def _table(header, rows):
    pictures = [[render(cell) for cell in row] for row in rows]
    width = max(picture.width for row in pictures for picture in row)
    lines = [_beside([_text(head, width, TEXT) for head in header])]
    for cells, row in zip(rows, pictures, strict=True):
        captions = [_text(cell.caption, width, TEXT) for cell in cells]
        blocks = [_below([p, c], GAP // 2, width) for p, c in zip(row, captions, strict=True)]
        lines.append(_beside(blocks))
    return _below(lines, GAP)


def render(cell):
    """The picture of a cell at its size on the page."""
    image = np.broadcast_to(cell.image, (*cell.image.shape[:2], 3))
    longest = max(image.shape[:2])
    if longest > LARGEST:
        scale, how = LARGEST / longest, Image.Resampling.LANCZOS
    else:
        # Whole factors and no smoothing: every pixel that the network sees is a square.
        scale, how = max(1, round(SIDE / longest)), Image.Resampling.NEAREST
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    picture = Image.fromarray(np.ascontiguousarray(image)).resize(size, how)
    if cell.heat is None:
        return picture
    heat = Image.fromarray(np.asarray(cell.heat, np.float32)).resize(size, Image.Resampling.BILINEAR)
    return Image.blend(picture, Image.fromarray(colours(np.asarray(heat))), HEAT_WEIGHT)


def colours(heat):
    """A heat map in colour: 0 and below is the first of HEAT, the map's maximum the last; uint8 [h, w, 3]."""
    peak = max(float(heat.max(initial=0)), 1e-12)
    level = np.clip(heat / peak, 0, 1)
    stops = np.linspace(0, 1, len(HEAT))
    bands = [np.interp(level, stops, band) for band in zip(*HEAT, strict=True)]
    return np.stack(bands, axis=-1).round().astype(np.uint8)


def _text(text, width, size):
    """Text as a picture of that width, broken into lines between words."""
    font = ImageFont.load_default(size)
    lines = []
    for paragraph in text.splitlines():
        lines.append('')
        for word in paragraph.split():
            longer = f'{lines[-1]} {word}'.strip()
            if lines[-1] and font.getlength(longer) > width:
                lines.append(word)
            else:
                lines[-1] = longer
    step = size + 4
    picture = _page(width, step * len(lines) + 1)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        draw.text((0, number * step), line, INK, font)
    return picture


def _beside(pictures):
    page = _page(sum(p.width + GAP for p in pictures) - GAP, max(p.height for p in pictures))
    x = 0
    for picture in pictures:
        page.paste(picture, (x, 0))
        x += picture.width + GAP
    return page


def _below(pictures, gap, width=0):
    height = sum(p.height + gap for p in pictures) - gap
    page = _page(max(width, *(p.width for p in pictures)), height)
    y = 0
    for picture in pictures:
        page.paste(picture, (0, y))
        y += picture.height + gap
    return page


def _page(width, height):
    return Image.new('RGB', (width, height), PAPER)
