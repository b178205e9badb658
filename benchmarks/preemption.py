"""From SIGTERM to the end of the process, in seconds, for a state of ResNet-50's size.

python -m benchmarks.preemption [--processes=1] [--rounds=3]

A spot machine gives 30 s. The run is configs/fake.py's with ResNet-50 at 32 pixels: its state is the real one
(25.6 million parameters and as many momenta, 205 MB) and its steps are short, so the time is that of saving;
on hardware, the step that runs is to be added.
"""

import argparse
import pathlib
import signal
import statistics
import tempfile
import time

from benchmarks import timing
from tests import hosts

FLAGS = (
    '--config=configs/fake.py:model=resnet50,size=32',
    '--config.batch_size=2', '--config.optimizer.lr=1e-4', '--config.steps=100000',
    '--config.eval_every_epochs=100000', '--config.save_every_epochs=100000',
)  # fmt: skip


def measure(processes, workdir):
    started = hosts.start(workdir, *FLAGS, processes=processes, devices=1)
    hosts.wait_for(started[-1], '[3] train_loss')
    begin = time.monotonic()
    started[-1].send_signal(signal.SIGTERM)
    codes, outputs = hosts.finish(started)
    seconds = time.monotonic() - begin
    if codes != [75] * processes:
        raise SystemExit(f'exit codes {codes}:\n{outputs}')
    size = sum(
        path.stat().st_size for path in pathlib.Path(workdir, 'checkpoints').rglob('*') if path.is_file()
    )
    return seconds, size


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--processes', type=int, default=1)
    parser.add_argument('--rounds', type=int, default=3)
    args = parser.parse_args()
    values = []
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory() as workdir:
            seconds, size = measure(args.processes, workdir)
            values.append(seconds)
    print(
        f'{args.processes} processes, SIGTERM to the last of them: {statistics.median(values):.1f} s '
        f'({min(values):.1f} to {max(values):.1f}); {size / 1e6:.0f} MB written; {timing.machine()}'
    )


if __name__ == '__main__':
    main()
