import pytest

from resizemix_jax import config as configs
from resizemix_jax import train
from resizemix_jax.run.recorded import RecordedConfig
from tests import tiny

# Of --mode=generate, and of the file.
NOT_OF_A_TRAINING = {'generate_args', 'generate_images', 'format'}


def test_keys_are_noted_as_they_are_read():
    config = RecordedConfig(configs.complete(configs.base()))
    assert config.seed == 0 and config['mixing'] == 'none' and config.to_json() and str(config)
    assert set(configs.base()) - set(config.unread()) == {'seed', 'mixing'}
    with pytest.raises(AttributeError, match='absent'):
        _ = config.absent


@pytest.mark.slow
def test_a_training_reads_every_key(tmp_path):
    plain = train.train_and_evaluate(tiny.config(steps=2, gallery_every=2), tmp_path / 'plain')
    guided = tiny.config(epochs=1)
    configs.assign(guided, dict(mixing='saliencymix', saliency='fine_grained'))
    guided = train.train_and_evaluate(configs.complete(guided), tmp_path / 'guided')
    assert set(plain['unread_keys']) & set(guided['unread_keys']) == NOT_OF_A_TRAINING
    assert 'saliency_mode' in plain['unread_keys'] and 'saliency_args' not in guided['unread_keys']
