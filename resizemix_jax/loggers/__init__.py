"""The loggers: services that a run's numbers are sent to, besides its own files.

A member is `<name>(*, ...) -> logger`, its keywords `config.logger_args`. The function imports its library
(one that is missing is an ImportError), checks its keywords and what can be known without the service
(ValueError), and opens nothing: it runs before any data is read. `none` returns None. A logger is any object
with four methods. They are called on the first process only, one after the other, in a thread of their own
(`run/delivery.py`):

* `begin(run) -> bool`: `run` is a `Run`. Begins the run at the service, or continues it. Returns whether the
  service has what earlier sessions gave it; if not, all rows and pictures so far are given again.
* `row(step, values)`: a row of metrics.jsonl; `values` is tag -> number, where 'train/loss' is `train_loss`.
* `picture(step, tag, path)`: a PNG file of the gallery, with a tag such as 'gallery/methods'.
* `close(state, scores)`: the end of the session. `state` is 'done', 'preempted' (the same command continues
  the run) or 'failed'; a process that is killed closes nothing. `scores` are those of result.json, by tags
  such as 'result/NAME_best'; {} unless the run is done.

Each row is given once, and steps never go back. A run whose process was killed computes the steps since its
checkpoint again: what the logger had of them is not given again, even if the new values differ. What it
lacks, since an earlier session had another logger, or this one failed, is given first. WORKDIR/loggers.json
has what it was given. (A kill between a row and its mark in that file gives the row twice.)

An error ends the logger for the session, with a warning, and never the training. So does a logger that stands
still: nothing waits for it but the end of the run, for `delivery.PATIENCE` seconds.
"""

import pathlib
from typing import Any, NamedTuple


class Run(NamedTuple):
    """The run that a logger is given.

    Attributes:
        id: of the run, the same in all its sessions; letters and digits.
        workdir: its directory; a library may write into one of its own in it.
        config: as config.json has it.
        identity: the row of identity.jsonl of this session.
        step: that the session starts from.
    """

    id: str
    workdir: pathlib.Path
    config: dict[str, Any]
    identity: dict[str, Any]
    step: int

    @property
    def flat_config(self) -> dict[str, Any]:
        """The config with its groups spread: 'mixing_args.tau' -> value."""
        flat: dict[str, Any] = {}
        for key, value in self.config.items():
            if isinstance(value, dict):
                flat |= {f'{key}.{name}': one for name, one in value.items()}
            else:
                flat[key] = value
        return flat
