"""SIGTERM, as spot machines and schedulers send it before they take the machine."""

import itertools
import signal
import threading

from jax.experimental import multihost_utils

from resizemix_jax.devices import parallel


class Watch:
    """A context in which SIGTERM only sets `requested`; the loop then saves and ends by itself.

    With several processes it is enough that one of them gets the signal. JAX's preemption service then
    chooses a turn that none has reached, and `requested` is true on all of them from that one on; so all must
    ask equally often.
    """

    def __init__(self):
        self._noted = False
        self._alone = parallel.processes()[1] == 1
        self._turns = itertools.count()

    @property
    def requested(self):
        """Whether to save and end."""
        if not self._alone and not self._noted:
            self._noted = multihost_utils.reached_preemption_sync_point(next(self._turns))
        return self._noted

    def __enter__(self):
        # Python handles signals in the main thread only; elsewhere (a notebook's worker) nothing is watched.
        if self._alone and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, *error):
        if hasattr(self, '_before'):
            signal.signal(signal.SIGTERM, self._before)

    def _note(self, signum, frame):
        self._noted = True
