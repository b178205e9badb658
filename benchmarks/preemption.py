"""From SIGTERM to the end of the process, in seconds, for a state of ResNet-50's size.

python -m benchmarks.preemption [--processes=1] [--rounds=3] [--depth=50] [--width=64]

A spot machine gives 30 s. The run is that of configs/fake.py with ResNet-50 at 32 pixels: its state is the
real one (25.6 million parameters and as many momenta, 205 MB) and its steps are short, so the time is that of
saving; on an accelerator, add the time of the current step.
"""

import pathlib
import signal
import statistics
import tempfile
import time

from benchmarks import _timing as timing
from tests import hosts

FLAGS = (
    '--config=configs/fake.py:model=resnet50,size=32',
    '--config.batch_size=2', '--config.schedule_args.lr=1e-4', '--config.steps=100000',
    '--config.eval_every_epochs=100000', '--config.save_every_epochs=100000',
)  # fmt: skip


def measure(processes, depth, width, workdir):
    network = f'--config.model_args.depth={depth}', f'--config.model_args.width={width}'
    started = hosts.start(workdir, *FLAGS, *network, processes=processes, devices=1)
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


def main(argv=None):
    smallest = dict(rounds=1, depth=14, width=8)
    args = timing.arguments(__doc__, argv, smallest, processes=1, rounds=3, depth=50, width=64)
    values = []
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory() as workdir:
            seconds, size = measure(args.processes, args.depth, args.width, workdir)
            values.append(seconds)
    print(
        f'{args.processes} processes, SIGTERM to the end of the last one: {statistics.median(values):.1f} s '
        f'({min(values):.1f} to {max(values):.1f}); {size / 1e6:.0f} MB written; {timing.machine()}'
    )


if __name__ == '__main__':
    main()
