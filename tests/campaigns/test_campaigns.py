"""The campaigns that are short enough run to their end at a small size."""

import pytest

from tests.campaigns import damaged_pictures


@pytest.mark.slow
def test_damaged_pictures(capsys):
    with pytest.raises(SystemExit) as ended:
        damaged_pictures.main(['--jpegs=32', '--others=12'])
    found = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0 and found[-1].split()[:2] == ['all', '44']
    assert int(found[-1].split()[2]) > 5  # of them are refused by Pillow
