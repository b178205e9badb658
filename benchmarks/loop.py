"""The host's time for one turn of the training loop: the network computes nothing.

    python -m benchmarks.loop [--before=CHECKOUT] [--devices=1,8] [--batch=256 --side=32]
        [--turns=200 --rounds=30]

The real loop of `train.train_and_evaluate` runs in a process of its own: it makes a batch from memory, puts
it on the devices, starts the step, checks the loss of the one before and logs. With --before, the loop of
another checkout of this project runs in turn with it, and the ratio is of paired rounds.
"""

from benchmarks import _checkouts as checkouts
from benchmarks import _timing as timing


def main(argv=None):
    args = timing.arguments(
        __doc__, argv, dict(devices='2', batch=4, side=8, turns=2, rounds=1),
        before='', after=str(checkouts.ROOT), devices='1,8', batch=256, side=32, turns=200, rounds=30,
    )  # fmt: skip
    compared = ({'before': args.before} if args.before else {}) | {'after': args.after}
    print(
        f'batch {args.batch}, {args.side} px, {timing.machine()}, {args.rounds} rounds of {args.turns} turns'
    )
    for devices in map(int, args.devices.split(',')):
        times = checkouts.compare(
            compared,
            args.turns,
            args.rounds,
            argument=f'model=wrn28_10,size={args.side},mixing=none',
            overrides={'batch_size': args.batch, 'dataset_args.train_size': 100 * args.batch},
            devices=devices,
            nothing=True,
        )
        checkouts.print_comparison(f'{devices} devices', times)


if __name__ == '__main__':
    main()
