"""How the processes of several hosts find each other, and notice that one of them is gone.

JAX's own service waits for a missing process without a word, and ends all processes with a C++ stack when one
does not come, dies or freezes. So the first process listens at the coordinator's address until all are there,
and then leaves its port to JAX's service. The connections stay: that of a dead process is closed, and that of
a frozen one is silent.

A message is a JSON object on a line. An empty one says that its sender is alive.
"""

import contextlib
import errno
import json
import logging
import os
import socket
import time

from resizemix_jax.errors import ConfigError

log = logging.getLogger(__name__)

POLL = 0.25  # seconds between two checks of the connections
NOTICE = 5.0  # seconds between two lines while waiting
LONGEST = 2**16  # bytes of a message


class Connection:
    """Messages over a socket.

    Attributes:
        name: of the process at the other side, in words.
        closed: whether the other side has closed it, or sent something other than a message.
        heard: when something came the last time, by `time.monotonic`.
    """

    def __init__(self, sock, name=''):
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket, self._rest = sock, b''
        self.name, self.closed, self.heard = name, False, time.monotonic()

    def fileno(self):
        """Of the socket, to wait for."""
        return self._socket.fileno()

    def send(self, **message):
        """Sends a message, if anyone is there."""
        try:
            self._socket.sendall(json.dumps(message).encode() + b'\n')
        except OSError:
            self.closed = True

    def receive(self):
        """The messages that have come, without the empty ones; does not wait."""
        try:
            data = self._socket.recv(LONGEST)
            self.closed = self.closed or not data
        except BlockingIOError:
            return []
        except OSError:
            self.closed = True
            return []
        self.heard = time.monotonic()
        *lines, self._rest = (self._rest + data).split(b'\n')
        try:
            messages = [dict(json.loads(line)) for line in lines]
        except (ValueError, TypeError):
            messages, self.closed = [], True
        self.closed = self.closed or len(self._rest) > LONGEST
        return [message for message in messages if message]

    def close(self):
        """Closes it."""
        self._socket.close()


def meet(address, count, index, seconds):
    """Waits until all processes are there, and logs who is missing.

    Args:
        address: HOST:PORT of the first process.
        count: the number of processes.
        index: of this one.
        seconds: how long to wait.

    Returns:
        The `Connection`s that stay: process 0's to all others, by their index, or the others' to process 0.

    Raises:
        ConfigError: not all came in time, or the port is in use.
    """
    if index == 0:
        return _host(address, count, seconds)
    return {0: _visit(address, count, index, seconds)}


def _host(address, count, seconds):
    """The first process' side of `meet`."""
    members, guests, told = {}, [], -NOTICE
    until = time.monotonic() + seconds
    with _listener(address, count) as listener:
        while True:
            for index in [i for i, member in members.items() if member.receive() or member.closed]:
                del members[index]  # it may come again
            guests = _admit(guests + _arrived(listener), members, count)
            missing = [index for index in range(1, count) if index not in members]
            if not missing:
                break
            words = f'{len(missing)} of {count} processes at {address} (missing: {_list(missing)})'
            if time.monotonic() > until:
                for member in members.values():
                    member.send(refused=_late(words, seconds))
                raise ConfigError(_late(words, seconds))
            if time.monotonic() - told > NOTICE:
                told = time.monotonic()
                log.info('Waiting for %s', words)
                for member in members.values():
                    member.send(waiting=words)
            time.sleep(POLL)
    for member in members.values():
        member.send(start=True)
    return members


def _listener(address, count):
    """A socket that listens at the port of an address, on all of this host's interfaces."""
    host, port = split(os.environ.get('JAX_COORDINATOR_BIND_ADDRESS') or f'[::]:{split(address)[1]}')
    both = host == '::' and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    try:
        try:
            made = socket.create_server((host, port), family=family, backlog=count, dualstack_ipv6=both)
        except OSError as error:
            if not both or error.errno == errno.EADDRINUSE:
                raise
            made = socket.create_server(('', port), backlog=count)  # a host without IPv6
    except OSError as error:
        raise ConfigError(
            f'process 0 cannot listen on port {port} of this host ({os.strerror(error.errno)}). End what '
            'uses it, perhaps an earlier run, or choose another: the port of JAX_COORDINATOR_ADDRESS, or '
            'JAX_COORDINATOR_PORT where the hosts find each other'
        ) from error
    made.setblocking(False)
    return made


def _arrived(listener):
    guests = []
    with contextlib.suppress(BlockingIOError):
        while True:
            guests.append(Connection(listener.accept()[0]))
    return guests


def _admit(guests, members, count):
    """Adds the guests that have said who they are to `members`; returns those that have not yet."""
    unknown = []
    for guest in guests:
        hello = guest.receive()
        if not hello:
            unknown += [] if guest.closed else [guest]
            continue
        index, name = hello[0].get('index'), str(hello[0].get('name'))
        if hello[0].get('count') != count:
            refused = f'it was started with {hello[0].get("count")} processes, and process 0 with {count}'
        elif index in members:
            refused = f'there is one of that number already, on {members[index].name}'
        elif index not in range(1, count):
            refused = f'the numbers are 0 to {count - 1}'
        else:
            guest.name, members[index] = f'process {index} on {name}', guest
            continue
        guest.send(refused=f'process {index} on {name} cannot join: {refused}')
        log.warning('Process %s on %s cannot join: %s', index, name, refused)
        guest.close()
    return unknown


def _visit(address, count, index, seconds):
    """The other processes' side of `meet`."""
    until, told = time.monotonic() + seconds, -NOTICE
    while True:
        try:
            sock = socket.create_connection(split(address), timeout=NOTICE)
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            connection = Connection(sock, f'process 0 at {address}')
            connection.send(index=index, count=count, name=socket.gethostname())
            if _started(connection):
                return connection
            connection.close()
            reason = 'the connection was closed; perhaps by another program'
        if time.monotonic() > until:
            raise ConfigError(_late(f'process 0 at {address}: {reason}', seconds))
        if time.monotonic() - told > NOTICE:
            told = time.monotonic()
            log.info('Waiting for process 0 at %s (%s)', address, reason)
        time.sleep(POLL)


def _started(connection):
    """Whether process 0 says that all are there; logs what it says before."""
    while not connection.closed and time.monotonic() - connection.heard < 3 * NOTICE:
        for message in connection.receive():
            if 'refused' in message:
                raise ConfigError(message['refused'])
            if 'start' in message:
                return True
            log.info('Waiting for %s', message.get('waiting'))
        time.sleep(POLL)
    return False


def split(address):
    """(host, port) of HOST:PORT.

    Raises:
        ValueError: it is something else.
    """
    host, colon, port = address.rpartition(':')
    if not (host and colon and port.isdigit() and 0 < int(port) < 2**16):
        raise ValueError(f'{address!r} must be HOST:PORT')
    return host.strip('[]'), int(port)


def _list(numbers):
    """Numbers in words, not all of many."""
    return ', '.join(map(str, numbers[:8])) + (', ...' if len(numbers) > 8 else '')


def _late(words, seconds):
    return (
        f'waited {seconds:.0f} s in vain for {words}. Start the same command on all hosts; --join_seconds '
        'says how long each waits'
    )
