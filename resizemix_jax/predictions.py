"""What a network predicts, as files of a run and as numbers: --mode=evaluate --predictions.

WORKDIR/predictions/ has, for NAME `last` and `best`:

NAME.npz    an entry for every example of the split, in its order: `row` int32, its number in the split;
            `label` int32; `predicted` int32; `probability` float32 of the predicted class; on request
            `logits` float32 [N, K]
NAME.json   what was evaluated, the accuracy of each class, the confusion matrix (true classes in rows), the
            bins of the reliability diagram, and the values
NAME_confusion.png, NAME_reliability.png
"""

import io

import numpy as np

from resizemix_jax import calibration
from resizemix_jax.errors import ConfigError, NonFiniteError
from resizemix_jax.pictures import charts
from resizemix_jax.run import files

FOLDER = 'predictions'


def check(plan):
    """Raises ConfigError if the task of a `build.Plan` has no logits."""
    if not hasattr(plan.task, 'logits'):
        raise ConfigError(
            f'task={plan.config.task!r} has no logits of classes to predict with; leave out --predictions'
        )


def measure(rows, temperature=None):
    """The calibration of the predictions: name -> float.

    Args:
        rows: logits float32 [N, K] and label int32 [N].
        temperature: fitted on other examples, see `fit`, or None.

    Returns:
        `ece`, `nll` and `brier`, see `calibration`; with a temperature also `temperature`, and `ece_scaled`
        and `nll_scaled`, of the logits divided by it.

    Raises:
        NonFiniteError: there are logits that are NaN or infinite.
    """
    logits, label = _checked(rows)
    values = {
        'ece': calibration.ece(calibration.reliability(logits, label)),
        'nll': calibration.nll(logits, label),
        'brier': calibration.brier(logits, label),
    }
    if temperature is None:
        return values
    scaled = logits / temperature
    bins = calibration.reliability(scaled, label)
    more = {'ece_scaled': calibration.ece(bins), 'nll_scaled': calibration.nll(scaled, label)}
    return values | {'temperature': temperature} | more


def fit(rows):
    """The temperature of the least negative log-likelihood on these examples; rows as in `measure`.

    Raises:
        NonFiniteError: as `measure`.
    """
    return calibration.temperature(*_checked(rows))


def write(workdir, name, rows, values, about, names, logits=False):
    """Writes the files of a network's predictions.

    Args:
        workdir: of the run; its folder FOLDER exists.
        name: of the files.
        rows: logits float32 [N, K] and label int32 [N], in the order of the split.
        values: of `measure`.
        about: what was evaluated, for the JSON.
        names: of the classes, or ().
        logits: whether they are kept, too.
    """
    directory = workdir / FOLDER
    arrays = _arrays(rows)
    matrix = calibration.confusion(arrays['predicted'], arrays['label'], rows['logits'].shape[1])
    accuracy = calibration.class_accuracy(matrix)
    bins = calibration.reliability(rows['logits'], rows['label'])
    classes = [
        {
            'name': str(names[k]) if names else str(k),
            'examples': int(matrix[k].sum()),
            'accuracy': None if np.isnan(accuracy[k]) else float(accuracy[k]),
        }
        for k in range(len(matrix))
    ]
    buffer = io.BytesIO()
    np.savez(buffer, **arrays, **({'logits': rows['logits']} if logits else {}))
    files.write_bytes(directory / f'{name}.npz', buffer.getvalue())
    content = about | {'values': values, 'classes': classes, 'confusion': matrix.tolist()}
    content['reliability'] = {field: array.tolist() for field, array in bins._asdict().items()}
    files.write_json(directory / f'{name}.json', content)
    picture = charts.confusion(matrix, names, f'{name}: predictions of {matrix.sum()} examples')
    files.write_bytes(directory / f'{name}_confusion.png', picture)
    words = f'{name}: ECE {100 * values["ece"]:.2f} % ({calibration.BINS} bins)'
    files.write_bytes(directory / f'{name}_reliability.png', charts.reliability(bins, words))


def _arrays(rows):
    """What the .npz has without logits."""
    logits = rows['logits']
    predicted = np.argmax(logits, axis=1).astype(np.int32)
    return {
        'row': np.arange(len(logits), dtype=np.int32),
        'label': rows['label'].astype(np.int32),
        'predicted': predicted,
        'probability': np.exp(calibration.log_softmax(logits).max(axis=1)).astype(np.float32),
    }


def _checked(rows):
    logits = rows['logits']
    wrong = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(wrong):
        raise NonFiniteError(
            f'the logits of {len(wrong)} of {len(logits)} examples are NaN or infinite, the first of them '
            f'example {wrong[0]} of the split; with --config.dtype=float32 they may not be'
        )
    return logits.astype(np.float64), rows['label']
