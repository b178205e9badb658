"""What an image of COCO's size needs: the temporaries of the compiled kernels, from shapes alone."""

import jax
import pytest

from benchmarks import detection
from resizemix_jax.detection.anchors import FPN_STRIDES, cells

MAPS = cells(800, 1344, FPN_STRIDES)
# Megabytes.
LIMITS = {
    'RoIAlign, 2 samples': 60,
    'RoIAlign, adaptive': 500,
    'detections of 1000 boxes': 5,
    'proposals, 2000 a level': 60,
}
KERNELS = {
    name: (function, shapes)
    for part in (detection.pooling(MAPS, 256, 512), detection.first_stage(MAPS), detection.final())
    for name, function, shapes in part
}


@pytest.mark.parametrize('name', LIMITS)
def test_a_kernel_compiles_to_little_memory(name):
    function, shapes = KERNELS[name]
    memory = jax.jit(function).lower(*shapes).compile().memory_analysis()
    assert memory.temp_size_in_bytes < LIMITS[name] * 1e6
