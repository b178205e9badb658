"""Paired timing: everything that is compared runs in turn, many rounds, in one process."""

import argparse
import os
import platform
import random
import statistics
import time

import jax


def arguments(description, argv=None, smallest=(), **defaults):
    """The command line of a benchmark, `--name=value`.

    Args:
        description: the docstring of the script, for --help.
        argv: the arguments; None for the process'.
        smallest: name -> value that replaces the default under --smallest: the whole script in seconds, as
            the tests run it. Its figures mean nothing.
        **defaults: name -> default; a value has the type of its default, and False makes a switch.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--smallest', action='store_true', help='the smallest size: does it run at all?')
    for name, default in defaults.items():
        how = {'action': 'store_true'} if default is False else {'type': type(default), 'default': default}
        parser.add_argument(f'--{name}', **how, help=f'default: {default}')
    if parser.parse_args(argv).smallest:
        parser.set_defaults(**dict(smallest))
    return parser.parse_args(argv)


def machine():
    """The machine and the version of JAX that the figures belong to, as a line."""
    kinds = ', '.join(sorted({d.device_kind for d in jax.devices()}))
    return (
        f'{len(jax.devices())} x {kinds}, {os.cpu_count()} cores, {platform.machine()}, jax {jax.__version__}'
    )


def rounds(functions, count):
    """Calls every function once a round: name -> seconds of each round. The first round is dropped.

    In another order each round: after a function with large temporaries, the next one finds cold caches.
    """
    seconds = {name: [] for name in functions}
    order, shuffle = list(functions.items()), random.Random(0).shuffle
    for _ in range(count + 1):
        shuffle(order)
        for name, function in order:
            start = time.perf_counter()
            jax.block_until_ready(function())
            seconds[name].append(time.perf_counter() - start)
    return {name: values[1:] for name, values in seconds.items()}


def ratio(seconds, name, base):
    """(median, lower quartile, upper quartile) of the rounds' ratios of `name` to `base`."""
    values = [a / b for a, b in zip(seconds[name], seconds[base], strict=True)]
    low, middle, high = quartiles(values)
    return middle, low, high


def quartiles(values):
    """(lower quartile, median, upper quartile) of one value or more."""
    return tuple(statistics.quantiles(values, n=4)) if len(values) > 1 else (values[0],) * 3


def print_ratios(seconds):
    """Prints the time of every function over that of the first."""
    base, *others = seconds
    for name in others:
        middle, low, high = ratio(seconds, name, base)
        print(f'{name} / {base}: {middle:.3f} (quartiles {low:.3f}-{high:.3f})')
