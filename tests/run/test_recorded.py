import pytest

from resizemix_jax import config as configs
from resizemix_jax import train
from resizemix_jax.run.recorded import RecordedConfig
from tests import tiny

# Of --mode=generate, and of the file.
NOT_OF_A_TRAINING = {'generate_args', 'generate_images', 'format', 'init_scope'}


def test_keys_are_noted_as_they_are_read():
    config = RecordedConfig(configs.complete(configs.base()))
    assert config.seed == 0 and config['mixing'] == 'none' and config.to_json() and str(config)
    assert set(configs.base()) - set(config.unread()) == {'seed', 'mixing'}
    with pytest.raises(AttributeError, match='absent'):
        _ = config.absent


def test_its_text_is_a_key_a_line_with_the_keywords_of_members():
    config = tiny.config(mixing_args__tau=(0.1, 0.8))
    lines = str(RecordedConfig(config)).splitlines()
    assert [line.partition('=')[0].partition(':')[0] for line in lines] == sorted(
        key for key in config if key.removesuffix('_args') not in config or not key.endswith('_args')
    )
    (mixing,) = (line for line in lines if line.startswith('mixing='))
    assert mixing.startswith("mixing='resizemix' (") and 'tau=(0.1, 0.8)' in mixing
    for line in (
        'batch_size=16',
        "policy='none'",
        "schedule='cosine' (final_lr=0.0, lr=0.1, warmup_epochs=0, ",
    ):
        assert any(other.startswith(line) for other in lines), line
    assert all('!!' not in line and 'ConfigDict' not in line for line in lines)
    assert any(line.startswith('generate_args: alpha=3.0, ') for line in lines)


@pytest.mark.slow
def test_a_training_reads_every_key(tmp_path):
    plain = train.train_and_evaluate(tiny.config(steps=2, gallery_every=2), tmp_path / 'plain')
    guided = tiny.config(epochs=1)
    configs.assign(guided, dict(mixing='saliencymix', saliency='fine_grained'))
    guided = train.train_and_evaluate(configs.complete(guided), tmp_path / 'guided')
    assert set(plain['unread_keys']) & set(guided['unread_keys']) == NOT_OF_A_TRAINING
    assert 'saliency_mode' in plain['unread_keys'] and 'saliency_args' not in guided['unread_keys']
