"""The command as its user types it, in a process of its own."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from tests import made_up
from tests.data import directories

ROOT = pathlib.Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, 'JAX_PLATFORMS': 'cpu'}
SMALL = (
    '--config.model_args.depth=10', '--config.model_args.width=1', '--config.batch_size=16',
    '--config.eval_batch_size=16', '--config.log_every_steps=2',
)  # fmt: skip


def command(*flags):
    return [sys.executable, 'main.py', *flags]


def run(*flags):
    return subprocess.run(command(*flags), cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)


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


def test_gallery(tmp_path):
    flags = ['--config=configs/table1.py', f'--workdir={tmp_path}', '--config.dataset=fashion_mnist_10k']
    done = run(*flags, *SMALL, '--mode=gallery', '--image_size=32', '--images=docs/photos')
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f'{tmp_path}/gallery/methods.png']
    refused = run(*flags, *SMALL, '--mode=gallery', f'--images={tmp_path}')
    assert refused.returncode == 2 and 'holds 0 pictures' in refused.stderr


def test_compile_needs_no_data_and_no_workdir():
    done = run('--config=configs/table2.py:row=resizemix', *SMALL, '--mode=compile')
    assert done.returncode == 0, done.stderr
    assert 'local: 1 x cpu, 16 images each\nfits: ' in done.stdout


def test_a_step_that_does_not_fit_is_exit_code_1():
    """A million images at once: hundreds of GB on the CPU that is here."""
    flags = '--config.batch_size=1000000', '--config.dataset_args.train_size=1000000'
    done = run('--config=configs/fake.py', *SMALL, *flags, '--mode=compile')
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert 'DOES NOT FIT: ' in done.stderr


def test_generating_without_a_teacher_is_exit_code_2(tmp_path):
    done = run('--config=configs/quickstart.py', f'--workdir={tmp_path}/run', *SMALL, '--mode=generate')
    assert done.returncode == 2 and 'Traceback' not in done.stderr
    assert 'has no checkpoint' in done.stderr and '--mode=train' in done.stderr
    assert not (tmp_path / 'run').exists()


def test_sweep_report_compare(tmp_path):
    """Two rows of two seeds, all but one finished before; then their report, and a comparison."""
    sweep = [
        '--config=configs/table3.py:scale=small', '--mode=sweep', f'--workdir={tmp_path}', '--seeds=2',
        '--config.steps=2', '--config.eval_batch_size=1000',
    ]  # fmt: skip
    names = [
        f'table3_{row}_wrn28_10_small_seed{seed}' for seed in (0, 1) for row in ('baseline', 'resizemix')
    ]
    for name in names[:3]:
        argument = f'row={name.split("_")[1]},seed={name[-1]},scale=small'
        made_up.run(tmp_path, argument, [0.8], name=name, steps=2)
    planned = run(*sweep, '--rows=baseline,resizemix', '--dry_run')
    lines = planned.stdout.splitlines()
    assert [line.split('/')[-1] for line in lines] == names
    assert [line.split()[0] for line in lines] == ['finished,'] * 3 + ['run:']
    assert 'table3.py:row=resizemix,model=wrn28_10,scale=small,seed=1 --config.eval_batch_size=' in lines[3]
    assert not (tmp_path / names[3]).exists()

    done = run(*sweep, '--rows=baseline,resizemix')
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:] == [
        'Runs made: 1, finished before: 3, failed: 0', f'{tmp_path}/report.md', f'{tmp_path}/report.html',
    ]  # fmt: skip
    text = (tmp_path / 'report.md').read_text()
    assert '## Runs that differ: scale=small, steps=2' in text
    top1 = [
        100 * json.loads((tmp_path / name / 'result.json').read_text())['top1_last'] for name in names[1::2]
    ]
    assert (
        f'| ResizeMix | 0 | {sum(top1) / 2:.2f} ± {abs(top1[0] - top1[1]) / 2**0.5:.2f} (2) | 84.31 |' in text
    )

    rows = [f'{tmp_path}/*{row}*' for row in ('baseline', 'resizemix')]
    compared = run('--mode=compare', f'--workdir={rows[0]}', f'--other={rows[1]}')
    assert compared.returncode == 0 and 'mixing: none -> resizemix' in compared.stdout
    assert '2 seeds in pairs' in compared.stdout and 'two-sided: p = ' in compared.stdout

    failed = run(*sweep, '--rows=resizemix', '--seeds=1', '--config.steps=3')
    assert failed.returncode == 1
    assert f'{tmp_path}/{names[1]}: exit code 2' in failed.stderr and 'steps: 2 -> 3' in failed.stderr


def test_watch_ends_on_ctrl_c(tmp_path):
    flags = [
        '--config=configs/table3.py',
        '--mode=report',
        '--watch',
        '--interval=1',
        f'--workdir={tmp_path}',
    ]
    with subprocess.Popen(
        command(*flags), cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert 'Waiting' in process.stderr.readline()
        made_up.run(tmp_path, 'row=cutmix', [0.5])
        while 'Written' not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 0 and 'Traceback' not in err
    assert out.split() == [f'{tmp_path}/report.md', f'{tmp_path}/report.html']


def test_missing_data_is_exit_code_2_and_the_command(tmp_path):
    flags = ['--config=configs/table3.py', f'--workdir={tmp_path}/run', f'--config.data_dir={tmp_path}']
    done = run(*flags)
    assert done.returncode == 2
    assert f'python -m resizemix_jax.data.prepare cifar100 --data_dir={tmp_path}' in done.stderr
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
