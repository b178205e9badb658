"""The campaign of invalid configs, at its smallest size."""

import pytest

from tests.campaigns import fuzz_configs


@pytest.mark.slow
def test_nothing_invalid_is_accepted(capsys):
    assert fuzz_configs.main(['--count=20', '--seed=7']) == 0
    assert '20 configs and 0 of one step, seed 7' in capsys.readouterr().out


def test_a_judgement():
    assert fuzz_configs.judge(0, None) == fuzz_configs.judge(2, True) == fuzz_configs.judge(0, False) == ''
    assert fuzz_configs.judge(0, True) == 'accepted an invalid config'
    assert fuzz_configs.judge(2, False) == 'refused a valid config'
    assert fuzz_configs.judge('traceback', None) == 'traceback' and fuzz_configs.judge(1, True) == '1'
