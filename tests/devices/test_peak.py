import pytest

from resizemix_jax.devices import peak


@pytest.mark.parametrize(
    ('kind', 'bfloat16', 'float32'),
    [
        ('TPU v4', 275, 275),
        ('TPU v5 lite', 197, 197),
        ('TPU v5', 459, 459),  # v5p
        ('TPU v5p', 459, 459),
        ('TPU v6 lite', 918, 918),
        ('NVIDIA A100-SXM4-80GB', 312, 156),
        ('NVIDIA H100 80GB HBM3', 989.5, 494.5),
        ('NVIDIA H100 PCIe', 756, 378),
        ('NVIDIA H200', 989.5, 494.5),
    ],
)
def test_peaks_of_the_data_sheets(kind, bfloat16, float32):
    assert peak.flops_per_second(kind, 'bfloat16') == bfloat16 * 1e12
    assert peak.flops_per_second(kind, 'float32') == float32 * 1e12


def test_other_devices_have_none():
    assert peak.flops_per_second('cpu', 'float32') is None
    assert peak.flops_per_second('NVIDIA H100 80GB HBM3', 'float16') is None
