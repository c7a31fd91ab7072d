"""Targets: this machine, others by name alone, and nothing that only looks like one of them."""

import ipaddress
import socket

import pytest

from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.errors import Invalid, NotAllowed
from weighbridge.load.target import (
    Permission,
    canonical_literal,
    check_target,
    is_this_machine,
    permission_from,
    resolve_addresses,
)

PUBLIC = "93.184.216.34"


def never(host):
    raise AssertionError(f"{host} was looked up")


def always(*addresses):
    return lambda host: list(addresses)


@pytest.mark.parametrize(
    ("url", "pinned"),
    [
        ("http://127.0.0.1:8080/a?b=c", PinnedAddress("http", "127.0.0.1", 8080, "127.0.0.1", "/a?b=c")),
        ("http://127.8.8.8/127.8.8.8", PinnedAddress("http", "127.8.8.8", 80, "127.8.8.8", "/127.8.8.8")),
        ("http://[::1]:9/", PinnedAddress("http", "::1", 9, "::1", "/")),
        ("https://127.0.0.1/", PinnedAddress("https", "127.0.0.1", 443, "127.0.0.1", "/")),
    ],
)
def test_loopback_may_be_called(url, pinned):
    assert check_target(url, permissions=[], resolve=never) == pinned


def test_the_name_of_this_machine_must_mean_it():
    assert (
        check_target("http://localhost:80/", permissions=[], resolve=always("127.0.0.1", "::1")).address == "127.0.0.1"
    )
    with pytest.raises(NotAllowed):
        check_target("http://localhost:80/", permissions=[], resolve=always("127.0.0.1", "10.0.0.1"))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "http://[fe80::1]/",
        "http://8.8.8.8/",
        "http://localhost.example.org/",
        "http://[::ffff:7f00:1]/",
    ],
)
def test_others_are_refused_and_told_how(url):
    with pytest.raises(NotAllowed, match="--allow"):
        check_target(url, permissions=[Permission("models.example.org")], resolve=never)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1@example.org/",
        "ftp://127.0.0.1/",
        "http://127.0.0.1:99999/",
        "127.0.0.1",
        "",
        "http:///",
        "http://127.0.0.1/#x",
        "http://127.0.0.1\\@example.org/",
        "http://127.0.0.1 /",
        "http://[::1",
        "http://user@127.0.0.1/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://x@127.0.0.1:80@10.0.0.1/",
    ],
)
def test_what_only_looks_like_an_address_is_refused(url):
    with pytest.raises((Invalid, NotAllowed)):
        check_target(url, permissions=[], resolve=never)


def test_a_name_that_is_allowed_may_be_called_where_it_points():
    permissions = [Permission("models.example.org")]
    url = "http://models.example.org:8000/v1"
    assert check_target(url, permissions=permissions, resolve=always(PUBLIC)).address == PUBLIC
    for inside in ("10.1.2.3", "127.0.0.1", "169.254.169.254"):
        with pytest.raises(NotAllowed, match="HOST=NETWORK"):
            check_target(url, permissions=permissions, resolve=always(PUBLIC, inside))
    permissions = [permission_from("Models.example.org=10.1.0.0/16")]
    assert check_target(url, permissions=permissions, resolve=always("10.1.2.3")).address == "10.1.2.3"
    with pytest.raises(NotAllowed):
        check_target(url, permissions=permissions, resolve=always("10.2.2.3"))
    with pytest.raises(NotAllowed, match="has no address"):
        check_target(url, permissions=permissions, resolve=always())


def test_a_literal_that_is_allowed_may_be_called():
    pinned = check_target("http://10.1.2.3/x", permissions=[permission_from("10.1.2.3")], resolve=never)
    assert pinned == PinnedAddress("http", "10.1.2.3", 80, "10.1.2.3", "/x")
    with pytest.raises(NotAllowed):
        check_target("http://10.1.2.4/x", permissions=[permission_from("10.1.2.3")], resolve=never)


def test_permissions():
    assert permission_from(" a.b ") == Permission("a.b")
    assert permission_from("a=fd00::/8").networks == (ipaddress.ip_network("fd00::/8"),)
    for wrong in ("a=10.0.0.1/8", "a=x", "=10.0.0.0/8", ""):
        with pytest.raises(Invalid) as refused:
            permission_from(wrong)
        assert refused.value.field == "allow"


def test_literals_have_one_spelling():
    assert canonical_literal("::1") == "::1"
    assert [canonical_literal(text) for text in ("0:0::1", "localhost", "127.1", "")] == [None] * 4


def test_the_resolver_and_this_machine(monkeypatch):
    assert "127.0.0.1" in resolve_addresses("localhost")

    def fail(*_, **__):
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert resolve_addresses("nowhere.invalid") == []
    assert is_this_machine("127.0.0.1")
    assert not is_this_machine("192.0.2.1")
    assert not is_this_machine("2001:db8::1")


def test_another_scheme_is_told_which_ones_there_are():
    with pytest.raises(Invalid, match=r"begins with http:// or https://\."):
        check_target("ftp://127.0.0.1/", permissions=[], resolve=resolve_addresses)
