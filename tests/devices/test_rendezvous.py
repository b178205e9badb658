"""Processes that meet, each a thread here, over real sockets."""

import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from resizemix_jax.devices import rendezvous
from resizemix_jax.errors import ConfigError


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(rendezvous, 'POLL', 0.02)


def free_address():
    with socket.socket() as free:
        free.bind(('localhost', 0))
        return f'localhost:{free.getsockname()[1]}'


def meeting(address, count, indices, seconds=20):
    """What `meet` gives each of the processes, or the text of its error."""

    def one(index):
        try:
            return rendezvous.meet(address, count, index, seconds)
        except ConfigError as error:
            return str(error)

    with ThreadPoolExecutor(len(indices)) as pool:
        return list(pool.map(one, indices))


def test_all_that_come_are_connected_to_the_first_one_and_its_port_is_free_again():
    address = free_address()
    first, *others = meeting(address, 3, [0, 1, 2])
    assert sorted(first) == [1, 2] and first[2].name == f'process 2 on {socket.gethostname()}'
    for index, other in enumerate(others, 1):
        first[index].send(hello=index)
        while not (messages := other[0].receive()):
            pass
        assert messages == [{'hello': index}]
    with socket.create_server(('localhost', int(address.partition(':')[2]))):
        pass


@pytest.mark.slow
def test_who_is_missing_is_logged_and_then_an_error_for_all(caplog, monkeypatch):
    monkeypatch.setattr(rendezvous, 'NOTICE', 0.3)
    address = free_address()
    with caplog.at_level(logging.INFO):
        texts = meeting(address, 4, [0, 2], seconds=1)
    missing = f'2 of 4 processes at {address} (missing: 1, 3)'
    assert caplog.text.count(f'Waiting for {missing}') > 1
    assert len(set(texts)) == 1 and texts[0].startswith(f'waited 1 s in vain for {missing}. Start the same')


@pytest.mark.slow
def test_the_first_process_is_missing(caplog):
    address = free_address()
    with caplog.at_level(logging.INFO):
        (text,) = meeting(address, 2, [1], seconds=0.5)
    assert f'Waiting for process 0 at {address} (Connection refused)' in caplog.text
    assert f'in vain for process 0 at {address}: Connection refused' in text
    assert 'nowhere.invalid:1: ' in meeting('nowhere.invalid:1', 2, [1], seconds=0.1)[0]


def test_a_port_in_use_is_named():
    with socket.create_server(('', 0)) as taken:
        port = taken.getsockname()[1]
        (text,) = meeting(f'localhost:{port}', 2, [0])
    assert f'cannot listen on port {port} of this host (Address already in use)' in text


@pytest.mark.parametrize('words', [b'HTTP/1.1 400 Bad Request\r\n\r\n', b'[1]\n', b''])
def test_another_program_at_the_address_is_not_taken_for_a_process(words):
    with socket.create_server(('localhost', 0)) as other:

        def answer():
            while True:
                try:
                    caller = other.accept()[0]
                except OSError:
                    return
                caller.sendall(words)
                caller.close()

        threading.Thread(target=answer, daemon=True).start()
        (text,) = meeting(f'localhost:{other.getsockname()[1]}', 2, [1], seconds=0.5)
        other.shutdown(socket.SHUT_RDWR)
    assert 'the connection was closed; perhaps by another program' in text


@pytest.mark.parametrize(
    'words', [b'GET / HTTP/1.1\r\n\r\n', b'{"index": [1]}\n', b'\xff' * 10**5, b'1\n', b'']
)
def test_strangers_do_not_disturb(words):
    address = free_address()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(meeting, address, 2, [0])
        while True:
            try:
                stranger = socket.create_connection(rendezvous.split(address))
                break
            except ConnectionRefusedError:
                pass
        stranger.sendall(words)
        assert meeting(address, 2, [1])[0].keys() == {0} and first.result()[0].keys() == {1}
        stranger.close()


def test_a_second_process_of_a_number_and_one_of_another_count_are_refused():
    address = free_address()
    with ThreadPoolExecutor() as pool:
        started = [pool.submit(meeting, address, 3, [index]) for index in (0, 1)]
        assert 'started with 5 processes, and process 0 with 3' in meeting(address, 5, [4])[0]
        texts = meeting(address, 3, [1, 1], seconds=2)
        assert any('cannot join: there is one of that number already' in str(text) for text in texts)
        meeting(address, 3, [2])
        assert started[0].result()[0].keys() == {1, 2}


def test_one_that_leaves_while_others_are_awaited_can_come_again(monkeypatch):
    monkeypatch.setattr(rendezvous, 'NOTICE', 0.3)
    address = free_address()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(meeting, address, 3, [0])
        while True:
            try:
                gone = rendezvous.Connection(socket.create_connection(rendezvous.split(address)))
                break
            except ConnectionRefusedError:
                pass
        gone.send(index=1, count=3, name='here')
        while not gone.receive():  # it is known
            pass
        gone.close()
        assert [other.keys() for other in meeting(address, 3, [1, 2])] == [{0}, {0}]
        assert first.result()[0].keys() == {1, 2}


def test_addresses():
    assert rendezvous.split('here:1') == ('here', 1) and rendezvous.split('[::]:65535') == ('::', 65535)
    for text in ('', 'here', 'here:', ':1', 'here:x', 'here:0', 'here:65536'):
        with pytest.raises(ValueError, match='must be HOST:PORT'):
            rendezvous.split(text)
