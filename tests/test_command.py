"""The command as its user types it, in a process of its own."""

import json
import signal
import subprocess
import sys

import pytest

from tests.command import ENVIRONMENT, ROOT, SMALL, command, run
from tests.input import directories


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--config=configs/table3.py:row=foo', '--workdir=x'], "row='foo' must be one of"),
        (['--config=configs/table3.py:row=faster_aa', '--workdir=x'], 'its authors published neither'),
        (['--config=configs/absent.py', '--workdir=x'], "No such file or directory: 'configs/absent.py'"),
        (['--config=configs/quickstart.py', '--config.optimizer.lrr=1', '--workdir=x'], 'Did you mean "lr"'),
        (
            ['--config=configs/quickstart.py', '--config.dataset_args.size=1', '--workdir=x'],
            '--config: there is no such key: size',
        ),
        (['--config=configs/quickstart.py', '--config.epochs=1.5', '--workdir=x'], 'config.epochs=1.5'),
        (
            ['--config=configs/quickstart.py', '--mode=gallery', '--multihost', '--workdir=x'],
            '--multihost goes with --mode=train or evaluate',
        ),
        (
            ['--config=configs/quickstart.py', '--config.recipe=released', '--workdir=x'],
            '--config=FILE:recipe=released',
        ),
        (['train', '--workdir=x'], "unexpected argument 'train'"),
        (['--config=configs/quickstart.py'], '--workdir=DIR is needed'),
        (['--workdir=x'], '--config=FILE is needed'),
        (
            ['--config=configs/table3.py', '--mode=report', '--workdir=absent'],
            '--workdir=absent is no directory',
        ),
        (
            ['--config=configs/table3.py', '--mode=report', '--workdir=configs'],
            'configs holds no run of table3',
        ),
        (['--config=configs/fake.py', '--mode=report', '--workdir=configs'], 'fake has no rows to report'),
        (['--mode=compare', '--workdir=x'], '--other=DIR is needed'),
        (
            ['--mode=compare', '--workdir=x', '--other=gs://x'],
            '--other=gs://x is an address',
        ),
        (['--config=configs/fake.py', '--mode=compile', '--target=h200'], "--target='h200' must be 'local'"),
        (
            ['--config=configs/fake.py', '--mode=compile', '--config.batch_size=0'],
            'batch_size=0 must be >= 1',
        ),
        (['--mode=compile'], '--config=FILE is needed'),
        (['--mode=compare', '--workdir=configs', '--other=x'], 'configs holds no run to compare'),
        (['--config=configs/fake.py', '--mode=sweep', '--workdir=x'], 'a sweep needs a table with rows'),
        (
            ['--config=configs/table3.py', '--mode=sweep', '--rows=faster_aa', '--workdir=x'],
            '--rows: faster_aa cannot be run',
        ),
        (
            ['--config=configs/table3.py:row=aa', '--mode=sweep', '--workdir=x'],
            'row is chosen by --rows in a sweep',
        ),
        (
            ['--config=configs/table3.py', '--mode=sweep', '--workdir=x', '--config.mixing_args.per=sample'],
            'mixing_args.per does not fit row=baseline,model=wrn28_10,seed=0',
        ),
    ],
)
def test_what_the_user_must_correct_is_one_sentence_and_exit_code_2(flags, message):
    done = run(*flags)
    assert done.returncode == 2
    assert message in done.stderr and 'Traceback' not in done.stderr


def test_list():
    done = run('--config=configs/table8.py', '--list')
    assert done.returncode == 0
    assert 'python main.py --config=configs/table8.py:row=0.1-0.9,seed=0' in done.stdout


def test_missing_data_is_exit_code_2_and_the_command(tmp_path):
    flags = ['--config=configs/table3.py', f'--workdir={tmp_path}/run', f'--config.data_dir={tmp_path}']
    done = run(*flags)
    assert done.returncode == 2
    assert f'python -m resizemix_jax.prepare cifar100 --data_dir={tmp_path}' in done.stderr
    assert 'Traceback' not in done.stderr and not (tmp_path / 'run' / 'checkpoints').exists()


def test_a_row_of_the_paper_end_to_end_on_cifar_s_own_schema(tmp_path):
    """Table 2's ResizeMix row: CIFAR-10 from its TFDS directory to result.json, stopped once by SIGTERM."""
    directories.write(tmp_path, 'cifar10', {'train': 70, 'test': 37})
    flags = [
        '--config=configs/table2.py:row=resizemix,seed=1', f'--workdir={tmp_path}/run',
        f'--config.data_dir={tmp_path}', '--config.epochs=3', *SMALL,
    ]  # fmt: skip
    with subprocess.Popen(
        command(*flags, '--config.epochs=1000'), cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    ) as process:
        log = []
        while not any('[8] train_loss' in line for line in log):
            log.append(process.stderr.readline())
            assert log[-1], ''.join(log)
        process.send_signal(signal.SIGTERM)
        log.append(process.stderr.read())
    assert process.returncode == 75, ''.join(log)
    for line in ('JAX process: 0 / 1', 'Devices: 1 x', 'Initial compilation, this might', 'Parameters:'):
        assert any(line in part for part in log), line
    assert 'the same command continues' in log[-1]

    refused = run(*flags)
    assert refused.returncode == 2 and 'epochs: 1000 -> 3' in refused.stderr

    done = run(*flags, '--allow_config_change')
    assert done.returncode == 0, done.stderr
    assert 'the paper, ResizeMix: cost 0, wrn28_10 97.6' in done.stdout
    assert 'not comparable: this run overrides' in done.stdout
    result = json.loads((tmp_path / 'run' / 'result.json').read_text())
    assert result['row'] == 'resizemix' and result['config']['dataset'] == 'cifar10'
    assert result['steps'] >= 8

    assert 'nothing is left to do' in run(*flags).stderr
    evaluated = run(*flags, '--mode=evaluate')
    assert evaluated.returncode == 0
    assert f'last_top1: {100 * result["top1_last"]:.2f} %' in evaluated.stdout


def test_training_imports_neither_tensorflow_nor_torch(tmp_path):
    code = (
        'import sys, runpy\n'
        f'sys.argv = ["main.py", "--config=configs/quickstart.py", "--workdir={tmp_path}/run"]\n'
        f'sys.argv += ["--config.steps=1", *{SMALL!r}]\n'
        'try: runpy.run_path("main.py", run_name="__main__")\n'
        'except SystemExit as exit_: assert not exit_.code, exit_.code\n'
        'bad = {"tensorflow", "torch", "grain"} & set(sys.modules)\n'
        'assert not bad, bad\n'
    )
    subprocess.run([sys.executable, '-c', code], cwd=ROOT, env=ENVIRONMENT, check=True)
