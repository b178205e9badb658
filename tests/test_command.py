"""The command as its user types it, in a process of its own."""

import json
import signal
import subprocess
import sys

import pytest

from resizemix_jax import command as main
from resizemix_jax import modes
from tests import made_up
from tests.command import ENVIRONMENT, ROOT, SMALL, command, run
from tests.input import directories


def refusal(capsys, *words):
    """What the command prints to stderr when it ends with exit code 2."""
    code = main.main(['main.py', *words])
    done = capsys.readouterr()
    assert (code, done.out) == (2, '')
    assert len(done.err.splitlines()) == 1 and 'Traceback' not in done.err
    return done.err


TABLE3, QUICKSTART, HERE = '--config=configs/table3.py', '--config=configs/quickstart.py', '--workdir=x'


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        ([f'{TABLE3}:row=foo', HERE], "row='foo' must be one of"),
        ([f'{TABLE3}:row=faster_aa', HERE], 'its authors published neither'),
        (['--config=configs/absent.py', HERE], '--config=configs/absent.py: there is no such file'),
        (['--config=', HERE], '--config needs a file'),
        ([QUICKSTART, '--config.optimizer.lr=1', HERE], 'config.optimizer.lr is now config.schedule_args.lr'),
        ([QUICKSTART, '--config.schedule_args.lrr=1', HERE], "'cosine' has no argument 'lrr'; it has"),
        ([QUICKSTART, '--config.dataset_args.size=1', HERE], "has no argument 'size'"),
        ([QUICKSTART, '--config.epochs=1.5', HERE], '--config.epochs=1.5: it must be of type int'),
        ([QUICKSTART, '--config.augment=nothing', HERE], "augment='nothing': augment: there is no"),
        ([QUICKSTART, '--config.recipe=released', HERE], '--config=FILE:recipe=released'),
        (
            [QUICKSTART, '--mode=gallery', '--multihost', HERE],
            '--multihost belongs to --mode=train or evaluate',
        ),
        ([QUICKSTART, '--mode=evaluate', '--logits', HERE], '--logits belongs to --predictions'),
        ([QUICKSTART, '--rows=a', HERE], '--rows belongs to --mode=sweep; the mode here is train'),
        ([QUICKSTART, '--mode=compare', HERE], '--config belongs to --mode=train or'),
        ([QUICKSTART, '--wrkdir=x'], "Unknown command line flag 'wrkdir'. Did you mean: workdir ?"),
        ([QUICKSTART, '--mode=trian', HERE], 'mode'),
        ([QUICKSTART, '--seeds=0', '--mode=sweep', HERE], 'seeds'),
        (
            [QUICKSTART, '--mode=gallery', '--images=docs/photos', '--image_size=100000', HERE],
            '--image_size=100000: 100000 is not an integer in the range [16, 4096]',
        ),
        (['train', HERE], "unexpected argument 'train'"),
        ([QUICKSTART], '--workdir=DIR is needed'),
        ([HERE], '--config=FILE is needed'),
        (['--mode=compile'], '--config=FILE is needed'),
        (['--list'], '--config=FILE is needed'),
    ],
)
def test_what_the_user_must_correct_is_one_sentence_and_exit_code_2(flags, message, capsys):
    assert message in refusal(capsys, *flags)


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        ([TABLE3, '--mode=report', '--workdir=absent'], '--workdir=absent is not a directory'),
        ([TABLE3, '--mode=report', '--workdir=configs'], 'configs holds no run of table3'),
        (['--config=configs/fake.py', '--mode=report', '--workdir=configs'], 'has no TABLE; name a table'),
        (['--config=configs/fake.py', '--mode=sweep', HERE], 'has no TABLE; name a table'),
        (['--mode=compare', HERE], '--other=DIR is needed'),
        (['--mode=compare', HERE, '--other=gs://x'], '--other=gs://x is an address'),
        (['--mode=compare', '--workdir=configs', '--other=x'], 'configs holds no run to compare'),
        (['--config=configs/fake.py', '--mode=compile', '--target=h200'], "--target='h200' must be 'local'"),
        (
            ['--config=configs/fake.py', '--mode=compile', '--config.batch_size=0'],
            'batch_size=0 must be >= 1',
        ),
        ([TABLE3, '--mode=sweep', '--rows=faster_aa', HERE], '--rows: faster_aa cannot be run'),
        ([f'{TABLE3}:row=aa', '--mode=sweep', HERE], 'row is chosen by --rows in a sweep'),
        ([TABLE3, '--mode=sweep', HERE, '--config.seed=1'], 'seed is chosen by --seeds in a sweep'),
        (
            [f'{TABLE3}:row=cutmix', '--mode=evaluate', HERE, '--config.mixing_args.alpha=-1.0'],
            'alpha=-1.0 must be > 0',
        ),
    ],
)
@pytest.mark.slow
def test_what_a_program_refuses_is_a_sentence_and_exit_code_2(flags, message):
    done = run(*flags)
    assert done.returncode == 2
    assert message in done.stderr and 'Traceback' not in done.stderr


def test_a_python_without_the_requirements_is_told_what_to_do():
    """-S: without what is installed, as in a clean clone."""
    done = subprocess.run(
        [sys.executable, '-S', 'main.py', '--help'], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr.startswith(
        f"{sys.executable} has no module 'absl': pip install 'resizemix-jax[train]'"
    )
    assert len(done.stderr.splitlines()) == 1


def test_help_names_every_flag_with_its_modes(capsys):
    assert main.main(['main.py', '--help']) == 0
    lines = capsys.readouterr().out.splitlines()
    for flag in main.FLAGS:
        below = lines[lines.index(f'  --{flag.name}') + 1]
        assert below.startswith(f'      {", ".join(flag.modes) or "every mode"}: {flag.help}')
        assert set(flag.modes) <= set(modes.MODES)
    for name in modes.MODES:
        assert any(line.startswith(f'  {name} ') for line in lines)


@pytest.mark.parametrize(
    ('mode', 'flag'),
    [(mode, f) for mode in modes.MODES for f in main.FLAGS if f.modes and mode not in f.modes],
)
def test_a_flag_of_another_mode_is_refused(mode, flag, capsys):
    value = {
        'boolean': [],
        'list': ['=a'],
        'integer': ['=20'],
        'enum': ['=best'],
        'string': ['=configs/fake.py'],
    }
    kind = flag.define.__name__.removeprefix('DEFINE_')
    words = [f'--{flag.name}{"".join(value[kind])}', f'--mode={mode}', HERE]
    if modes.MODES[mode].config:
        words.append(QUICKSTART)
    assert f'--{flag.name} belongs to --mode={" or ".join(flag.modes)}' in refusal(capsys, *words)


def test_a_list_is_the_table_s_or_the_docstring(capsys):
    assert main.main(['main.py', '--config=configs/table8.py', '--list']) == 0
    assert 'python main.py --config=configs/table8.py:row=0.1-0.9,seed=0' in capsys.readouterr().out
    assert main.main(['main.py', '--config=configs/fake.py', '--list']) == 0
    assert capsys.readouterr().out.startswith('Made-up images')


@pytest.mark.parametrize(
    ('words', 'code'),
    [
        (['--help'], 0),
        (['--config=configs/related.py', '--list'], 0),
        (['--wrong'], 2),
        ([TABLE3, '--rows=x'], 2),
    ],
)
def test_help_list_and_a_wrong_flag_do_not_import_jax(words, code):
    text = (
        'import sys\nfrom resizemix_jax import command\n'
        f'code = command.main(["main.py", *{words!r}])\n'
        'assert not {"jax", "flax"} & set(sys.modules)\nsys.exit(code)\n'
    )
    done = subprocess.run([sys.executable, '-c', text], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stderr


def test_a_reader_who_leaves_is_no_error():
    text = 'import sys\nfrom resizemix_jax import command\nsys.exit(command.main(sys.argv))\n'
    with subprocess.Popen(
        [sys.executable, '-c', text, '--config=configs/table3.py', '--list'],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        process.stdout.close()
        assert (process.wait(), process.stderr.read()) == (0, b'')


def test_what_is_read_reaches_the_program():
    mode, request = main.read([
        'main.py', f'{TABLE3}:row=cutmix,config.policy=pba', '--config.mixing=resizemix', '--config.remat',
        '--config.mixing_args.tau=(0.2, 0.3)', '--workdir=w', '--mode=generate', '--output=o',
    ])  # fmt: skip
    assert (mode, request.workdir, request.argument, request.options['output']) == (
        'generate',
        'w',
        'row=cutmix',
        'o',
    )
    assert request.overrides == {
        'policy': 'pba', 'mixing': 'resizemix', 'remat': True, 'mixing_args.tau': (0.2, 0.3),
    }  # fmt: skip
    assert request.config.policy_args.policy == 'pba_cifar10' and request.config.mixing_args.per == 'batch'
    assert request.config.mixing_args.tau == (0.2, 0.3) and request.config.remat is True
    assert request.config.is_locked and request.table.name == 'table3'


@pytest.mark.slow
def test_the_user_s_disk_is_a_sentence(tmp_path):
    (tmp_path / 'file').touch()
    done = run(
        '--config=configs/fake.py:size=8', *SMALL, f'--workdir={tmp_path}/file/run', '--config.steps=1'
    )
    assert done.returncode in (1, 2) and 'Traceback' not in done.stderr
    assert f'{tmp_path}/file' in done.stderr


def test_a_tilde_is_the_home_directory(monkeypatch):
    """A shell leaves that of --workdir=~/x alone."""
    monkeypatch.setenv('HOME', str(ROOT))
    _, request = main.read([
        'main.py', '--config=~/configs/quickstart.py', '--workdir=~/w', '--mode=generate', '--output=~/o'
    ])  # fmt: skip
    assert (request.workdir, request.options['output']) == (f'{ROOT}/w', f'{ROOT}/o')
    assert request.path == f'{ROOT}/configs/quickstart.py'
    _, request = main.read(['main.py', '--mode=compare', '--workdir=~/a', '--other=~/b*'])
    assert request.options['other'] == f'{ROOT}/b*'
    _, request = main.read(['main.py', '--mode=gallery', QUICKSTART, HERE, '--images=~/p'])
    assert request.options['images'] == f'{ROOT}/p'


NO_HOME = """
import os, pwd, sys
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown
del os.environ['HOME'], os.environ['JAX_COMPILATION_CACHE_DIR']
from resizemix_jax import command
sys.exit(command.main())
"""


@pytest.mark.slow
def test_a_user_without_a_home_directory_can_train(tmp_path):
    """As in a container with `--user 12345`."""

    def run(*flags):
        words = [sys.executable, '-c', NO_HOME, *flags]
        return subprocess.run(words, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)

    done = run('--config=configs/fake.py:size=8', *SMALL, f'--workdir={tmp_path}/run', '--config.steps=1')
    assert done.returncode == 0, done.stderr
    assert 'Programs are not cached: Could not determine home directory' in done.stderr
    for flags, words in (
        (
            [TABLE3, f'--workdir={tmp_path}/x'],
            'TFDS_DATA_DIR=~/tensorflow_datasets: this user has no home directory',
        ),
        (
            [TABLE3, f'--workdir={tmp_path}/x', '--config.data_dir=~/x'],
            '--config.data_dir=~/x: this user has no home directory',
        ),
        ([TABLE3, '--workdir=~/x'], '--workdir=~/x: this user has no home directory'),
    ):
        done = run(*flags)
        assert done.returncode == 2 and words in done.stderr and 'Traceback' not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    'env', [{'LC_ALL': 'C', 'PYTHONIOENCODING': 'ascii'}, {'LC_ALL': 'C', 'PYTHONUTF8': '0'}]
)
def test_a_terminal_without_utf_8_shows_a_question_mark(env, tmp_path):
    for side in ('a', 'b'):
        for seed in (0, 1):
            made_up.run(tmp_path / side, f'row=cutmix,seed={seed}', [0.8 + seed / 100])
    flags = ('--mode=compare', f'--workdir={tmp_path}/a', f'--other={tmp_path}/b')
    usual, done = run(*flags), run(*flags, PYTHONCOERCECLOCALE='0', **env)
    assert done.returncode == 0, done.stderr
    assert '±' in usual.stdout and done.stdout == usual.stdout.encode('ascii', 'replace').decode()


@pytest.mark.slow
@pytest.mark.parametrize('platforms', ['cuda', 'cuda,cpu', 'nonsense'])
def test_a_device_that_is_asked_for_and_missing_is_a_sentence(platforms, tmp_path):
    flags = ('--config=configs/fake.py:size=8', *SMALL, f'--workdir={tmp_path}/run', '--config.steps=1')
    done = run(*flags, JAX_PLATFORMS=platforms, CUDA_VISIBLE_DEVICES='')
    assert done.returncode == 2
    assert f'ConfigError: JAX_PLATFORMS={platforms}: JAX can use no such device here' in done.stderr
    assert 'Traceback' not in done.stderr


STRICT = dict(
    JAX_NUMPY_RANK_PROMOTION='raise', JAX_NUMPY_DTYPE_PROMOTION='strict', JAX_TRANSFER_GUARD='disallow'
)  # fmt: skip


@pytest.mark.slow
def test_jax_made_strict_for_other_code_is_no_error(tmp_path):
    flags = ('--config=configs/fake.py:size=8', *SMALL, f'--workdir={tmp_path}/run', '--config.steps=3')
    done = run(*flags, **STRICT)
    assert done.returncode == 0, done.stderr
    assert run(*flags, '--mode=evaluate', **STRICT).returncode == 0


LIBRARY = """
import logging, sys
import configs.fake as fake
from resizemix_jax import config as configs
from resizemix_jax import train
exec(sys.argv[2])
config = configs.override(fake.get_config('size=8'), {'model': 'tests.small'})
config.update(steps=1, batch_size=16, eval_batch_size=16)
train.train_and_evaluate(config, sys.argv[1])
logging.getLogger('resizemix_jax').debug('after it')
logging.getLogger('resizemix_jax').info('after it')
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ('setup', 'lines', 'after'),
    [
        ('', 1, 0),
        ('logging.getLogger().addHandler(logging.FileHandler(sys.argv[1] + ".log"))', 0, 0),
        ('logging.getLogger("resizemix_jax").setLevel("WARNING")', 0, 0),
        ('logging.basicConfig(level="INFO", force=True)', 1, 1),
    ],
)
def test_a_script_that_calls_the_trainer_is_shown_its_log_unless_it_has_decided(
    setup, lines, after, tmp_path
):
    words = [sys.executable, '-c', LIBRARY, str(tmp_path / 'run'), setup]
    done = subprocess.run(words, cwd=ROOT, env=ENVIRONMENT | STRICT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if 'FileHandler' in setup:
        assert (tmp_path / 'run.log').read_text().count('[1] train_loss') == 1
    else:
        assert done.stderr.count('[1] train_loss') == lines
        assert done.stderr.count('after it') == after


@pytest.mark.slow
def test_missing_data_is_exit_code_2_and_the_command(tmp_path):
    flags = ['--config=configs/table3.py', f'--workdir={tmp_path}/run', f'--config.data_dir={tmp_path}']
    done = run(*flags)
    assert done.returncode == 2
    assert f'python -m resizemix_jax.prepare cifar100 --data_dir={tmp_path}' in done.stderr
    assert 'Traceback' not in done.stderr and not (tmp_path / 'run' / 'checkpoints').exists()


@pytest.mark.slow
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
    for line in ('JAX process: 0 / 1', 'Devices: 1 x', 'Compiling the training step', 'Parameters:'):
        assert any(line in part for part in log), line
    assert 'the same command continues' in log[-1]

    refused = run(*flags, '--config.label_smoothing=0.1')
    assert refused.returncode == 2 and 'label_smoothing: 0.0 -> 0.1' in refused.stderr

    done = run(*flags, '--allow_config_change')
    assert done.returncode == 0, done.stderr
    assert 'the paper, ResizeMix, wrn28_10: 97.60 %' in done.stdout
    assert 'not comparable, since this run overrides' in done.stdout
    result = json.loads((tmp_path / 'run' / 'result.json').read_text())
    assert result['row'] == 'resizemix' and result['config']['dataset'] == 'cifar10'
    assert result['steps'] >= 8

    assert 'nothing is left to do' in run(*flags).stderr
    evaluated = run(*flags, '--mode=evaluate')
    assert evaluated.returncode == 0
    assert f'last_top1: {100 * result["top1_last"]:.2f} %' in evaluated.stdout
    (paper,) = (line for line in done.stdout.splitlines() if line.startswith('the paper, ResizeMix, '))
    own = run(f'--workdir={tmp_path}/run', '--mode=evaluate')  # by the run's own config
    assert paper in evaluated.stdout.splitlines() and paper in own.stdout.splitlines()


@pytest.mark.slow
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


def test_a_lack_of_memory_is_a_sentence(monkeypatch, capsys, tmp_path):
    def fill(request):
        raise MemoryError('Unable to allocate 9. TiB')  # a real one might end the tests

    monkeypatch.setitem(modes.MODES, 'train', modes.Mode(fill))
    assert main.main(['main.py', QUICKSTART, f'--workdir={tmp_path}']) == 1
    assert 'memory ran out: Unable to allocate 9. TiB; use smaller' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('word', 'message'),
    [
        (
            '--config.batchsize=3',
            "config.batchsize: the config has no key 'batchsize'; did you mean batch_size?",
        ),
        ('--config.Batch_size=3', 'did you mean batch_size?'),
        ('--config.batch-size=3', 'did you mean batch_size?'),
        (
            '--config.mixing_args.alpha=0.2',
            "mixing='resizemix' has no argument 'alpha'; it has: antialias, method",
        ),
        ('--config.optimizer=adam', "there is no 'adam'; there are: adamw, sgd; did you mean adamw?"),
        ('--config.remat=maybe', '--config.remat=maybe: it must be of type bool, like False'),
        ('--config.mixing_args={1: 2}', 'it must be of type dict'),
        ("--config.mixing_args={'a.b': 2}", 'it must be of type dict'),
        ('--config.mixing_args.=1', "has no argument ''"),
        ('--config.=1', "the config has no key ''"),
        ('--config.to_dict=1', "the config has no key 'to_dict'"),
        ('--config.mixing=.', "there is no '.'"),
        ('--config.mixing=..resizemix', "there is no '..resizemix'"),
        ('--config.seed=' + '9' * 5000, '999...: it must be of type int'),
        ('--config.data_dir=a\0b', 'must be text without control characters'),
    ],
)
def test_a_typo_is_a_sentence_with_the_nearest(word, message, capsys):
    text = refusal(capsys, QUICKSTART, word, HERE)
    assert message in text and len(text) < 500
    assert '\\' not in text or '\0' in word


@pytest.mark.slow
def test_a_flag_s_value_stands_after_an_equals_sign(capsys):
    assert '--NAME=VALUE' in refusal(capsys, QUICKSTART, '--list', 'true', HERE)
