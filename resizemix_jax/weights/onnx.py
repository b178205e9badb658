"""Exported weights as an ONNX file: python -m resizemix_jax.weights.onnx FILE.safetensors

In an environment of its own, for the converter needs an older Orbax than training does:

    python3 -m venv .onnx && .onnx/bin/pip install '.[onnx]'
    .onnx/bin/python -m resizemix_jax.weights.onnx runs/resizemix/export/model.safetensors

The program in the file is that of model.stablehlo: images uint8 [B, H, W, C], any B -> probabilities float32
[B, K]. A converter can be wrong in silence, so the file is run by ONNX Runtime on random images, and kept
only if its probabilities are those of the network.
"""

import argparse
import json
import pathlib
import sys

import jax
import jax.numpy as jnp
import numpy as np

from resizemix_jax.errors import DataError, RunError, not_installed
from resizemix_jax.find import bind, find
from resizemix_jax.normalize import normalize
from resizemix_jax.run import files as run_files
from resizemix_jax.run.leaves import named
from resizemix_jax.weights import files
from resizemix_jax.weights.torch_layout import Layout, Network

TOLERANCE = 1e-5  # of the probabilities
INSTEAD = 'Use model.stablehlo, or torch.onnx with model.pth'
BATCHES = 1, 5  # numbers of images that are compared


def convert(path):
    """Writes FILE.onnx beside FILE.safetensors.

    Args:
        path: of a file that --mode=export wrote.

    Returns:
        (path of the new file, largest difference of the probabilities).

    Raises:
        ConfigError, DataError: there is no such file, it is damaged, or --mode=export did not write it.
        RunError: the converter cannot, or what it gives is not the network; nothing is left.
    """
    path = pathlib.Path(path)
    tensors, facts = files.read(path)
    predict, image_shape = program(tensors, facts, path)
    made = _converted(predict, image_shape)
    difference = _largest_difference(made, predict, image_shape)
    if not difference <= TOLERANCE:
        raise RunError(
            f'the ONNX file of {path} would not be the network: its probabilities differ by {difference:.1e} '
            f'(allowed: {TOLERANCE:.0e}), so it is not written. {INSTEAD}'
        )
    target = path.with_suffix('.onnx')
    run_files.write_bytes(target, made)
    return target, difference


def program(tensors, facts, path):
    """(images uint8 [B, H, W, C] -> probabilities float32 [B, K], (H, W, C)) of an exported file."""
    try:
        args, classes, image_shape, mean, std = (
            json.loads(facts[name]) for name in ('model_args', 'num_classes', 'image_shape', 'mean', 'std')
        )
        name, half = facts['model'], facts['half_eval']
    except (KeyError, ValueError) as error:
        raise DataError(
            f'{path} does not say which network it is ({error}); take a model.safetensors of --mode=export'
        ) from error
    network = find('models', name)(classes, **args)
    shapes = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros((1, *image_shape)))
    template = Network(named(shapes['params']), named(shapes.get('batch_stats', {})))
    found = Layout(name, args).from_torch(tensors, template, path)
    variables = found.put_into(shapes)
    halve = bind('augment', 'halve', {'method': half})

    def predict(images):
        images = normalize(halve(None, images), mean, std)
        return jax.nn.softmax(network.apply(variables, images, train=False))

    return predict, tuple(image_shape)


def main(argv=None):
    """Converts, and prints what was compared; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('file', help='model.safetensors of --mode=export')
    path = parser.parse_args(argv).file
    try:
        target, difference = convert(path)
    except (RunError, ModuleNotFoundError) as error:
        if isinstance(error, ModuleNotFoundError) and not not_installed(error):
            raise
        print(not_installed(error) if isinstance(error, ModuleNotFoundError) else error, file=sys.stderr)
        return getattr(error, 'exit_code', 2)
    print(f'{target}: the probabilities differ by at most {difference:.1e} from the network')
    return 0


def _converted(predict, image_shape):
    """The bytes of an ONNX file."""
    from jax2onnx import to_onnx

    try:
        images = jax.ShapeDtypeStruct(('B', *image_shape), jnp.uint8)
        return to_onnx(predict, inputs=[images], model_name='resizemix_jax').SerializeToString()
    except Exception as error:
        raise RunError(
            f'jax2onnx cannot convert this network ({type(error).__name__}: {error}). {INSTEAD}'
        ) from error


def _largest_difference(made, predict, image_shape):
    import onnxruntime

    session = onnxruntime.InferenceSession(made, providers=['CPUExecutionProvider'])
    rng, differences = np.random.default_rng(0), []
    for batch in BATCHES:
        images = rng.integers(0, 256, (batch, *image_shape), np.uint8)
        (found,) = session.run(None, {session.get_inputs()[0].name: images})
        differences.append(np.abs(found - np.asarray(jax.jit(predict)(images))).max())
    return float(np.max(differences))


if __name__ == '__main__':
    sys.exit(main())
