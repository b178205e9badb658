import jax
import pytest

from resizemix_jax import build, flops
from tests import tiny


def plan(**values):
    small = dict(tiny.WIDE, num_devices=1)
    return build.plan(tiny.config(**small | values))


def share_of(plan):
    return flops.of_share(build.unopened_run(plan).train_step)


def test_operations_of_a_step_are_those_of_its_multiplications():
    """Three times the forward pass, less the first layer's gradient of the images; two a multiplication."""
    (found,) = flops.of_model(plan())
    pixels, half, quarter = 8 * 8, 4 * 4, 2 * 2
    blocks = pixels * (2 * 9 * 16 * 16)
    blocks += half * (9 * 16 * 32 + 9 * 32 * 32 + 16 * 32) + quarter * (9 * 32 * 64 + 9 * 64 * 64 + 32 * 64)
    multiplications = 16 * (3 * (blocks + 64 * 4) + 2 * pixels * 9 * 16)
    # Convolutions at the border multiply fewer numbers; BatchNorm, augmentation and the optimiser add some.
    assert found == pytest.approx(2 * multiplications, rel=0.25)


@pytest.mark.slow
def test_neither_devices_nor_memory_change_what_the_model_needs():
    (expected,) = flops.of_model(plan())
    assert flops.of_model(plan(micro_batches=4, remat=True)) == [expected]
    assert flops.of_model(plan(num_devices=4)) == [pytest.approx(expected, rel=0.1)]
    (share,) = share_of(plan(remat=True))
    assert 1.05 < share / expected < 1.4
    assert share_of(plan(num_devices=4)) == [pytest.approx(expected / 4, rel=0.1)]


@pytest.mark.slow
def test_counting_compiles_nothing():
    with jax.log_compiles(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax.stages.Lowered, 'compile', None)  # would fail if it were called
        flops.of_model(plan())


@pytest.mark.slow
def test_a_warm_up_that_fits_the_run_fits_the_count():
    """A share of 4 images makes 16 steps an epoch, and two epochs of warm-up are more than the run."""
    values = dict(num_devices=4, steps=12, schedule_args__warmup_epochs=2)
    assert flops.of_model(plan(**values)) == [pytest.approx(*flops.of_model(plan(num_devices=4)), rel=1e-3)]
