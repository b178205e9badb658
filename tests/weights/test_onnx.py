"""The converter and ONNX Runtime have an environment of their own; what they return is made up here."""

import sys
import types

import jax
import numpy as np
import pytest

from resizemix_jax.errors import DataError
from resizemix_jax.weights import files, onnx
from tests.weights.test_card import FACTS

CONTENT = b'what the converter made'


@pytest.fixture
def path(tmp_path):
    """A file of a network that has one linear layer after its convolutions, with random weights."""
    from tests.weights import networks

    weights, *_ = networks.state_dict('wrn10', networks.network('wrn10'))
    facts = FACTS | {
        'model': 'wide_resnet',
        'model_args': '{"depth": 10, "width": 2, "variant": "original"}',
        'num_classes': '5',
        'image_shape': '[32, 32, 3]',
        'mean': '[0.5, 0.5, 0.5]',
        'std': '[0.25, 0.25, 0.25]',
    }
    files.write_safetensors(tmp_path / 'model.safetensors', weights, facts)
    return tmp_path / 'model.safetensors'


@pytest.fixture
def tools(monkeypatch):
    """Sets what the file computes: 'error' is added to the network's probabilities."""

    def set_error(error):
        def to_onnx(function, inputs, model_name):
            class Session:
                def __init__(self, content, providers):
                    assert content == CONTENT

                def get_inputs(self):
                    return [types.SimpleNamespace(name='images')]

                def run(self, outputs, given):
                    return [np.asarray(jax.jit(function)(given['images'])) + error]

            runtime = types.SimpleNamespace(InferenceSession=Session)
            monkeypatch.setitem(sys.modules, 'onnxruntime', runtime)
            return types.SimpleNamespace(SerializeToString=lambda: CONTENT)

        monkeypatch.setitem(sys.modules, 'jax2onnx', types.SimpleNamespace(to_onnx=to_onnx))

    return set_error


@pytest.mark.slow
def test_a_file_that_is_the_network_is_kept(path, tools, capsys):
    tools(0)
    assert onnx.main([str(path)]) == 0
    assert path.with_suffix('.onnx').read_bytes() == CONTENT
    assert 'differ by at most 0.0e+00' in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize('error', [1e-3, np.nan])
def test_a_file_that_is_another_network_is_not_written(error, path, tools, capsys):
    tools(error)
    assert onnx.main([str(path)]) == 1
    assert 'would not be the network: its probabilities differ by' in capsys.readouterr().err
    assert [each.name for each in path.parent.iterdir()] == ['model.safetensors']


@pytest.mark.slow
def test_a_missing_converter_is_named_with_its_extra(path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'jax2onnx', None)
    assert onnx.main([str(path)]) == 2
    assert "pip install 'resizemix-jax[onnx]'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_file_that_does_not_say_its_network_is_a_sentence(tmp_path):
    files.write_safetensors(tmp_path / 'x.safetensors', {'a': np.ones(1, np.float32)}, {'model': 'resnet'})
    with pytest.raises(DataError, match='does not say which network it is'):
        onnx.convert(tmp_path / 'x.safetensors')
