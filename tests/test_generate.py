"""A teacher's set, from its checkpoint to a step of the student; tiny, and nothing is mocked."""

import ml_collections
import numpy as np
import pytest
from PIL import Image

from resizemix_jax import build, generate, modes, train
from resizemix_jax.datasets.generated import generated
from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.input import pipeline
from resizemix_jax.normalize import normalize
from resizemix_jax.run import network
from resizemix_jax.run.checkpoint import Checkpoints
from tests import tiny

pytestmark = pytest.mark.slow


def config(**values):
    return tiny.config(generate_args__mask_size=4, generate_args__max_iters=8, **tiny.WIDE | values)


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    workdir = tmp_path_factory.mktemp('teacher')
    run = build.open_run(build.plan(config()))
    state = build.initial_state(run)
    with Checkpoints(workdir, 1) as checkpoints:  # a network tells made-up images apart without training, too
        checkpoints.save(state.replace(step=state.step + 8), 8)
    return workdir


@pytest.fixture(scope='module')
def made(teacher):
    return generate.generate(config(), teacher)


def test_the_set_is_the_training_images_and_then_mixtures(made, teacher):
    assert made.directory == teacher / 'generated'
    assert made.tried == 64  # 4 whole batches of 67 images
    assert 0.3 * 64 < made.kept < 64 and 1 <= made.steps <= 8
    plan = build.plan(config())
    read = generated(data_dir=str(made.directory)).read
    for split in ('train', 'eval'):
        found, original = read(split, ''), plan.dataset.read(split, '')
        images, label = found.images, found.label
        count = len(original.label)
        assert len(label) == count + (made.kept if split == 'train' else 0)
        np.testing.assert_array_equal(images[:count], original.images)
        np.testing.assert_array_equal(label[:count], original.label)


def test_the_mixtures_are_drawn(made):
    with Image.open(made.directory / 'mixtures.png') as picture:
        assert (
            picture.width > generate.COLUMNS * 8 * 8 and np.unique(np.asarray(picture.convert('L'))).size > 20
        )


def mixtures(made):
    split = generated(data_dir=str(made.directory)).read('train', '')
    return split.images[67:], split.label[67:]


def test_a_mixture_lies_between_two_training_images(made):
    images = build.plan(config()).dataset.read('train', '').images.reshape(67, -1).astype(int)
    low, high = np.minimum(images[:, None], images), np.maximum(images[:, None], images)
    alone = 0
    for mixture in mixtures(made)[0]:
        flat = mixture.reshape(-1).astype(int)
        between = ((low - 1 <= flat) & (flat <= high + 1)).all(-1)
        assert between.any()
        alone += (abs(images - flat).max(-1) <= 1).any()
    assert alone < 0.3 * made.kept  # of two images of one class, one may be all that is left


def test_its_label_is_the_teacher_s_class(made, teacher):
    plan = build.plan(config())
    images, label = mixtures(made)
    logits = network.restore(plan, teacher).logits(
        plan.task.model, normalize(images, plan.dataset.mean, plan.dataset.std)
    )
    assert (np.asarray(logits).argmax(-1) == label).mean() > 0.9  # up to the rounding to uint8
    assert len(set(label)) > 1


def test_the_seed_decides(teacher):
    plan = build.plan(config(generate_images=20))
    split = plan.dataset.read('train', '')
    trained = network.restore(plan, teacher)
    (one, tried, _), (again, _, _) = (generate.mix(plan, trained, split) for _ in range(2))
    assert tried == 32  # whole batches
    np.testing.assert_array_equal(one.images, again.images)
    np.testing.assert_array_equal(one.label, again.label)


def test_every_batch_and_seed_draws_anew(teacher, monkeypatch):
    batch = pipeline.train_batch
    monkeypatch.setattr(pipeline, 'train_batch', lambda split, size, seed, step: batch(split, size, 0, 0))
    found = []
    for seed in (0, 1):  # four times the same images
        plan = build.plan(config(generate_images=32, seed=seed))
        split = generate.mix(plan, network.restore(plan, teacher), plan.dataset.read('train', ''))[0]
        found += [image.tobytes() for image in split.images]
    assert len(set(found)) > 0.8 * len(found)


def student(made, **values):
    values = dict(dataset='generated', data_dir=str(made.directory), steps=1) | values
    return tiny.config(dataset_args=ml_collections.ConfigDict(), **values)


def test_a_student_trains_on_it(made, tmp_path):
    result = train.train_and_evaluate(student(made), tmp_path)
    assert result['steps'] == 1 and result['config']['dataset'] == 'generated'
    assert build.open_run(build.plan(student(made))).steps_per_epoch == (67 + made.kept) // 16


def test_the_command_says_what_was_made_and_how_to_train_on_it(teacher, tmp_path):
    overrides = {'epochs': 2, 'generate_images': 16, 'dataset': 'fake', 'generate_args.mask_size': 4}
    request = modes.Request(
        config(generate_images=16), teacher, 'configs/quickstart.py', 'row=baseline', None, overrides,
        {'output': str(tmp_path / 'a set')},
    )  # fmt: skip
    text = modes.generate(request)
    assert text.startswith('16 images tried, ') and ' %), after ' in text
    assert text.splitlines()[1].strip() == (
        'python main.py --config=configs/quickstart.py:row=baseline '
        f"'--config.data_dir={tmp_path}/a set' --config.dataset=generated --config.epochs=2 "
        f"'--workdir={tmp_path}/a set_run'"
    )
    assert (tmp_path / 'a set' / 'generated').is_dir()


def fake(**values):
    shape = dict(image_shape=(8, 8, 1), num_classes=4, train_size=67, eval_size=37)
    return dict(dataset_args=ml_collections.ConfigDict(shape | values))


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (dict(generate_args__k=1), 'k=1 must be from 2 to 64'),
        (dict(generate_args__alpha=0.0), 'alpha=0.0 must be > 0'),
        (dict(generate_args=ml_collections.ConfigDict(dict(beta=1))), 'supermix does not take beta'),
        (dict(generate_images=-1), 'generate_images=-1 must be >= 0'),
        (fake(num_classes=1), 'has 1 class; at least 2'),
        (tiny.DETECTION | dict(model_args__depth=14), "task='detect_ssd' classifies no images"),
        (fake(image_shape=(8, 8, 2)), 'images of 2 channels cannot be written'),
        (dict(half_eval='resize'), 'a teacher of half the resolution'),
        (
            dict(mixing='supermix', mixing_args=ml_collections.ConfigDict()),
            'supermix needs teacher.*generate',
        ),
    ],
)
def test_an_invalid_value_is_refused_before_anything_is_read(values, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        generate.generate(config(**values), tmp_path)
    assert not list(tmp_path.iterdir())


def test_masks_that_are_larger_than_the_images_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r'generate_args: mask_size=9 must be in 1\.\.8'):
        generate.generate(tiny.config(generate_args__mask_size=9), tmp_path)


def test_without_a_teacher_one_is_asked_for(tmp_path):
    with pytest.raises(DataError, match='has no checkpoint.*Train one there first, with --mode=train'):
        generate.generate(config(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_output_is_not_overwritten(made, teacher):
    with pytest.raises(ConfigError, match='exists, and nothing is overwritten.*--output=DIR'):
        generate.generate(config(), teacher)


def test_a_teacher_that_recognises_nothing_writes_nothing(teacher, tmp_path, monkeypatch):
    empty = generate.ImageSplit(np.zeros((0, 8, 8, 1), np.uint8), np.zeros(0, np.int32))
    monkeypatch.setattr(generate, 'mix', lambda *_: (empty, 64, 0.0))
    with pytest.raises(DataError, match='recognised none of 64 mixtures. Train it longer'):
        generate.generate(config(), teacher, tmp_path / 'set')
    assert not list(tmp_path.iterdir())
