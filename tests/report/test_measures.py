import json

import pytest

from resizemix_jax.report import measures
from resizemix_jax.report import tables as report
from tests import made_up
from tests.configs.tables import TABLES

TABLE, PATH = TABLES['table3'], 'configs/table3.py'


def row(step=30, changes=(), **values):
    return {'step': step, 'last_step': step, 'changes': list(changes), 'dataset': 'cifar100'} | values


def test_only_evaluations_of_the_run_itself_count():
    rows = [
        row(last_ece=0.1, best_ece=0.3, note='x'),
        row(last_ece=0.2, last_damaged='0.1', last_odd=float('nan'), last_flag=True),
        row(20, last_ece=0.5),
        row(changes=[['dataset', 'cifar100', 'fake']], last_ece=0.6),
        row(split='held_out', last_ece=0.7),
        {'step': 30, 'last_step': 30, 'last_ece': 0.8},
    ]
    assert measures.of_run(rows, 30) == {'last_step': 30, 'last_ece': 0.2, 'best_ece': 0.3}
    assert measures.of_run([], 30) == {}


def test_published_corruptions_count_with_all_severities():
    def published(severity, *more, dataset='cifar_c:/data'):
        changes = [['dataset', 'cifar10', dataset], ['dataset_args.corruption', 'absent', 'fog'], *more]
        return row(changes=[*changes, ['dataset_args.severity', 'absent', severity]], last_top1=0.4)

    assert measures.of_run([published(0)], 30)['last_published_fog_top1'] == 0.4
    for other in (published(3), published(0, ['half_eval', 'full', 'resize']), published(0, dataset='fake')):
        assert measures.of_run([other], 30) == {}
    assert measures.of_run([row(changes=[1, 2])], 30) == {}


@pytest.fixture(scope='module')
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp('runs')
    for seed, ece in enumerate((0.02, 0.04)):
        run = made_up.run(path, f'row=cutmix,seed={seed}', [0.5, 0.6, 0.7])
        values = {f'last_fog_{k}_top1': k / 10 for k in range(1, 6)} | {'last_fgsm_4_top1': 0.25}
        changes = [['dataset', 'cifar100', 'cifar_c:/d'], ['dataset_args.corruption', 'absent', 'spatter']]
        rows = row(last_ece=ece, best_ece=0.5, **values), row(changes=changes, last_top1=0.125)
        (run / 'evaluations.jsonl').write_text(''.join(json.dumps(one) + '\n' for one in rows))
    made_up.run(path, 'row=baseline', [0.5])
    return path


@pytest.mark.slow
def test_columns_are_there_where_there_are_numbers(directory):
    report.write(directory, TABLE, PATH)
    text = (directory / 'report.md').read_text()
    assert '| Row | column | ECE, % (last) |' in text
    assert '| CutMix | wrn28_10 | 3.00 ± 1.41 (2) |' in text
    assert '| Row | column | FGSM 4/255, % (last) |' in text and '| 25.00 ± 0.00 (2) |' in text
    assert '| fog, % (last) |' in text.replace('\\_', '_') and '| 30.00 ± 0.00 (2) |' in text
    assert 'CIFAR-C spatter, % (last) |' in text and '| 12.50 ± 0.00 (2) |' in text
    assert 'snow' not in text and 'NLL' not in text and 'occlusion' not in text


@pytest.mark.slow
def test_the_best_checkpoints_are_shown_with_the_best_score(directory):
    report.write(directory, TABLE, PATH, 'best')
    text = (directory / 'report.md').read_text()
    assert '| CutMix | wrn28_10 | 50.00 ± 0.00 (2) |' in text and 'FGSM' not in text
