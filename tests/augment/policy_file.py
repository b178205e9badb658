"""Policies of a test's own."""

import json


def write(tmp_path, rows, **fields):
    """The path of a file with these sub-policies."""
    path = tmp_path / 'mine.json'
    path.write_text(json.dumps({'name': 'mine', 'kind': 'policy', 'subpolicies': rows} | fields))
    return str(path)
