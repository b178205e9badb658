"""The watch of the processes of several hosts over each other, on the connections of `rendezvous`.

Every process reports to the first one, which tells the others. A process that is lost, or that ends with an
error of its own, ends all others with a sentence: they would wait for it in their next collective, until JAX
ends them with a C++ stack. None of them could save, since a checkpoint takes all of them.
"""

import multiprocessing.connection
import os
import sys
import threading
import time

from resizemix_jax.devices.rendezvous import POLL
from resizemix_jax.errors import PreemptedError

BEAT = 2.0  # seconds between two messages of a process
SILENCE = 30.0  # seconds without one, after which a process is lost
GRACE = 30.0  # seconds that all have to end by themselves, once one has ended with an error
LOST = PreemptedError.exit_code  # as after a signal, the same command continues the run
# Exit codes of ends that all processes reach together, though some are later, since they still write.
TOGETHER = (0, 3, PreemptedError.exit_code)


class Heartbeat:
    """Watches the other processes, and reports the end of this one.

    Args:
        index: of this process.
        name: of it, in words.
        connections: of `rendezvous.meet`.
        silence: see SILENCE.
        leave_at_once: called with (exit code, sentence), ends this process.
    """

    def __init__(self, index, name, connections, silence=SILENCE, leave_at_once=None):
        self._index, self._name, self._connections = index, name, connections
        self._silence, self._leave_at_once = silence, leave_at_once or end_process
        self._ends = set()  # the processes that have ended, as far as this one knows
        self._own_end = None  # (exit code, sentence)
        self._verdict = None  # (when, exit code, sentence): this process ends then, at the latest
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self):
        """Begins to watch, in a thread."""
        self._thread.start()

    def end(self, code, words=''):
        """Reports that this process ends, with an exit code and the sentence of its error.

        Returns when all do, so that JAX can be shut down. An error of this process alone does not come to the
        others, which wait for it in a collective: then it ends here, after GRACE.
        """
        self._own_end = code, words
        self._thread.join(None if code in TOGETHER else GRACE)
        if self._thread.is_alive():
            self._leave_at_once(code, '')

    def ask(self):
        """After an error that the end of another process can have caused: if it was that, ends this one."""
        until = time.monotonic() + self._silence + 2 * BEAT
        while time.monotonic() < until:
            if self._verdict:
                self._verdict = (0.0, *self._verdict[1:])
            time.sleep(POLL)

    def _watch(self):
        before = beat = time.monotonic()
        while not self._over.is_set():
            now = time.monotonic()
            if now - before > self._silence / 2:  # it stood still itself: the others' silence means nothing
                for connection in self._connections.values():
                    connection.heard = now
            if now - beat > BEAT:
                beat = now
                self._tell()
            before = now
            self._listen(now)
            self._conclude()
            there = [connection for connection in self._connections.values() if not connection.closed]
            multiprocessing.connection.wait(there, POLL)

    def _listen(self, now):
        """`now`: when this turn began; a process that stands still within it finds that in the next one."""
        for other, connection in self._connections.items():
            for message in connection.receive():
                self._take(other, connection, message)
            if other in self._ends or self._over.is_set():
                continue
            if connection.closed:
                self._lose(connection, 'it died, or its connection broke')
            elif now - connection.heard > self._silence:
                self._lose(connection, f'silent for {self._silence:.0f} s, it is frozen or cut off')

    def _take(self, other, connection, message):
        if 'end' in message:
            self._ended(other, connection.name, message['end'], message['words'])
        elif 'stop' in message:
            self._stop(message['stop'], message['words'], message['grace'])
        elif 'over' in message:
            self._over.set()

    def _conclude(self):
        if self._own_end and self._index not in self._ends:
            self._ended(self._index, self._name, *self._own_end)
        if self._index == 0 and len(self._ends) > len(self._connections):
            self._tell(over=True)
            self._over.set()
        elif self._verdict and time.monotonic() >= self._verdict[0]:
            if self._index == 0:  # what was sent last is lost if a connection is closed before it is read
                time.sleep(4 * POLL)
            self._leave_at_once(*self._verdict[1:])
            self._over.set()

    def _ended(self, process, name, code, words):
        self._ends.add(process)
        if self._index > 0:
            self._tell(end=code, words=words)
        elif code not in TOGETHER:
            self._stop(code, f'{name} ended with exit code {code}: {words}', GRACE)

    def _lose(self, connection, reason):
        self._stop(
            LOST,
            f'{connection.name} is lost: {reason}. All processes end; the same command on all hosts '
            'continues from the newest checkpoint',
            0.0,
        )

    def _stop(self, code, words, grace):
        """Sets the time at which this process ends, at the latest, and with process 0 all others."""
        if not self._verdict:
            self._verdict = time.monotonic() + grace, code, words
            if self._index == 0:
                self._tell(stop=code, words=words, grace=grace)

    def _tell(self, **message):
        for connection in self._connections.values():
            connection.send(**message)


def end_process(code, words):
    """Ends this process at once, whatever its other threads wait for."""
    if words:
        sys.stderr.write(f'\n{words}\n')
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
