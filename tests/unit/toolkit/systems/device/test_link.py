"""The link of the page and its QR code."""

import socket

import pytest

from weighbridge.core.extras import ExtraMissing
from weighbridge.systems.device import link


class Probe:
    """A socket of a machine with a network, or of one without."""

    def __init__(self, address: str | None) -> None:
        self.address = address

    def __call__(self, *_):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def connect(self, _):
        if self.address is None:
            raise OSError("no network")

    def getsockname(self):
        return (self.address, 1)


def test_the_link_names_the_host_as_a_browser_takes_it():
    assert link.link_of("127.0.0.1", 80, "secret", scheme="http") == "http://127.0.0.1:80/secret/"
    assert link.link_of("fe80::1", 443, "secret", scheme="https") == "https://[fe80::1]:443/secret/"


def test_a_server_on_all_interfaces_is_named_by_its_address_on_the_network(monkeypatch):
    monkeypatch.setattr(link.socket, "socket", Probe("192.168.1.9"))
    assert link.link_of("0.0.0.0", 80, "secret", scheme="http") == "http://192.168.1.9:80/secret/"


def test_without_a_network_the_name_of_the_machine_is_left(monkeypatch):
    monkeypatch.setattr(link.socket, "socket", Probe(None))
    assert link.link_of("0.0.0.0", 80, "secret", scheme="http") == f"http://{socket.gethostname()}:80/secret/"


def test_the_code_is_a_picture_and_a_text():
    address = "http://192.168.1.9:8000/" + "a" * 32 + "/"
    picture, text = link.code_as_svg(address), link.code_as_text(address)
    assert picture.startswith(b"<svg xmlns=")
    assert b"style" not in picture
    assert set(text) <= set("█▄▀ \n")
    assert len(text.splitlines()) > 15


def test_without_segno_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "segno", None)
    with pytest.raises(ExtraMissing, match=r"weighbridge\[device\]"):
        link.code_as_svg("http://x/")
