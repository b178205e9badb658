import pytest

from resizemix_jax.devices import targets
from resizemix_jax.errors import ConfigError


@pytest.mark.parametrize(
    ('name', 'platform', 'gib'),
    [('v5e:2x4', 'tpu', 16), ('v4:2x2x2', 'tpu', 32), ('v6e:4x4', 'tpu', 32), ('v5p:2x2x1', 'tpu', 95)],
)
def test_a_tpu_s_topology(name, platform, gib):
    target = targets.parse(name)
    assert (target.platform, target.topology, target.memory) == (platform, name, gib * 2**30)
    assert target.extra == 'tpu'
    assert target.environment['TPU_SKIP_MDS_QUERY'] == '1'


@pytest.mark.parametrize(('name', 'count', 'cores'), [('h100x8', 8, 132), ('a100x16', 16, 108)])
def test_gpus_and_their_number(name, count, cores):
    target = targets.parse(name)
    assert (target.platform, target.options['topology']) == ('cuda', f'1x1x{count}')
    config = target.options['target_config']
    assert f'core_count: {cores}\n' in config and config.count('{') == config.count('}') > 0
    assert 0.7 * 80e9 < target.memory < 80e9  # what JAX takes of 80 GB
    assert target.extra == 'cuda12'


@pytest.mark.parametrize(
    'name', ['', 'h100', 'h200x8', 'v5e', 'v9:2x2', 'v5e:2x', 'v5e:-2x2', 'v5e:²x2', 'Local']
)
def test_others_are_refused_with_the_known_ones(name):
    with pytest.raises(ConfigError) as raised:
        targets.parse(name)
    message = str(raised.value)
    assert f'--target={name!r}' in message
    for known in ("'local'", 'v5e:2x4', 'h100x8', *targets.TPUS, *targets.GPUS):
        assert known in message


@pytest.mark.parametrize(
    ('name', 'rule'),
    [
        ('v5e:0x0', 'v5e has 2 sides, up to 16x16'),
        ('v5e:2', 'v5e has 2 sides'),
        ('v5e:2x4x2', 'v5e has 2 sides'),
        ('v5e:64x64', 'up to 16x16'),
        ('v6e:3x4', 'the first two are even'),
        ('v4:2x2', 'v4 has 3 sides, up to 16x16x16'),
        ('v4:2x2x0', 'v4 has 3 sides'),
        ('v5p:16x20x29', 'up to 16x20x28'),
        ('h100x0', 'the GPUs are of one machine, 1 to 16'),
        ('a100x1000000000', '1 to 16'),
    ],
)
def test_what_a_chip_does_not_come_in_is_refused_with_its_bounds(name, rule):
    with pytest.raises(ConfigError, match=f'--target={name!r}: .*{rule}'):
        targets.parse(name)


@pytest.mark.parametrize('name', ['v5e:2x2', 'v5e:16x16', 'v4:2x2x3', 'v5p:16x20x28', 'h100x1', 'a100x16'])
def test_bounds_are_inclusive(name):
    assert targets.parse(name).name == name
