import types

import numpy as np
import pytest

from resizemix_jax import predictions
from resizemix_jax.errors import ConfigError, NonFiniteError
from resizemix_jax.run import files

ROWS = {
    'logits': np.array([[2, 0, 0], [0, 3, 0], [1, 0, 0], [0, 0, 9]], np.float32),
    'label': np.array([0, 1, 1, 1], np.int32),
}


def test_a_task_without_logits_cannot_predict():
    plan = types.SimpleNamespace(task=object(), config=types.SimpleNamespace(task='boxes'))
    with pytest.raises(
        ConfigError, match="task='boxes' has no logits of classes .*; leave out --predictions"
    ):
        predictions.check(plan)


def test_a_temperature_changes_the_calibration_and_not_the_classes():
    plain = predictions.measure(ROWS)
    assert set(plain) == {'ece', 'nll', 'brier'}
    found = predictions.fit(ROWS)
    scaled = predictions.measure(ROWS, found)
    assert found > 1 and {name: scaled[name] for name in plain} == plain
    assert scaled['nll_scaled'] < plain['nll'] and scaled['temperature'] == found
    assert predictions.measure(ROWS, 1.0)['ece_scaled'] == plain['ece']


def test_files_without_logits_and_names(tmp_path):
    (tmp_path / 'predictions').mkdir()
    predictions.write(tmp_path, 'last', ROWS, predictions.measure(ROWS), {'dataset': 'made_up'}, ())
    with np.load(tmp_path / 'predictions/last.npz') as made:
        assert sorted(made) == ['label', 'predicted', 'probability', 'row']
        assert made['predicted'].tolist() == [0, 1, 0, 2]
        np.testing.assert_allclose(made['probability'][0], np.exp(2) / (np.exp(2) + 2), rtol=1e-6)
    content = files.read_json(tmp_path / 'predictions/last.json')
    assert content['confusion'] == [[1, 0, 0], [1, 1, 1], [0, 0, 0]] and content['dataset'] == 'made_up'
    assert content['classes'][1] == {'name': '1', 'examples': 3, 'accuracy': 1 / 3}
    assert content['classes'][2]['accuracy'] is None and sum(content['reliability']['number']) == 4


def test_logits_that_are_not_finite_are_refused():
    rows = ROWS | {'logits': np.where(ROWS['logits'] == 9, np.nan, ROWS['logits'])}
    with pytest.raises(NonFiniteError, match='the logits of 1 of 4 examples .* example 3 of the split'):
        predictions.measure(rows)
