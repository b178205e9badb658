"""The compile mode on the CPU's own devices: the same path as for devices that are not here."""

import importlib.util
import types

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from resizemix_jax import build
from resizemix_jax import compile as compiling
from resizemix_jax.devices import parallel
from resizemix_jax.errors import ConfigError, RunError
from tests import tiny

pytestmark = pytest.mark.slow


def config(**values):
    small = dict(tiny.WIDE, num_devices=0)
    made = tiny.config(**small | values)
    made.dataset, made.dataset_args = 'cifar10', {}  # its files are not here
    return made


@pytest.fixture(scope='module')
def report():
    (made,) = compiling.compile_step(config())
    return made


def test_a_step_without_data(report):
    state = build.template(build.plan(config()))
    trained, whole = (
        sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
        for tree in ((state.params, state.batch_stats), state)
    )
    assert (report.target, report.devices, report.batch) == ('local', '8 x cpu', 2)
    # The gradients, the statistics of BatchNorm and two metrics are averaged, each once.
    assert {kind: size for kind, (_, size) in report.collectives.items()} == {'all-reduce': trained + 8}
    assert report.donated == whole and report.outputs == pytest.approx(whole, abs=1000)
    assert report.arguments == pytest.approx(whole + 2 * 3072, abs=1000)
    assert report.temporaries > 2 * 3072 * 4 and report.seconds > 0


def test_operations_are_one_device_s(report):
    (alone,) = compiling.compile_step(config(num_devices=1))
    assert alone.batch == 16 and alone.flops == pytest.approx(8 * report.flops, rel=0.1)
    # Three times the multiplications of the forward pass, two operations each; 10 M of them in the blocks.
    assert 4e7 < report.flops / report.batch < 9e7


def test_rematerialisation_costs_operations_and_moves_nothing_more(report):
    (again,) = compiling.compile_step(config(remat=True))
    # A block's last convolution is not made again: nothing in the block's backward pass needs its result.
    assert 1.1 < again.flops / report.flops < 1.3
    assert (again.donated, again.collectives) == (report.donated, report.collectives)


def test_what_fits(report):
    needed = report.arguments + report.outputs - report.donated + report.temporaries + report.code
    assert report.fits and report.needed == needed < report.memory
    assert '\nfits: ' in str(report) and '8 x cpu, 2 examples each' in str(report)
    assert report._replace(memory=needed).fits
    short = report._replace(memory=needed - 1)
    assert not short.fits and '\nDOES NOT FIT: ' in str(short)


def test_collectives_of_a_program():
    def program(x, y):
        gathered = lax.all_gather(x, 'i')
        moved = lax.ppermute(y, 'i', [(k, (k + 1) % 8) for k in range(8)])
        return lax.psum((x, y), 'i'), gathered.sum(0) * 2, moved

    shapes = jax.ShapeDtypeStruct((8, 5, 3), jnp.float32), jax.ShapeDtypeStruct((8, 7), jnp.bfloat16)
    text = jax.pmap(program, axis_name='i').lower(*shapes).compile().as_text()
    found = compiling.collectives(text)
    assert found['all-gather'] == (1, 8 * 5 * 3 * 4)
    assert found['collective-permute'][0] == 1 and found['collective-permute'][1] in (7 * 2, 7 * 4)
    assert found['all-reduce'][1] in (5 * 3 * 4 + 7 * 2, 5 * 3 * 4 + 7 * 4)  # a CPU adds bfloat16 as float32
    assert compiling.collectives(jax.jit(jnp.sin).lower(1.0).compile().as_text()) == {}


@pytest.mark.parametrize(
    ('line', 'expected'),
    [
        ('%all-reduce.4 = (f32[3,5]{1,0:T(8,128)S(1)}, bf16[], /*index=5*/u8[16]{0:T(128)}) '
         'all-reduce(%a, %b, %c), to_apply=%add', {'all-reduce': (1, 60 + 2 + 16)}),
        ('ROOT %r = f32[8]{0} all-reduce-start(%a), to_apply=%add', {'all-reduce': (1, 32)}),
        ('%d = f32[8]{0} all-reduce-done(%r)', {}),
        ('%g = (f32[2]{0}, f32[16]{0}) all-gather-start(%a), dimensions={0}', {'all-gather': (1, 64)}),
        ('%p = (s4[6]{0}, s4[6]{0}, u32[], u32[]) collective-permute-start(%a)',
         {'collective-permute': (1, 3)}),
        ('%s = (pred[4]{0}) reduce-scatter(%a), dimensions={0}', {'reduce-scatter': (1, 4)}),
        ('%f = f32[8]{0} fusion(%x), kind=kLoop, metadata={op_name=" all-reduce("}', {}),
    ],
)  # fmt: skip
def test_collectives_as_compilers_write_them(line, expected):
    assert compiling.collectives(f'ENTRY %main {{\n  {line}\n}}\n') == expected


def test_a_target_s_devices_and_memory(monkeypatch, report):
    """Everything but the plugin: its devices are the CPU's here."""
    asked = []

    def topology(name, platform, **options):
        asked.append((name, platform, options))
        return types.SimpleNamespace(devices=jax.local_devices())

    monkeypatch.setattr(parallel.topologies, 'get_topology_desc', topology)
    monkeypatch.setattr(parallel.os, 'environ', {})
    (made,) = compiling.compile_step(config(), 'v4:2x2x2')
    assert asked == [('v4:2x2x2', 'tpu', {'chip_config_name': 'megacore'})]
    assert parallel.os.environ['TPU_WORKER_HOSTNAMES'] == 'localhost'
    assert (made.target, made.memory, made.collectives) == ('v4:2x2x2', 32 * 2**30, report.collectives)
    with pytest.raises(ConfigError, match=r'num_devices=4: --target=v4:2x2x2 says how many; leave it 0'):
        compiling.compile_step(config(num_devices=4), 'v4:2x2x2')
    with pytest.raises(ConfigError, match='batch_size=12 must be a multiple of the 8 devices'):
        compiling.compile_step(config(batch_size=12), 'v4:2x2x2')


@pytest.mark.parametrize(
    ('error', 'message'),
    [
        (RuntimeError('no support'), r'not installed.*pip install -r requirements\.txt "jax\[tpu\]"'),
        (NotImplementedError('not for tpu'), r'not installed.*pip install -r requirements\.txt "jax\[tpu\]"'),
        (jax.errors.JaxRuntimeError('"v5e:4x6" is not divisible'), 'v5e:4x6.*is not divisible'),
    ],
)
def test_an_invalid_target(monkeypatch, error, message):
    def topology(*args, **options):
        raise error

    monkeypatch.setattr(parallel.topologies, 'get_topology_desc', topology)
    monkeypatch.setattr(parallel.os, 'environ', {})
    with pytest.raises(ConfigError, match=message):
        compiling.compile_step(config(), 'v5e:4x6')


@pytest.mark.parametrize(
    ('module', 'target', 'extra'), [('libtpu', 'v5e:2x4', 'tpu'), ('jax_plugins', 'h100x8', 'cuda12')]
)
def test_a_compiler_that_is_not_installed(monkeypatch, module, target, extra):
    if importlib.util.find_spec(module):
        pytest.skip(f'{module} is installed')
    monkeypatch.setattr(parallel.os, 'environ', {})
    with pytest.raises(ConfigError, match=f'pip install -r requirements.txt "jax.{extra}."'):
        compiling.compile_step(config(), target)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('RESOURCE_EXHAUSTED: Ran out of memory in memory space hbm', 'does not fit on local: RESOURCE'),
        ('INTERNAL: no', 'does not compile on local: INTERNAL: no'),
    ],
)
def test_what_the_compiler_refuses_is_exit_code_1(monkeypatch, text, message):
    class Lowered:
        def cost_analysis(self):
            return {'flops': 1.0}

        def compile(self):
            raise jax.errors.JaxRuntimeError(text)

    monkeypatch.setattr(parallel, 'lower', lambda *args: Lowered())
    with pytest.raises(RunError, match=message) as raised:
        compiling.compile_step(config())
    assert raised.value.exit_code == 1
