"""The floating-point operations per second that devices can do at most, by their makers' data sheets.

Of dense matrix multiplications, in the arithmetic that XLA uses by default: a float32 network multiplies in
TensorFloat-32 on NVIDIA's GPUs, and in bfloat16 on TPUs (`jax_default_matmul_precision`).
"""

TERA = 1e12

# The names are those of `jax.Device.device_kind`: the first that a kind begins with counts.
#
# TPU: "Peak compute per chip" of the pages on v4, v5e, v5p and v6e in Cloud TPU's documentation
# (cloud.google.com/tpu/docs). A device is a chip; v4's and v5p's two cores are one device.
# NVIDIA: "BFLOAT16 Tensor Core" and "TF32 Tensor Core", without sparsity, where the sheet has the number with
# it its half: "A100 Tensor Core GPU" (2021), "H100 Tensor Core GPU" (2023), "H200 Tensor Core GPU" (2024).
PEAKS = {  # kind -> TFLOP/s of bfloat16, of float32
    'TPU v4': (275, 275),
    'TPU v5 lite': (197, 197),
    'TPU v5e': (197, 197),
    'TPU v5': (459, 459),
    'TPU v6 lite': (918, 918),
    'TPU v6e': (918, 918),
    'NVIDIA A100': (312, 156),
    'NVIDIA H100 PCIe': (756, 378),
    'NVIDIA H100 NVL': (835.5, 417.5),
    'NVIDIA H100': (989.5, 494.5),
    'NVIDIA H200 NVL': (835.5, 417.5),
    'NVIDIA H200': (989.5, 494.5),
}


def flops_per_second(kind, dtype):
    """The peak of a device, FLOP/s, or None if it is not known.

    Args:
        kind: `jax.Device.device_kind`, e.g. 'NVIDIA H100 80GB HBM3'.
        dtype: of the computation, 'bfloat16' or 'float32'.
    """
    for name, tera in PEAKS.items():
        if kind.startswith(name) and dtype in ('bfloat16', 'float32'):
            return tera[dtype == 'float32'] * TERA
    return None


def of_all(devices, dtype):
    """The peak of several devices together, or None; see `flops_per_second`."""
    peaks = [flops_per_second(device.device_kind, dtype) for device in devices]
    return None if None in peaks else sum(peaks)
