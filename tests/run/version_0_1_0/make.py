"""Makes the files beside this one: `python -m tests.run.version_0_1_0.make CHECKOUT`, one of version 0.1.0.

workdirs.tar.gz holds two workdirs of one config, as that version leaves them: `stopped`, by SIGTERM at step 6
of 12, within an epoch of 4 steps and within a log interval of 5, so no part of its state is at a beginning;
and `finished`, of a run that nothing stopped, less its checkpoints. state.json has the state that was saved
at step 6: name -> [dtype, shape, SHA-256 of the bytes].
"""

import hashlib
import json
import os
import pathlib
import signal
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).parent
STOP = 6
SMALL = dict(batch_size=16, eval_batch_size=16, epochs=3, log_every_steps=5, num_devices=1, seed=7)
DATASET = dict(image_shape=(8, 8, 3), num_classes=4, train_size=67, eval_size=37)
MODEL = dict(depth=8, width=2)


def fingerprint(tree):
    """name -> [dtype, shape, SHA-256] of every leaf; a name is its path, joined by '/'."""
    import jax

    found = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(jax.device_get(tree)):
        parts = [str(getattr(p, 'name', getattr(p, 'key', getattr(p, 'idx', None)))) for p in path]
        digest = hashlib.sha256(leaf.tobytes()).hexdigest()
        found['/'.join(parts)] = [str(leaf.dtype), list(leaf.shape), digest]
    return found


def main(checkout):
    sys.path.insert(0, checkout)
    import jax

    jax.config.update('jax_platforms', 'cpu')
    from resizemix_jax.data import pipeline

    from configs import fake
    from resizemix_jax import checkpoint, train
    from resizemix_jax.errors import PreemptedError

    config = fake.get_config('mixing=resizemix')
    config.update(SMALL)
    config.model, config.model_args, config.dataset_args = 'shake_shake', MODEL, DATASET
    config.optimizer.warmup_epochs = 1
    read, save = pipeline.train_batch, checkpoint.Checkpoints.save

    def train_batch(split, batch_size, seed, step, share):
        if step == STOP - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return read(split, batch_size, seed, step, share)

    def fingerprint_and_save(checkpoints, state, step, wait=False):
        if step == STOP:
            text = json.dumps(fingerprint(state), indent=0, sort_keys=True)
            (HERE / 'state.json').write_text(text + '\n')
        save(checkpoints, state, step, wait)

    with tempfile.TemporaryDirectory() as scratch:
        workdirs = pathlib.Path(scratch)
        train.train_and_evaluate(config, workdirs / 'finished')
        pipeline.train_batch, checkpoint.Checkpoints.save = train_batch, fingerprint_and_save
        try:
            train.train_and_evaluate(config, workdirs / 'stopped')
        except PreemptedError as stopped:
            print(stopped)
        with tarfile.open(HERE / 'workdirs.tar.gz', 'w:gz') as archive:
            for name in ('stopped', 'finished/config.json', 'finished/metrics.jsonl', 'finished/result.json'):
                archive.add(workdirs / name, name)


if __name__ == '__main__':
    main(*sys.argv[1:])
