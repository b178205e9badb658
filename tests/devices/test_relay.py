import socket

import pytest

from resizemix_jax.devices.relay import Relay


def test_what_is_sent_arrives_and_the_end_of_the_service_is_not_passed_on():
    with socket.create_server(('localhost', 0)) as service:
        relay = Relay(*service.getsockname())
        host, _, port = relay.address.partition(':')
        client = socket.create_connection((host, int(port)))
        accepted, _ = service.accept()
        client.sendall(b'question')
        assert accepted.recv(100) == b'question'
        accepted.sendall(b'answer')
        assert client.recv(100) == b'answer'
        accepted.close()
    client.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.recv(100)
    with pytest.raises(ConnectionError):  # while there is no service, a new connection is none
        other = socket.create_connection((host, int(port)))
        other.settimeout(5)
        if not other.recv(100):
            raise ConnectionError
    client.close()


def test_the_end_of_the_client_is_passed_on():
    with socket.create_server(('localhost', 0)) as service:
        host, _, port = Relay(*service.getsockname()).address.partition(':')
        socket.create_connection((host, int(port))).close()
        assert service.accept()[0].recv(100) == b''
