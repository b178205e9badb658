"""SIGTERM, as spot machines and schedulers send it before they take the machine."""

import signal
import threading


class Watch:
    """A context in which SIGTERM only sets `requested`; the loop then saves and ends by itself."""

    def __init__(self):
        self.requested = False

    def __enter__(self):
        # Python handles signals in the main thread only; elsewhere (a notebook's worker) nothing is watched.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, *error):
        if hasattr(self, '_before'):
            signal.signal(signal.SIGTERM, self._before)

    def _note(self, signum, frame):
        self.requested = True
