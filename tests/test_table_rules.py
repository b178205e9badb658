import pytest

from resizemix_jax.tables import Column, Row
from tests.test_tables import table_of


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(rows=()), 'table t, rows: there are none'),
        (dict(rows=(Row('a', 'A'), Row('a', 'B'))), "table t, rows: 'a' occurs twice"),
        (dict(columns=(Column('x'), Column('x'))), "table t, columns: 'x' occurs twice"),
        (dict(rows=(Row('a,b', 'A'),)), "table t, rows: 'a,b' must be a word without"),
        (dict(default_row='z'), "table t: default_row='z' must be one of: a"),
        (dict(default_column='z'), "table t: default_column='z' must be one of: , x"),
        (dict(column_key='network'), "table t: column_key='network' must be one of: model, dataset"),
        (dict(columns=(Column('x', 'vgg'),)), "table t, column x: network='vgg' must be one of"),
        (dict(keys=dict(epohs=1)), 'table t: config.epohs: .* did you mean epochs'),
        (dict(columns=(Column('x', keys=dict(epohs=1)),)), 'table t, column x: config.epohs'),
        (
            dict(rows=(Row('a', 'A', dict(mixin='x')),)),
            'table t, row a: config.mixin: .* did you mean mixing',
        ),
        (dict(rows=(Row('a', 'A', {'optimizer.lr': 1}),)), 'table t, row a: config.optimizer.lr is now'),
        (
            dict(rows=(Row('a', 'A', paper={'y': 1.0}),)),
            "row a: the column of the paper's number='y' must be one",
        ),
        (dict(rows=(Row('a', 'A', per_column={'y': {}}),)), "row a: per_column='y' must be one of: x"),
        (dict(rows=(Row('a', 'A', per_column={'x': {'q': 1}}),)), 'row a, column x: config.q'),
        (dict(rows=(Row('a', 'A', dict(seed=1), refused='no'),)), 'row a: it is refused, and so has no keys'),
        (dict(rows=(Row('a', 'A', needs=(('t', 'b'),)),)), r"row a: needs=\('t', 'b'\) must be"),
        (dict(rows=(Row('a', 'A', needs=(('t', 'b', 'teacher'),)),)), "the row that it needs='b'"),
        (dict(rows=(Row('a', 'A', needs=(('t', 'a', 'teacher'),)),)), "the row that it needs='a'"),
        (
            dict(rows=(Row('a', 'A', needs=(('u', 'a', 'luck'),)),)),
            "the use of a needed run='luck' must be one",
        ),
    ],
)
def test_a_broken_table_says_which_part_when_it_is_made(changes, message):
    with pytest.raises(ValueError, match=message):
        table_of(**changes)
