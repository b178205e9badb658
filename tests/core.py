"""Runs every op and every augmentation where only the core is installed: `python -m tests.core`.

Nothing but jax, what jax needs, and numpy can be imported here, whatever is installed.
"""

import sys
from importlib.machinery import PathFinder

CORE = {'jax', 'jaxlib', 'numpy', 'scipy', 'ml_dtypes', 'opt_einsum', 'resizemix_jax', 'tests'}


class Core(PathFinder):
    """Finds no other installed packages than those of the core."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        top = name.partition('.')[0]
        known = CORE | sys.stdlib_module_names
        return super().find_spec(name, path, target) if top in known or top.startswith('_sysconfig') else None


def main():
    sys.meta_path[:] = [Core if finder is PathFinder else finder for finder in sys.meta_path]
    import jax
    import jax.numpy as jnp
    import numpy as np

    import resizemix_jax
    from resizemix_jax.find import bind, names
    from resizemix_jax.saliency.fine_grained import fine_grained
    from tests.mixing import teachers

    key = jax.random.key(0)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)
    images, labels = pixels.astype(np.float32) / 255, jnp.eye(5)[:4]
    provided = {'saliency': fine_grained(pixels), 'std': 1.0, 'teacher': teachers.linear()}
    for name in names('mixing'):
        op = bind('mixing', name, {}, **provided)
        mixed, soft = jax.jit(op)(key, images, labels)
        assert mixed.shape == images.shape and np.allclose(soft.sum(-1), 1, atol=1e-6), name
    for name in names('augment'):
        assert jax.jit(bind('augment', name, {}, progress=0.5))(key, pixels).dtype == np.uint8, name
    exported = {name: getattr(resizemix_jax, name) for name in resizemix_jax.__all__}
    print(
        f'{len(names("mixing"))} ops, {len(names("augment"))} augmentations, {len(exported)} names exported'
    )


if __name__ == '__main__':
    main()
