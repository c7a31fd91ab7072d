"""Tests reach loopback and nothing else."""

import socket

import pytest
from pytest_socket import SocketConnectBlockedError


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])  # reserved for documentation: nobody is there
def test_no_test_reaches_another_machine(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    client = socket.socket(family)
    with client, pytest.warns(UserWarning, match=host), pytest.raises(SocketConnectBlockedError):
        client.connect((host, 80))


def test_loopback_is_open_for_stand_ins() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
