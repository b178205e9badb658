"""A relay between JAX's client in a process and JAX's service in process 0.

JAX ends a process with a C++ stack as soon as its connection to the service is closed, as process 0 dies. So
the client is connected to this relay, in its own process, which leaves that connection open, and `heartbeat`
ends the process with a sentence. JAX's own heartbeat is still there, for what that one misses.
"""

import contextlib
import socket
import threading

LARGEST = 2**16  # bytes at a time


class Relay:
    """Relays connections to a port of this host, in threads, for as long as this process lives.

    Args:
        host, port: where to.

    Attributes:
        address: HOST:PORT to connect to instead.
    """

    def __init__(self, host, port):
        self._target = host, port
        self._listener = socket.create_server(('127.0.0.1', 0))
        self._kept = []
        self.address = '127.0.0.1:{1}'.format(*self._listener.getsockname())
        _start(self._accept)

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            try:
                service = socket.create_connection(self._target)
            except OSError:
                client.close()  # it tries again
                continue
            self._kept.append(client)
            for sock in (client, service):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _start(_copy, service, client)
            _start(_copy_and_close, client, service)


def _start(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()


def _copy(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(LARGEST):
            target.sendall(data)


def _copy_and_close(source, target):
    _copy(source, target)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
