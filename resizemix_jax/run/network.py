"""A restored network, for pictures and for teaching."""

from typing import Any, NamedTuple

from resizemix_jax import build
from resizemix_jax.devices import parallel
from resizemix_jax.run.checkpoint import Checkpoints


class Network(NamedTuple):
    """The network of a checkpoint, after `step` steps; 0: untrained."""

    params: Any
    batch_stats: Any
    step: int

    def logits(self, model, images):
        """Of normalised images float32 [B, H, W, C], as evaluation runs the network: float32 [B, K]."""
        variables = {'params': self.params, 'batch_stats': self.batch_stats}
        return model.apply(variables, images, train=False)


def restore(plan, workdir):
    """The best `Network` of a workdir, or the newest, on the host; None if the workdir has no checkpoint.

    Raises:
        DataError: the checkpoint is damaged, or of another network than `plan`.
    """
    template = build.template(plan).replace(opt_state={}, metrics={})
    with Checkpoints(workdir) as checkpoints:
        if not checkpoints.latest_step():
            return None
        chosen = checkpoints.restore_best if checkpoints.best_step() else checkpoints.restore
        state = parallel.to_host(chosen(template, plan.devices[:1]))
    return Network(state.params, state.batch_stats, int(state.step))
