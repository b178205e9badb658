"""Paired timing: everything that is compared runs in turn, many rounds, in one process."""

import argparse
import os
import platform
import statistics
import time

import jax


def arguments(**defaults):
    """The command line's whole numbers, --name=value, over `defaults`."""
    parser = argparse.ArgumentParser()
    for name, default in defaults.items():
        parser.add_argument(f'--{name}', type=int, default=default)
    return parser.parse_args()


def machine():
    """Where the figures come from, as a line."""
    kinds = ', '.join(sorted({d.device_kind for d in jax.devices()}))
    return (
        f'{len(jax.devices())} x {kinds}, {os.cpu_count()} cores, {platform.machine()}, jax {jax.__version__}'
    )


def rounds(functions, count):
    """Calls every function once a round: name -> seconds of each round. The first round is dropped."""
    seconds = {name: [] for name in functions}
    for _ in range(count + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            jax.block_until_ready(function())
            seconds[name].append(time.perf_counter() - start)
    return {name: values[1:] for name, values in seconds.items()}


def ratio(seconds, name, base):
    """(median, lower quartile, upper quartile) of the rounds' ratios of `name` to `base`."""
    values = [a / b for a, b in zip(seconds[name], seconds[base], strict=True)]
    low, middle, high = statistics.quantiles(values, n=4)
    return middle, low, high


def print_ratios(seconds):
    """Prints the time of every function over that of the first."""
    base, *others = seconds
    for name in others:
        middle, low, high = ratio(seconds, name, base)
        print(f'{name} / {base}: {middle:.3f} (quartiles {low:.3f}-{high:.3f})')
