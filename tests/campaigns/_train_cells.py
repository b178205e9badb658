"""One side of `same_bits`: trains every cell in the checkout that is the working directory, in one process.

    cd CHECKOUT; PYTHONPATH=CHECKOUT python -P _train_cells.py OUT CELLS [PATTERN]

It is run by its path, from a tree that may be another than the checkout's, so it uses only what every version
has: the config files' get_config, `train.train_and_evaluate`, and the run directory's files.

OUT is written: `cells.json`, cell -> the name of its files; for each name `NAME.npz`, the arrays of the last
checkpoint by their paths, and `NAME.jsonl`, the rows of metrics; or `NAME.error`. Cells with equal configs
are trained once. CELLS is a JSON file with the list of cells; it is written first if it does not exist.
"""

import contextlib
import fnmatch
import json
import os
import pathlib
import runpy
import sys
import tempfile
import time
import traceback

TABLES = 'quickstart', *(f'table{i}' for i in (1, 2, 3, 4, 6, 7, 8)), 'related'
STEPS = 10
# One image a step is an epoch: the released recipe's warm-up of 5 epochs then ends within the run.
FEW = {'dataset': 'fake', 'dataset_args': dict(image_shape=(28, 28, 1), train_size=16, eval_size=16)}
# 'a|b': the first of these keys that the version has.
SHORT = {
    'steps': STEPS, 'batch_size': 16, 'num_devices': 1, 'eval_batch_size': 400, 'log_every_steps': 4,
    'eval_every_epochs': 1000, 'save_every_epochs': 1000,
}  # fmt: skip
TINY_NETWORK = {'model_args.width': 8, 'batch_size': 8, 'eval_batch_size': 64}
EXTRA = (
    ('fake', 'model=ss26_2x96d,size=16,classes=10', TINY_NETWORK | {'model_args.depth': 8}),
    ('fake', 'model=resnet50,size=32,classes=10', TINY_NETWORK | {'model_args.depth': 14}),
    ('fake', 'model=resnet50,size=32,classes=10,mixing=mixup',
     TINY_NETWORK | {'model_args.depth': 14, 'num_devices': 4, 'batch_norm': 'global', 'dtype': 'bfloat16'}),
    ('table3', 'row=resizemix_plus,recipe=released,scale=small,seed=0', FEW),
    ('table3', 'row=puzzlemix,recipe=released,scale=small,seed=1', FEW | {'num_devices': 4}),
    ('quickstart', 'row=resizemix,seed=3', {'num_devices': 4, 'micro_batches': 2}),
    ('quickstart', 'row=cutmix,seed=4',
     {'num_devices': 4, 'batch_norm': 'global', 'remat': True, 'model_args.dropout': 0.3,
      'label_smoothing': 0.1, 'loss': 'bce', 'half_train': 'random_crop', 'half_eval': 'center_crop'}),
    ('quickstart', 'row=mixup,seed=5',
     {'optimizer.decay|optimizer_args.decay': 'kernels', 'optimizer.momentum|optimizer_args.momentum': 0.8,
      'optimizer.nesterov|optimizer_args.nesterov': False,
      'optimizer.weight_decay|optimizer_args.weight_decay': 0.01,
      'optimizer.lr|schedule_args.lr': 0.05, 'optimizer.final_lr|schedule_args.final_lr': 0.01}),
    ('table4', 'row=resizemix,model=resnet50,seed=0',
     TINY_NETWORK | {'model_args.depth': 14, 'dataset': 'folder:PICTURES', 'dataset_args.image_size': 32,
                     'dataset_args.max_damaged': 0.0, 'workers': 2}),
)  # fmt: skip


def main():
    out, cells = map(pathlib.Path, sys.argv[1:3])
    pattern = sys.argv[3] if len(sys.argv) > 3 else '*'
    check_checkout()
    if not cells.exists():
        cells.write_text(json.dumps([*listed(), *EXTRA], indent=1))
    chosen = [cell for cell in json.loads(cells.read_text()) if fnmatch.fnmatch(name_of(*cell), pattern)]
    import jax

    jax.config.update('jax_platforms', 'cpu')
    jax.config.update('jax_num_cpu_devices', 4)
    names, trained = {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        make_pictures(pathlib.Path(scratch, 'pictures'))
        for number, cell in enumerate(chosen):
            name, start, file = name_of(*cell), time.perf_counter(), f'{number:03d}'
            with noting(out / file):
                config = configure(*cell, scratch)
                identity = compared(config)
                if identity not in trained:
                    trained[identity] = file
                    train(config, pathlib.Path(scratch, file), out / file)
                    jax.clear_caches()
                file = trained[identity]
            names[name] = file
            print(f'{name}: {file}, {time.perf_counter() - start:.1f} s', flush=True)
            (out / 'cells.json').write_text(json.dumps(names, indent=1))


def check_checkout():
    """Ends the process if the package is not the one of the working directory."""
    import resizemix_jax

    found = pathlib.Path(resizemix_jax.__file__).resolve()
    if pathlib.Path.cwd().resolve() not in found.parents:
        sys.exit(f'resizemix_jax is {found}, not the one in {pathlib.Path.cwd()}')


def name_of(file, argument, overrides):
    changed = ','.join(f'{key.partition("|")[0]}={value}' for key, value in overrides.items())
    return f'{file}:{argument}' + (f' {changed}' if changed else '')


def listed():
    """Every cell of TABLES that can be run, as (file, argument, overrides), at the small scale."""
    for file in TABLES:
        key, rows, columns = table(runpy.run_path(f'configs/{file}.py'))
        for row in rows:
            for column in columns:
                chosen = '' if len(columns) == 1 else f',{key}={column}'
                small = '' if file == 'quickstart' else ',scale=small'
                yield file, f'row={row}{chosen}{small},seed=0', {}


def table(names):
    """(key of the columns, rows, columns) of a config file's names; without rows that need another run."""
    if 'TABLE' in names:
        found = names['TABLE']
        rows = [row.name for row in found.rows if not row.refused and not row.needs]
        return found.column_key, rows, [column.name for column in found.columns]
    rows = [row['row'] for row in names['ROWS'] if 'refused' not in row]
    return names['COLUMN'], [row for row in rows if row != 'supermix'], names['COLUMNS']


def configure(file, argument, overrides, scratch):
    """The config of a cell, short enough to train in seconds."""
    config = runpy.run_path(f'configs/{file}.py')['get_config'](argument)
    with config.unlocked():
        for keys, value in (SHORT | overrides).items():
            if isinstance(value, str):
                value = value.replace('PICTURES', f'{scratch}/pictures')
            put(config, keys.split('|'), value)
    return config


def put(config, keys, value):
    """Sets the first of `keys` whose holder the version has; a dict replaces the whole of one."""
    import ml_collections

    for key in keys:
        *path, last = key.split('.')
        holder = config
        for part in path:
            holder = holder.get(part) if isinstance(holder, ml_collections.ConfigDict) else None
        if isinstance(holder, ml_collections.ConfigDict):
            holder[last] = ml_collections.ConfigDict(value) if isinstance(value, dict) else value
            return
    raise KeyError(f'the config has none of {keys}')


def compared(config):
    """What decides the training, as text: two cells with the same are one."""
    values = json.loads(config.to_json())
    for key in ('table', 'row', 'column', 'title'):
        values.pop(key, None)
    return json.dumps(values, sort_keys=True)


@contextlib.contextmanager
def noting(out):
    """Writes an exception to OUT.error, so that one cell does not end all."""
    try:
        yield
    except Exception as error:
        traceback.print_exc()
        out.with_suffix('.error').write_text(f'{type(error).__name__}: {error}')


def train(config, workdir, out):
    """Trains a config in `workdir`; writes OUT.npz and OUT.jsonl."""
    import numpy as np

    from resizemix_jax.train import train_and_evaluate

    with contextlib.redirect_stdout(sys.stderr):
        train_and_evaluate(config, workdir)
    np.savez(out.with_suffix('.npz'), **state(workdir))
    out.with_suffix('.jsonl').write_text((workdir / 'metrics.jsonl').read_text())


def state(workdir):
    """The last checkpoint's arrays by their paths, as Orbax reads them without a template."""
    import jax
    import numpy as np
    import orbax.checkpoint as ocp

    with ocp.StandardCheckpointer() as reader:
        tree = reader.restore(os.path.abspath(workdir / 'checkpoints' / str(STEPS) / 'default'))
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator='/'): np.asarray(leaf) for path, leaf in leaves}


def make_pictures(directory):
    """JPEGs of two classes and of several sizes, the same wherever they are made."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for split, count in (('train', 24), ('val', 6)):
        for name in 'ab':
            folder = directory / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
                small.resize((40 + 3 * i, 48), Image.BILINEAR).save(folder / f'{i}.jpg')


if __name__ == '__main__':
    main()
