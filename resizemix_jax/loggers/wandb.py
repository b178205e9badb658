"""Weights & Biases, by the library wandb (the extra `wandb`).

WANDB_MODE=offline writes WORKDIR/wandb alone. The service takes one directory a run, so every offline session
writes the whole run again, and the newest is the one to send: `wandb sync WORKDIR/wandb/latest-run`.
"""

import logging

from resizemix_jax.ranges import Several, Text

log = logging.getLogger(__name__)

EXIT_CODES = {'done': 0, 'preempted': 75, 'failed': 1}
# Seconds that the end of the process waits for an upload; what is left is in WORKDIR/wandb.
FINISH_TIMEOUT = 20


def wandb(*, project='resizemix-jax', entity='', group='', tags=()):
    """The run appears under the name of its directory.

    Args:
        project: str.
        entity: the user or team; '': the default of the account.
        group: under which runs are shown together; '': none.
        tags: several str.

    Raises:
        ImportError: the library is not installed.
        ValueError: a value that is not text, or no key of the service, without which it would ask for one.
    """
    Text().check('logger_args.', project=project, entity=entity, group=group)
    Several(Text()).check('logger_args.', tags=tags)
    import wandb as library

    offline = library.setup().settings.mode in ('offline', 'dryrun')
    online = not offline and library.setup().settings.mode != 'disabled'
    if online and not library.login(prompt=False, verify=False):
        raise ValueError(
            'logger=wandb needs a key of the service: run `wandb login`, set WANDB_API_KEY, or set '
            'WANDB_MODE=offline to write WORKDIR/wandb alone'
        )
    place = {'project': project, 'entity': entity or None, 'group': group or None, 'tags': list(tags)}
    return _Wandb(library, place, offline)


class _Wandb:
    """The logger, see `resizemix_jax.loggers`."""

    def __init__(self, library, place, offline):
        self._library, self._place, self._offline = library, place, offline
        self._run = None

    def begin(self, run):
        identity = {key: value for key, value in run.identity.items() if key != 'data'}
        self._run = self._library.init(
            **self._place,
            id=run.id,
            name=run.workdir.name,
            dir=run.workdir,
            config=run.config | {'identity': identity},
            allow_val_change=True,
            resume=None if self._offline else 'allow',
            reinit='create_new',  # a notebook may have a run of its own
            # The log and its progress bar stay on this process' own stderr.
            settings=self._library.Settings(console='off', silent=True, finish_timeout=FINISH_TIMEOUT),
        )
        log.info('wandb: %s', f'offline, in {run.workdir}/wandb' if self._offline else self._run.url)
        return self._run.resumed

    def row(self, step, values):
        if step >= self._run.step:  # the library would drop it, too, and complain
            self._run.log(values, step=step)

    def picture(self, step, tag, path):
        self.row(step, {tag: self._library.Image(str(path))})

    def close(self, state, scores):
        self._run.summary.update(scores)
        if state == 'preempted':
            self._run.mark_preempting()
        self._run.finish(exit_code=EXIT_CODES[state])
