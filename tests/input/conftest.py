import pytest

from tests.input import miniature


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    """The miniature ImageNet in both formats: format -> data_dir."""
    made = {name: tmp_path_factory.mktemp(name) for name in ('array_record', 'tfrecord')}
    for file_format, directory in made.items():
        miniature.write(directory, file_format)
    return made
