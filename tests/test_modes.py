"""The modes beside training, as their user types them."""

import json
import signal
import subprocess

import pytest

from tests import made_up
from tests.command import ENVIRONMENT, ROOT, SMALL, command, run


@pytest.mark.slow
def test_gallery(tmp_path):
    flags = ['--config=configs/table1.py', f'--workdir={tmp_path}', '--config.dataset=fashion_mnist_10k']
    done = run(*flags, *SMALL, '--mode=gallery', '--image_size=32', '--images=docs/photos')
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f'{tmp_path}/gallery/methods.png']
    refused = run(*flags, *SMALL, '--mode=gallery', f'--images={tmp_path}')
    assert refused.returncode == 2 and 'holds 0 pictures' in refused.stderr


@pytest.mark.slow
def test_compile_needs_no_data_and_no_workdir():
    done = run('--config=configs/table2.py:row=resizemix', *SMALL, '--mode=compile')
    assert done.returncode == 0, done.stderr
    assert 'local: 1 x cpu, 16 examples each' in done.stdout and '\nfits: ' in done.stdout


@pytest.mark.slow
def test_a_step_that_does_not_fit_is_exit_code_1():
    """A million images at once: hundreds of GB on the CPU that is here."""
    flags = '--config.batch_size=1000000', '--config.dataset_args.train_size=1000000'
    done = run('--config=configs/fake.py', *SMALL, *flags, '--mode=compile')
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert 'DOES NOT FIT: ' in done.stderr


@pytest.mark.slow
def test_generating_without_a_teacher_is_exit_code_2(tmp_path):
    done = run('--config=configs/quickstart.py', f'--workdir={tmp_path}/run', *SMALL, '--mode=generate')
    assert done.returncode == 2 and 'Traceback' not in done.stderr
    assert 'has no checkpoint' in done.stderr and '--mode=train' in done.stderr
    assert not (tmp_path / 'run').exists()


@pytest.mark.slow
def test_sweep_report_compare(tmp_path):
    """Two rows of two seeds, all but one finished before; then their report, and a comparison."""
    sweep = [
        '--config=configs/table3.py:scale=small', '--mode=sweep', f'--workdir={tmp_path}', '--seeds=2',
        '--config.steps=2', '--config.eval_batch_size=1000',
    ]  # fmt: skip
    names = [
        f'table3_{row}_small_wrn10_1_fashion_mnist_10k_seed{seed}'
        for seed in (0, 1)
        for row in ('baseline', 'resizemix')
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
        'Jobs run: 1, finished before: 3, failed: 0', f'{tmp_path}/report.md', f'{tmp_path}/report.html',
    ]  # fmt: skip
    text = (tmp_path / 'report.md').read_text()
    assert '## Runs that differ: scale=small, steps=2' in text
    top1 = [
        100 * json.loads((tmp_path / name / 'result.json').read_text())['top1_last'] for name in names[1::2]
    ]
    assert f'| ResizeMix | {sum(top1) / 2:.2f} ± {abs(top1[0] - top1[1]) / 2**0.5:.2f} (2) |' in text

    rows = [f'{tmp_path}/*{row}*' for row in ('baseline', 'resizemix')]
    compared = run('--mode=compare', f'--workdir={rows[0]}', f'--other={rows[1]}')
    assert compared.returncode == 0 and 'mixing: none -> resizemix' in compared.stdout
    assert '2 seeds in pairs' in compared.stdout and 'two-sided: p = ' in compared.stdout

    failed = run(*sweep, '--rows=resizemix', '--seeds=1', '--config.steps=3')
    assert failed.returncode == 1
    assert f'{tmp_path}/{names[1]}: exit code 2' in failed.stderr and 'steps: 2 -> 3' in failed.stderr


@pytest.mark.slow
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
        try:
            assert 'Waiting' in process.stderr.readline()
            made_up.run(tmp_path, 'row=cutmix', [0.5])
            while 'Written' not in process.stderr.readline():
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
        finally:
            process.kill()
    assert process.returncode == 0 and 'Traceback' not in err
    assert out.split() == [f'{tmp_path}/report.md', f'{tmp_path}/report.html']
