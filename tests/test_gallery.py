"""The gallery of a tiny run: what is written when, and what it refuses."""

import dataclasses

import cv2
import ml_collections
import numpy as np
import pytest
from PIL import Image

from configs import quickstart
from resizemix_jax import gallery, recipes, train
from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.input.pictures import read_pictures
from resizemix_jax.pictures import drawing
from resizemix_jax.tables import Row
from tests import tiny

pytestmark = pytest.mark.slow

TABLE = dataclasses.replace(
    quickstart.TABLE,
    rows=(
        *quickstart.TABLE.rows,
        Row('cut', 'Cut: salient', recipes.cut_paste('salient', 'random') | recipes.grad_cam()),
        Row('none', 'None', refused='it is not there'),
    ),
)


def variants(config):
    return TABLE.variants(config)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A run that also draws at its steps 5 and 10."""
    workdir = tmp_path_factory.mktemp('trained')
    train.train_and_evaluate(tiny.config(gallery_every=5, steps=11, row='resizemix'), workdir)
    return workdir


@pytest.fixture
def drawn(monkeypatch):
    """What reaches the page, besides the page."""
    pages = {}
    grid = drawing.grid

    def keep(path, title, header, rows):
        pages[path.stem] = header, rows
        grid(path, title, header, rows)

    monkeypatch.setattr(drawing, 'grid', keep)
    return pages


def test_training_draws_its_own_method_at_its_steps(trained):
    names = {path.name for path in (trained / 'gallery').iterdir()}
    assert names == {f'{name}_{step:08d}.png' for name in ('methods', 'cam', 'grad_cam') for step in (5, 10)}


def test_drawing_changes_nothing_of_the_training(trained, tmp_path):
    result = train.train_and_evaluate(tiny.config(steps=11, row='resizemix'), tmp_path)
    rows = [
        [line for line in (path / 'metrics.jsonl').read_text().splitlines() if 'eval_loss' in line]
        for path in (trained, tmp_path)
    ]
    losses = [[float(line.split('"eval_loss": ')[1].split(',')[0]) for line in lines] for lines in rows]
    assert losses[0] == losses[1] and result['steps'] == 11


def test_all_rows_and_the_heat_maps_of_a_trained_network(trained, drawn):
    config = tiny.config(row='resizemix')
    paths = gallery.gallery(config, trained, variants(config))
    assert [path.name for path in paths] == ['methods.png', 'grad_cam.png', 'cam.png']
    header, rows = drawn['methods']
    assert header == [
        'target',
        'source',
        'Baseline',
        'Cutout',
        'Mixup',
        'CutMix',
        'ResizeMix',
        'Cut: salient',
    ]
    for row in rows:
        assert row[0].caption != row[1].caption and row[2].caption == row[3].caption == row[0].caption
        for cell in row[4:]:  # both labels, weights that sum to one
            (own, first), (lam, second) = (line.split(' ', 1) for line in cell.caption.split('\n'))
            assert (first, second) == (row[0].caption, row[1].caption)
            assert float(own) + float(lam) == pytest.approx(1, abs=0.011) and 0.1 <= float(lam) <= 0.9
    header, rows = drawn['cam']
    assert [row[0].caption for row in rows] == [
        'target',
        'source',
        'Mixup',
        'CutMix',
        'ResizeMix',
        'Cut: salient',
    ]
    assert len(header) == len(rows[0]) == 3 * 3 and all(row[1].heat.shape == (8, 8) for row in rows)
    chances = [
        float(cell.caption.removeprefix('p = ')) for row in rows for cell in row if cell.heat is not None
    ]
    assert all(0 <= chance <= 1 for chance in chances) and len(set(chances)) > 2
    for path in paths:
        assert min(Image.open(path).size) > 300


def test_without_a_checkpoint_there_are_no_heat_maps(tmp_path, drawn):
    config = tiny.config(row='resizemix')
    assert [p.name for p in gallery.gallery(config, tmp_path, variants(config))] == ['methods.png']
    assert 'Cut: salient' in drawn['methods'][0]  # guided by a new network


def test_a_map_of_the_image_alone_needs_no_network(tmp_path, drawn, caplog):
    caplog.set_level('INFO')
    config = tiny.config(mixing='saliencymix', mixing_args={'prob': 1.0}, saliency='fine_grained')
    for images in ('', str(pictures(tmp_path / 'own'))):  # of the network's channels, and of others
        gallery.gallery(config, tmp_path, (('SaliencyMix', config),), images, 32)
        header, rows = drawn['methods']
        assert header == ['target', 'source', 'SaliencyMix'] and len(rows[0]) == 3
        assert all('\n' in row[2].caption for row in rows)  # two labels
    assert 'new network' not in caplog.text and 'left out' not in caplog.text


def pictures(directory, count=4):
    directory.mkdir()
    for i in range(count):
        image = np.full((40 + 10 * i, 60, 3), (10, 100 + i, 200), np.uint8)
        cv2.imwrite(str(directory / f'picture_{i}.png'), image)
    return directory


def test_pictures_of_one_s_own(trained, tmp_path, drawn, caplog):
    images = pictures(tmp_path / 'own')
    (images / 'notes.txt').write_text('no picture')
    config = tiny.config(row='resizemix')
    (path,) = gallery.gallery(config, trained, variants(config), str(images), 32)
    assert path.name == 'methods.png' and 'takes 1 channels, the pictures have 3' in caplog.text
    header, rows = drawn['methods']
    assert 'Cut: salient' not in header and len(rows) == 2
    assert rows[0][0].caption == 'picture 0' and rows[0][0].image.shape == (32, 32, 3)
    assert abs(rows[0][0].image[16, 16].astype(int) - (200, 100, 10)).max() <= 1  # red, green, blue


def test_pictures_for_a_network_of_their_channels(tmp_path, drawn):
    args = ml_collections.ConfigDict(dict(image_shape=(8, 8, 3), num_classes=3, train_size=16, eval_size=8))
    config = tiny.config(dataset_args=args, batch_size=8, steps=1, row='resizemix')
    train.train_and_evaluate(config, tmp_path / 'run')
    paths = gallery.gallery(config, tmp_path / 'run', variants(config), str(pictures(tmp_path / 'own')), 24)
    assert len(paths) == 3
    assert drawn['cam'][0][1].startswith('evidence for class ')  # the network's own, which has no name here
    assert drawn['cam'][1][0][1].heat.shape == (24, 24)


def test_a_task_that_draws_nothing_is_a_sentence(tmp_path):
    config = tiny.config(**tiny.DETECTION)
    with pytest.raises(ConfigError, match="task='detect_ssd' draws no pictures"):
        gallery.gallery(config, tmp_path, [])


def test_what_cannot_be_drawn_is_refused(trained, tmp_path):
    config = tiny.config(row='resizemix')
    with pytest.raises(DataError, match='absent is not a directory; pass one that holds pictures'):
        gallery.gallery(config, trained, variants(config), str(tmp_path / 'absent'))
    one = pictures(tmp_path / 'one', count=1)
    with pytest.raises(DataError, match='holds 1 pictures .*; mixing takes two'):
        gallery.gallery(config, trained, variants(config), str(one))
    (one / 'torn.jpg').write_bytes(b'not a picture')
    with pytest.raises(DataError, match='torn.jpg: the picture cannot be decoded: '):
        read_pictures(one, 32)
    with pytest.raises(DataError, match='cifar100 is not prepared in'):
        missing = tiny.config(dataset='cifar100', dataset_args=ml_collections.ConfigDict())
        missing.data_dir = str(tmp_path)
        gallery.gallery(missing, trained, variants(missing))
    with pytest.raises(DataError, match='another network'):
        wider = tiny.config(model_args__width=2)
        gallery.gallery(wider, trained, variants(wider))
