"""Everything about devices, hosts and the accelerators that a step can be compiled for."""
