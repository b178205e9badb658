"""The watch, over real sockets, of processes that are threads here."""

import queue
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from resizemix_jax.devices import heartbeat
from resizemix_jax.devices.rendezvous import Connection
from tests.hosts import ROOT


@pytest.fixture(autouse=True)
def often(monkeypatch):
    for name, seconds in (('POLL', 0.02), ('BEAT', 0.1), ('GRACE', 0.3)):
        monkeypatch.setattr(heartbeat, name, seconds)


class Process:
    """A watch, and how it ended the process; `connections` are its side of `pair`."""

    def __init__(self, index, connections, silence=60.0):
        self.ends = queue.Queue()
        self.connections = connections
        self.heartbeat = heartbeat.Heartbeat(
            index, f'process {index}', connections, silence, lambda *end: self.ends.put(end)
        )
        self.heartbeat.start()

    def ended(self):
        return self.ends.get(timeout=20)


def pair(index):
    """Both sides of the connection between process 0 and another."""
    with socket.create_server(('localhost', 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        return Connection(server.accept()[0], f'process {index} on there'), Connection(theirs, 'process 0')


@pytest.fixture
def three():
    (one, first), (two, second) = pair(1), pair(2)
    return [Process(0, {1: one, 2: two}), Process(1, {0: first}), Process(2, {0: second})]


def test_the_death_of_one_ends_all_others_with_its_name(three):
    three[1].connections[0].close()
    for process in (three[0], three[2]):
        code, words = process.ended()
        assert code == 75
        assert words.startswith(
            'process 1 on there is lost: it died, or its connection broke. All processes end;'
        )


def test_the_death_of_the_first_one_ends_all_others(three):
    for connection in three[0].connections.values():
        connection.close()
    for process in three[1:]:
        assert process.ended()[0] == 75


@pytest.mark.slow
def test_one_that_is_silent_is_lost():
    here, there = pair(1)
    code, words = Process(0, {1: here}, silence=0.5).ended()
    assert code == 75 and 'process 1 on there is lost: silent for 0 s, it is frozen or cut off' in words
    assert there.receive()[-1]['stop'] == 75  # and is told, if it is only slow


@pytest.mark.slow
def test_processes_that_live_are_not_silent():
    here, there = pair(1)
    both = Process(0, {1: here}, silence=0.5), Process(1, {0: there}, silence=0.5)
    with pytest.raises(queue.Empty):
        both[0].ends.get(timeout=1)
    assert both[1].ends.empty()


@pytest.mark.parametrize('code', [0, 2, 3, 75])
def test_the_end_of_all_is_awaited(code, three):
    threads = [threading.Thread(target=process.heartbeat.end, args=(code, 'E: x')) for process in three]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert all(process.ends.empty() for process in three)


@pytest.mark.parametrize('failed', [0, 1])
def test_an_error_of_one_alone_ends_all_with_its_sentence(failed, three):
    three[failed].heartbeat.end(2, 'DataError: a damaged file')
    assert three[failed].ended()[0] == 2
    for process in three:
        if process is not three[failed]:
            code, words = process.ended()
            assert code == 2
            assert words.endswith('ended with exit code 2: DataError: a damaged file')
            assert words.startswith(f'process {failed}')


@pytest.mark.slow
def test_an_error_after_the_end_of_another_is_not_this_one_s(three, monkeypatch):
    monkeypatch.setattr(heartbeat, 'GRACE', 1000.0)
    three[1].heartbeat._own_end = 2, 'DataError: a damaged file'
    three[2].heartbeat._silence = 1.0
    three[2].heartbeat.ask()  # a broken collective
    assert three[2].ended()[0] == 2


SILENCE = 3.0
STOPPED = """
import socket, sys
from resizemix_jax.devices import heartbeat, rendezvous
connection = rendezvous.Connection(socket.create_connection(('localhost', int(sys.argv[1]))), 'process 0')
watch = heartbeat.Heartbeat(1, 'process 1', {0: connection}, silence=float(sys.argv[2]))
watch.start()
watch._thread.join()
"""


@pytest.mark.slow
def test_one_that_stood_still_does_not_blame_the_others():
    """As on a machine that was suspended: nothing came meanwhile, since all machines were."""
    with socket.create_server(('localhost', 0)) as server:
        words = [sys.executable, '-c', STOPPED, str(server.getsockname()[1]), str(SILENCE)]
        with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            try:
                other = server.accept()[0]
                other.settimeout(20)
                assert other.recv(100) == b'{}\n'  # it watches
                process.send_signal(signal.SIGSTOP)
                time.sleep(SILENCE + 1)
                process.send_signal(signal.SIGCONT)
                assert other.recv(100) == b'{}\n'
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(SILENCE / 2)
                other.sendall(b'{}\n')
                assert process.wait(20) == 75  # now that the other one is silent
            finally:
                process.kill()
            said = process.stderr.read()
        assert 'process 0 is lost: silent for 3 s, it is frozen or cut off' in said
