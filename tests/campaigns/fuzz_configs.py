"""Tries invalid configs: random keys with random bad values, through the command, up to a run's plan.

    python -m tests.campaigns.fuzz_configs [--count=1000] [--seed=0] [--steps=0] [--show=10]

A case is a cell of a random table, at the small scale where there is one, with up to two members of other
names, and up to two bad values or misspelt keys on its command line: another type, negative, zero, large,
huge, NaN, infinite, empty. Every tenth has none and has to be accepted. STEPS further cases, without bad
values, train for a step on made-up images. Counted are tracebacks, cases that take LIMIT seconds of processor
time, invalid configs that were accepted, and valid ones that were refused. SHOW refusals are printed. Exit
code 1 if a count is not 0.

`is_invalid` lists by hand, independently of the code, which values are invalid.
"""

import argparse
import collections
import contextlib
import io
import multiprocessing
import os
import pathlib
import random
import resource
import sys
import tempfile
import time
import traceback

from resizemix_jax import config as configs
from resizemix_jax.find import find, module, names, needs
from resizemix_jax.key_checks import IDENTITY_KEYS
from tests.configs.tables import TABLES

LIMIT = 20.0  # seconds of processor time for one case
MEMORY = 32 * 2**30  # bytes of address space
WORDS = {
    'wrong': ('x9', '(1, 2)'), 'negative': ('-3',), 'zero': ('0',), 'large': ('1000000000', '1e30'),
    'huge': ('1e300', str(10**23)), 'nan': ('nan',), 'inf': ('inf', '-inf'), 'empty': ('', '()'),
}  # fmt: skip
# Keys that cannot be large; of others some can.
SMALL = {
    'held_out', 'workers', 'batch_size', 'eval_batch_size', 'micro_batches', 'num_devices', 'batch_augment',
    'label_smoothing', 'mixing_args.prob', 'mixing_args.ratio', 'mixing_args.length',
    'mixing_args.attempts', 'mixing_args.n_labels', 'augment_args.padding', 'policy_args.n',
    'policy_args.m', 'policy_args.width', 'policy_args.depth', 'policy_args.severity', 'task_args.views',
    'generate_args.k', 'generate_args.leftover', 'model_args.depth', 'model_args.width',
    'model_args.dropout', 'optimizer_args.momentum', 'optimizer_args.b1', 'optimizer_args.b2',
    'schedule_args.factor', 'schedule_args.warmup_epochs', 'dataset_args.train_size', 'dataset_args.side',
    'dataset_args.image_size', 'dataset_args.eval_size', 'dataset_args.most', 'task_args.least',
    'task_args.threshold', 'task_args.flip_prob', 'task_args.frozen_stages', 'task_args.ratio',
    'task_args.size', 'task_args.candidates', 'task_args.eval_candidates', 'task_args.proposals',
    'task_args.rpn_sample', 'task_args.head_sample', 'task_args.most', 'model_args.channels',
    'model_args.hidden',
}  # fmt: skip
# Keys that may be 0, may be empty, and may hold any text.
ZERO = {
    'held_out', 'seed', 'steps', 'saliency_layer', 'gallery_every', 'profile_steps', 'num_devices', 'workers',
    'label_smoothing', 'generate_images', 'generate_args.lambda_s', 'generate_args.leftover',
    'task_args.weight', 'task_args.least', 'task_args.threshold', 'task_args.flip_prob',
    'task_args.frozen_stages', 'task_args.ratio', 'keep_every', 'save_every_minutes', 'input_timeout',
    'dataset_args.eval_resize',
    'dataset_args.max_damaged', 'model_args.dropout',
    'augment_args.padding',
    'mixing_args.prob', 'mixing_args.beta', 'mixing_args.gamma', 'mixing_args.eta', 'mixing_args.t_eps',
    'mixing_args.lambda_s', 'mixing_args.leftover', 'mixing_args.fill', 'optimizer_args.momentum',
    'optimizer_args.b1', 'optimizer_args.b2', 'optimizer_args.weight_decay', 'optimizer_args.clip_norm',
    'schedule_args.warmup_epochs', 'schedule_args.warmup_steps', 'schedule_args.warmup_lr',
    'schedule_args.final_lr',
    *(f'{group}_args.{word}' for group in ('augment', 'policy') for word in ('fill', 'n', 'm', 'level')),
}  # fmt: skip
EMPTY = {'data_dir', 'init', 'saliency', 'freeze', 'schedule_args.decay_epochs'}
TEXT = {'data_dir', 'init'}
ANY_NUMBER = {'mixing_args.fill'}
MEMBERS = ('model', 'augment', 'policy', 'mixing', 'optimizer', 'schedule', 'dataset', 'task')
# The images that a case of one step trains on.
TINY = (
    '--config.dataset=fake', '--config.dataset_args.image_shape=(8, 8, 3)',
    '--config.dataset_args.train_size=16', '--config.dataset_args.eval_size=8', '--config.batch_size=8',
    '--config.eval_batch_size=8', '--config.steps=1', '--config.num_devices=1',
    '--config.augment_args.padding=2',
)  # fmt: skip


def is_invalid(key, default, kind, text):
    """Whether a value of a kind makes no sense for a key whose default is known."""
    if kind == 'typo':
        return True
    if kind == 'large':
        return key in SMALL
    if key in TEXT or (key in ANY_NUMBER and text in ('-3', '(1, 2)')):
        return False
    if kind == 'zero' and (key in ZERO or isinstance(default, bool)):
        return False
    if kind == 'empty' and key in EMPTY:
        return (text == '()') != isinstance(default, tuple)
    return True


def cell(rng):
    """The argument of a random cell of a random table."""
    table = TABLES[rng.choice(sorted(TABLES))]
    scale = 'small' if table.choices and rng.random() < 0.8 else 'paper'
    recipe = rng.choice(('paper', 'released')) if table.choices else 'paper'
    chosen = rng.choice(table.cells(recipe=recipe, scale=scale))
    return f'--config=configs/{table.name}.py:{table.argument(chosen)}', table.get_config(
        table.argument(chosen)
    )


def members(rng, config, count, families=MEMBERS):
    """Overrides that choose other members, with what they need; `config` follows."""
    values = {}
    for key in rng.sample(families, count):
        name = rng.choice(names(configs.FAMILIES[key]))
        if 'teacher' in needs(find(configs.FAMILIES[key], name)) or name in (
            'halve',
            'tfds',
            'folder',
            'voc',
            'coco',
            'generated',
        ):
            continue  # these need a network, another place, or data
        values[key] = name
        if key == 'mixing':
            guided = 'saliency' in needs(find('mixing', name)) and name != 'cut_paste'
            values['saliency'] = 'fine_grained' if guided else ''
    if values.get('task', config.task) == 'consistency':
        values |= {'mixing': 'none', 'saliency': '', 'policy': 'augmix', 'policy_place': 'before_mixing'}
    family = getattr(module('tasks', values.get('task', config.task)), 'NETWORKS', 'models')
    if 'task' in values and family != configs.FAMILIES['model']:
        values |= {'model': names(family)[0], 'dataset': 'fashion_scenes'}
    if values.get('model', config.model) not in names(family):
        values.pop('model', None)  # of another family than the task's
    if config.model not in names(family) and 'model' not in values:
        values.pop('task', None)
    configs.override(config, values)
    return values


def bad_values(rng, config, count):
    """`count` of (key, default, kind, text), by random keys of a config."""
    keys = [key for key in config if not key.endswith('_args') and key not in IDENTITY_KEYS]
    keys += [f'{group}.{word}' for group in config if group.endswith('_args') for word in config[group]]
    for key in rng.sample(keys, count):
        top, _, word = key.partition('.')
        default = config[top][word] if word else config[top]
        kind = rng.choice((*WORDS, 'typo'))
        if kind == 'typo':
            at = rng.randrange(len(key))
            yield key[:at] + rng.choice('-_xQ') + key[at:], default, kind, '1'
        else:
            text = rng.choice(WORDS[kind])
            if kind in ('large', 'huge') and isinstance(default, int | float):  # of the type that is taken
                text = WORDS[kind][isinstance(default, float) == (kind == 'large')]
            yield key, default, kind, text


def case(rng, number):
    """(command line, whether it has to be refused; None if either may be)."""
    argument, config = cell(rng)
    values = members(rng, config, rng.choice((0, 0, 0, 1, 2)))
    words = [argument, *(f'--config.{key}={value}' for key, value in values.items())]
    if number % 10 == 0:
        return words, None if values or config.dataset in ('generated', 'voc', 'coco') else False
    bad = list(bad_values(rng, config, rng.choice((1, 1, 2))))
    words += [f'--config.{key}={text}' for key, _, _, text in bad]
    return words, True if any(is_invalid(*value) for value in bad) else None


def step_case(rng):
    """The command line of a case that trains for a step."""
    config = TABLES['quickstart'].get_config('row=resizemix')
    kinds = ('mixing', 'policy', 'optimizer', 'schedule', 'task')
    values = members(rng, config, rng.choice((1, 2)), kinds)
    words = [f'--config.{key}={value}' for key, value in values.items()]
    return ['--config=configs/quickstart.py:row=resizemix', *TINY, *words]


def work(connection, steps):
    """A process that runs command lines until it is ended."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.environ['JAX_DISABLE_MOST_OPTIMIZATIONS'] = 'true'  # compiling is most of a step's time
    import jax

    from resizemix_jax import build, command, modes

    jax.config.update('jax_platforms', 'cpu')
    if not steps:
        modes.MODES['train'] = modes.Mode(
            lambda request: str(build.unopened_run(build.plan(request.config)).steps)
        )
    connection.send('ready')
    while True:
        words, output = connection.recv(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            try:
                code = command.main(['main.py', *words])
            except BaseException:
                code = 'traceback'
                traceback.print_exc(file=output)
        connection.send((code, output.getvalue()))


class Runner:
    """A process of `work`, restarted after a case that took too long or killed it."""

    def __init__(self, steps=False):
        self.steps, self.process = steps, None

    def run(self, words):
        """(exit code, 'traceback', 'hang' or 'died', what it printed)."""
        if self.process is None:
            self.connection, other = multiprocessing.Pipe()
            context = multiprocessing.get_context('spawn')
            self.process = context.Process(target=work, args=(other, self.steps), daemon=True)
            self.process.start()
            other.close()
            self.connection.recv()
        self.connection.send(words)
        limit = LIMIT * (10 if self.steps else 1)  # a step is compiled
        end = self.seconds() + limit, time.monotonic() + 10 * limit
        try:
            while self.seconds() < end[0] and time.monotonic() < end[1]:
                if self.connection.poll(1):
                    return self.connection.recv()
            outcome = 'hang', ''
        except EOFError:
            outcome = 'died', ''
        self.end()
        return outcome

    def seconds(self):
        """The processor time that the process has used: other programs may keep the machine busy."""
        fields = pathlib.Path(f'/proc/{self.process.pid}/stat').read_text().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None


def judge(code, must):
    """What is wrong with an exit code, or ''."""
    if code not in (0, 2):
        return str(code)
    if must is True and code == 0:
        return 'accepted an invalid config'
    return 'refused a valid config' if must is False and code == 2 else ''


def campaign(count, seed, steps, show):
    """Runs the cases, prints the counts; whether nothing is wrong."""
    rng, counts = random.Random(seed), collections.Counter()
    with tempfile.TemporaryDirectory() as scratch:
        plans, trainer = Runner(), Runner(steps=True)
        cases = [(plans, *case(rng, number)) for number in range(count)]
        cases += [(trainer, step_case(rng), False) for _ in range(steps)]
        for number, (runner, words, must) in enumerate(cases):
            code, text = runner.run([*words, f'--workdir={scratch}/{number}'])
            wrong = judge(code, must)
            counts[wrong or {0: 'accepted', 2: 'refused'}[code]] += 1
            if wrong:
                print(f'{wrong}: {words}\n{text[-3000:]}', flush=True)
            elif code == 2 and rng.random() < show / max(count, 1):
                print(f'e.g. {words[1:]}\n    {text.strip()}', flush=True)
            if number % 100 == 99:
                print(f'{number + 1}: {dict(counts)}', flush=True)
        plans.end()
        trainer.end()
    print(f'{count} configs and {steps} of one step, seed {seed}: {dict(counts)}')
    return set(counts) <= {'accepted', 'refused'}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in (('count', 1000), ('seed', 0), ('steps', 0), ('show', 10)):
        parser.add_argument(f'--{name}', type=int, default=default)
    return 0 if campaign(**vars(parser.parse_args(argv))) else 1


if __name__ == '__main__':
    sys.exit(main())
