"""Training on a streamed set, whole: Table 4's config on the miniature ImageNet, stopped and continued."""

import json
import os
import signal
import threading

import jax
import ml_collections
import numpy as np
import pytest

from configs import table4
from resizemix_jax import build, generate, train
from resizemix_jax.devices import parallel
from resizemix_jax.errors import ConfigError, DataError, PreemptedError
from resizemix_jax.pictures import pairs
from resizemix_jax.run.checkpoint import Checkpoints
from tests.input import miniature
from tests.input.test_workers import children

TIMES = ('seconds', 'compile_seconds', 'images_per_second', 'data_wait_share')


class PowerCut(BaseException):
    """What no handler sees coming."""


def config(directory, **values):
    made = table4.get_config('row=resizemix,model=resnet50')
    made.data_dir = str(directory)
    made.model_args.update(depth=14, width=8)
    made.dataset_args.update(image_size=32, max_damaged=0.1)
    made.batch_size, made.eval_batch_size, made.epochs = 8, 8, 2
    made.log_every_steps, made.num_devices, made.workers = 3, 1, 0
    made.update(values)
    return made


def rows(workdir):
    lines = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in TIMES} for line in lines]


def final_state(workdir, config):
    run = build.open_run(build.plan(config))
    with Checkpoints(workdir) as checkpoints:
        return jax.tree.leaves(
            parallel.to_host(checkpoints.restore(build.initial_state(run), run.plan.devices))
        )


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    directories = tmp_path_factory.mktemp('whole'), tmp_path_factory.mktemp('damaged')
    miniature.write(directories[0])
    miniature.write(directories[1], 'tfrecord', damaged=[('train', 5), ('validation', 3)])
    return directories


@pytest.mark.slow
def test_a_killed_run_continues_bit_by_bit(written, tmp_path, monkeypatch):
    directory = written[1]
    result = train.train_and_evaluate(config(directory), tmp_path / 'unbroken')
    assert result['steps'] == 10  # 41 images make 5 batches of 8 an epoch
    original = train.Loop.advance

    def advance(self, state, metrics, step, batches):
        if step == 7:
            raise PowerCut
        return original(self, state, metrics, step, batches)

    with monkeypatch.context() as patch:
        patch.setattr(train.Loop, 'advance', advance)
        with pytest.raises(PowerCut):
            train.train_and_evaluate(
                config(directory, workers=2), tmp_path / 'broken', allow_config_change=True
            )
    train.train_and_evaluate(config(directory, workers=2), tmp_path / 'broken')
    assert rows(tmp_path / 'broken') == rows(tmp_path / 'unbroken')
    assert {row['eval_examples'] for row in rows(tmp_path / 'broken') if 'eval_top1' in row} == {23}
    states = [final_state(tmp_path / name, config(directory)) for name in ('broken', 'unbroken')]
    for one, two in zip(*states, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.slow
def test_a_signal_is_obeyed_although_no_batch_comes(written, tmp_path, monkeypatch):
    original = train.Loop.advance

    def advance(self, state, metrics, step, batches):
        if step == 2:
            for pid in children():
                os.kill(pid, signal.SIGSTOP)
            # Only when all that was made ahead is used up.
            threading.Timer(5, os.kill, (os.getpid(), signal.SIGTERM)).start()
        return original(self, state, metrics, step, batches)

    monkeypatch.setattr(train.Loop, 'advance', advance)
    with pytest.raises(PreemptedError, match=r'SIGTERM: saved at step [2-5]; the same command continues'):
        train.train_and_evaluate(config(written[0], workers=1), tmp_path)
    monkeypatch.setattr(train.Loop, 'advance', original)
    assert train.train_and_evaluate(config(written[0], workers=0), tmp_path)['steps'] == 10


@pytest.mark.slow
def test_other_sets_take_its_place_by_name(tmp_path):
    miniature.write_folders(tmp_path)
    run = build.open_run(build.plan(config('', dataset=f'folder:{tmp_path}')))
    assert (run.plan.dataset.num_classes, run.train['train'].size, run.eval.size) == (4, 41, 23)
    for name, message in (
        ('folder:/nowhere', 'folder:/nowhere: there is no such directory'),
        ('folder', 'needs a directory: --config.dataset=folder:/path'),
        ('imagenet:/path', 'imagenet takes no source after a colon'),
        ('tfds:food101', 'food101 is not prepared'),
        ('pictures:x', "there is no 'pictures'"),
    ):
        with pytest.raises((ConfigError, DataError), match=message):
            build.plan(config(tmp_path, dataset=name))


@pytest.mark.slow
def test_pairs_to_look_at_are_of_the_middle_of_the_pictures(written):
    run = build.open_run(build.plan(config(written[0])))
    chosen = pairs.choose_pairs(run.train['train'], 0)
    assert (
        chosen.images.shape == (12, 32, 32, 3) and chosen.name(0) == run.train['train'].names[chosen.label[0]]
    )
    assert (chosen.label[::2] != chosen.label[1::2]).all()


@pytest.mark.slow
def test_supermix_is_refused(written, tmp_path):
    with pytest.raises(
        ConfigError, match='dataset=imagenet is streamed, and a generated set is written from'
    ):
        generate.generate(config(written[0]), tmp_path)


@pytest.mark.slow
def test_the_keys_are_those_of_the_dataset(written):
    wrong = config(written[0], dataset_args=ml_collections.ConfigDict(dict(size=3)))
    with pytest.raises(
        ConfigError, match='imagenet does not take size; it takes: image_size, eval_resize, resize'
    ):
        build.plan(wrong)
