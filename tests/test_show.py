"""What the command prints of a table."""

import pathlib

from resizemix_jax import show
from tests.configs.tables import module


def test_listing_and_conclusion():
    table = vars(module('table2'))
    text = show.listing(pathlib.Path('configs/table2.py'), table)
    assert 'ResizeMix  (paper: cost 0, wrn28_10 97.6, ss26_2x96d 97.93)' in text
    assert '--config=configs/table2.py:row=resizemix,model=wrn28_10,seed=0 --workdir=runs/table2_' in text
    assert text.count('cannot be run') == 2
    text = show.listing(pathlib.Path('configs/table6.py'), vars(module('table6')))
    assert '--config=configs/table6.py:row=crop_resize,dataset=cifar10,seed=0' in text
    result = {'row': 'resizemix', 'top1_last': 0.5, 'steps': 3}
    assert show.conclusion(table, result, {}).splitlines() == [
        'top1_last: 50.00 %',
        'the paper, ResizeMix: cost 0, wrn28_10 97.6, ss26_2x96d 97.93',
    ]
    assert 'not comparable: this run is of scale=small' in show.conclusion(
        table, result | {'scale': 'small'}, {}
    )
    assert 'not comparable: this run overrides steps' in show.conclusion(table, result, {'steps': 3})
