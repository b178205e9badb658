"""Sums over rows of JSON lines, by which a checkpoint knows the rows that were written before it."""

import json
import zlib

from resizemix_jax.errors import DataError
from resizemix_jax.run import files

EMPTY = {'count': 0, 'crc32': 0}


def extended(summary, rows):
    """A sum (`EMPTY` at first) with more rows."""
    crc = summary['crc32']
    for row in rows:
        crc = zlib.crc32(f'{json.dumps(row)}\n'.encode(), crc)
    return {'count': summary['count'] + len(rows), 'crc32': crc}


def check(path, step, summary):
    """Raises DataError unless a file begins with the rows of a sum, made at a step; more may follow."""
    rows = [row for row in files.read_rows(path)[0] if row['step'] <= step][: summary['count']]
    if extended(EMPTY, rows) != summary:
        found = f'{len(rows)} of' if len(rows) < summary['count'] else 'not the same as'
        raise DataError(
            f'{path} was changed: up to the checkpoint of step {step} it has {found} the {summary["count"]} '
            'rows that were written. Bring it back from a copy, use another --workdir, or continue with the '
            'rows that are left by --allow_config_change'
        )
