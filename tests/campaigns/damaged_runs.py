"""Damages runs at random and reports, compares and plans a sweep over them: the counts of what came of it.

    python -m tests.campaigns.damaged_runs [--rounds=20] [--runs=100] [--seed=100]

A round is the test of tests/report/test_damage.py with other random numbers; it fails if anything but a
sentence comes out, or a run is not shown whole without one.
"""

import argparse
import logging
import pathlib
import tempfile

from tests.report.test_damage import survey


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    for name, default in (('rounds', 20), ('runs', 100), ('seed', 100)):
        parser.add_argument(f'--{name}', type=int, default=default)
    args = parser.parse_args()
    logging.disable(logging.WARNING)  # the sentences, which are counted
    told = whole = 0
    for k in range(args.rounds):
        with tempfile.TemporaryDirectory() as root:
            found = survey(pathlib.Path(root), args.runs, args.seed + k)
        told += sum(map(bool, found.values()))
        whole += sum(not sentences for sentences in found.values())
        print(f'{told + whole} damaged runs: {told} named with the reason, {whole} shown whole', flush=True)


if __name__ == '__main__':
    main()
