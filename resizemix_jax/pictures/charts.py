"""Charts of a classifier's predictions, as the bytes of PNG files; drawn by Pillow alone."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from resizemix_jax.pictures.drawing import INK, PAPER, colours

SIDE = 480  # pixels of a chart without its words, about
MARGIN, TEXT = 76, 13
NAMED = 20  # up to so many classes are named, and their counts written
LETTERS = 9  # of a name
BAR, GAP, LINE = (86, 144, 190), (226, 138, 110), (140, 140, 140)


def confusion(matrix, names, title):
    """A confusion matrix: a row for each true class, a column for each class given.

    Args:
        matrix: counts, int [K, K]; the colour is the share of its row.
        names: of the classes, or ().
        title: a sentence.

    Returns:
        bytes of a PNG.
    """
    classes = len(matrix)
    cell = max(1, SIDE // classes)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    picture = Image.fromarray(colours(share)).resize((cell * classes,) * 2, Image.Resampling.NEAREST)
    page, draw, font = _page(2 * MARGIN + picture.width, 2 * MARGIN + picture.height, title)
    page.paste(picture, (MARGIN, MARGIN))
    for k in range(classes if classes <= NAMED else 0):
        word = str(names[k] if names else k)[:LETTERS]
        middle = MARGIN + k * cell + cell // 2
        draw.text((MARGIN - 4, middle), word, INK, font, anchor='rm')
        draw.text((middle, MARGIN + picture.height + 4 + TEXT * (k % 2)), word, INK, font, anchor='ma')
        for j in range(classes):
            ink = PAPER if share[k, j] < 0.5 * share.max() else INK
            place = MARGIN + j * cell + cell // 2, middle
            draw.text(place, str(matrix[k, j]), ink, font.font_variant(size=min(TEXT, cell // 3 + 4)), 'mm')
    draw.text((page.width // 2, page.height - 6), 'class given (rows: true class)', INK, font, anchor='ms')
    return _png(page)


def reliability(bins, title):
    """A reliability diagram: the accuracy of every bin of the confidence; on the diagonal both are equal.

    Bars are the accuracies; the gap to the mean confidence of the bin is drawn over them.

    Args:
        bins: `calibration.Bins`.
        title: a sentence.

    Returns:
        bytes of a PNG.
    """
    page, draw, font = _page(2 * MARGIN + SIDE, 2 * MARGIN + SIDE, title)
    many = len(bins.number)

    def place(x, y):
        return MARGIN + x * SIDE, MARGIN + (1 - y) * SIDE

    for m in range(many):
        if bins.number[m]:
            left, right = m / many, (m + 1) / many - 1 / SIDE
            draw.rectangle((*place(left, bins.accuracy[m]), *place(right, 0)), BAR)
            low, high = sorted((bins.accuracy[m], bins.confidence[m]))
            draw.rectangle((*place(left, high), *place(right, low)), GAP)
            level = place(left, bins.accuracy[m]), place(right, bins.accuracy[m])
            draw.line(level, INK, 2)
    draw.line((place(0, 0), place(1, 1)), LINE)
    draw.rectangle((*place(0, 1), *place(1, 0)), outline=INK)
    for tenth in range(0, 11, 2):
        share = tenth / 10
        x, y = place(share, share)
        draw.text((x, MARGIN + SIDE + 4), f'{share:g}', INK, font, anchor='ma')
        draw.text((MARGIN - 6, y), f'{share:g}', INK, font, anchor='rm')
    words = 'confidence; bars: accuracy, orange: the gap to the mean confidence'
    draw.text((page.width // 2, page.height - 16), words, INK, font, anchor='ms')
    return _png(page)


def _page(width, height, title):
    """(picture, its drawing, font) with a title above."""
    page = Image.new('RGB', (width, height), PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(TEXT)
    draw.text((width // 2, MARGIN // 2), title, INK, font, anchor='mm')
    return page, draw, font


def _png(page):
    buffer = io.BytesIO()
    page.save(buffer, 'PNG')
    return buffer.getvalue()
