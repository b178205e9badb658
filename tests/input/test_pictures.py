"""A user's own pictures are read as they would be evaluated on; what is no picture is named."""

import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from resizemix_jax.errors import DataError
from resizemix_jax.input import decoding, pictures
from tests.input import miniature, odd


def two(directory):
    """A directory of two pictures."""
    for seed, name in enumerate(('a.jpg', 'b.PNG')):
        (directory / name).write_bytes(miniature.encode(miniature.pixels(48, 60, seed), 'png'))
    return directory


def test_every_ending_is_read_and_hidden_names_are_not(tmp_path):
    for ending in pictures.ENDINGS:
        (tmp_path / f'own{ending}').write_bytes(miniature.encode(miniature.pixels(48, 60, 0), 'png'))
    (tmp_path / '._own.jpg').write_bytes(b'\0\5\x16\7')
    (tmp_path / 'notes.txt').write_text('no picture')
    split = pictures.read_pictures(tmp_path, 32)
    assert split.size == len(pictures.ENDINGS) == 10 and split.images.shape == (10, 32, 32, 3)
    assert {'.tif', '.tiff', '.ppm', '.pgm', '.jfif'} < set(pictures.ENDINGS)


@pytest.mark.parametrize('kind', ['colour', 'turned', 'grey', 'progressive', 'palette'])
def test_a_picture_is_shown_as_it_is_evaluated_on(kind, tmp_path):
    data = miniature.encode(miniature.pixels(75, 100, 0), kind)
    (two(tmp_path) / 'c.jpg').write_bytes(data)
    shown = pictures.read_pictures(tmp_path, 48).images[2]
    np.testing.assert_array_equal(shown, decoding.eval_image(data, 48, 48))


MADE = {
    'pipe': (os.mkfifo, 'not a regular file'),
    'directory': (os.mkdir, 'not a regular file'),
    'broken link': (lambda path: os.symlink('absent', path), 'a broken link'),
    'nothing': (lambda path: path.write_bytes(b''), 'the picture cannot be decoded: it is empty'),
    'text': (lambda path: path.write_text('<html>'), 'cannot be decoded: its content is none of JPEG, '),
    'half': (
        lambda path: path.write_bytes(miniature.encode(miniature.pixels(48, 60, 0))[:-200]),
        'cannot be decoded: image file is truncated',
    ),
    '60,000 x 60,000': (
        lambda path: path.write_bytes(odd.claiming(60000, 60000)),
        'it has more than 178,956,970 pixels',
    ),
}


@pytest.mark.parametrize('kind', MADE)
def test_what_is_no_picture_is_named(kind, tmp_path):
    make, reason = MADE[kind]
    make(two(tmp_path) / 'odd.jpg')
    with pytest.raises(DataError, match=f'odd.jpg: .*{reason}.*; repair or remove it'):
        pictures.read_pictures(tmp_path, 32)


@pytest.mark.parametrize('shape', [(65500, 1), (1, 65500)])
def test_a_long_picture_is_cut_to_its_middle(shape, tmp_path):
    (two(tmp_path) / 'long.png').write_bytes(odd.saved(Image.new('RGB', shape, (9, 90, 200)), 'PNG'))
    assert (pictures.read_pictures(tmp_path, 32).images[2] == (9, 90, 200)).all()


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read everything')
def test_a_file_without_permission_is_named(tmp_path):
    pathlib.Path(two(tmp_path) / 'a.jpg').chmod(0)
    with pytest.raises(DataError, match='a.jpg: .*Permission denied.*; repair or remove it'):
        pictures.read_pictures(tmp_path, 32)
