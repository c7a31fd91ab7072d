"""Which addresses a webhook may have, and which are refused whatever they resolve to."""

import pytest

from governance.notifications.domain.addresses import pinned
from weighbridge.core.errors import Refused
from weighbridge.load.target import permission_from

PUBLIC = "93.184.215.14"


def resolved(*addresses: str):  # type: ignore[no-untyped-def]
    return lambda _: list(addresses)


def test_https_to_a_public_host_is_pinned() -> None:
    found = pinned("https://hooks.example.org/a?b=1", permissions=[], allows_here=False, resolve=resolved(PUBLIC))
    assert (found.scheme, found.host, found.port, found.address, found.path) == (
        *("https", "hooks.example.org", 443, PUBLIC),
        "/a?b=1",
    )


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://hooks.example.org/", [PUBLIC]),
        ("ftp://hooks.example.org/", [PUBLIC]),
        ("https://user:pass@hooks.example.org/", [PUBLIC]),
        ("https://hooks.example.org/#a", [PUBLIC]),
        ("https://127.0.0.1/", ["127.0.0.1"]),
        ("https://[::1]/", ["::1"]),
        ("https://2130706433/", ["127.0.0.1"]),
        ("https://0x7f.1/", ["127.0.0.1"]),
        ("https://hooks.example.org:99999/", [PUBLIC]),
        ("https://hooks.example.org/a b", [PUBLIC]),
        ("https://hooks.example.org\\@evil.test/", [PUBLIC]),
        ("https://[bad/", [PUBLIC]),
        ("", [PUBLIC]),
        ("https://hooks.example.org/", []),
        ("https://hooks.example.org/", ["10.0.0.7"]),
        ("https://hooks.example.org/", ["192.168.1.1"]),
        ("https://hooks.example.org/", ["169.254.169.254"]),
        ("https://hooks.example.org/", ["127.0.0.1"]),
        ("https://hooks.example.org/", ["::1"]),
        ("https://hooks.example.org/", ["fd00::1"]),
        ("https://hooks.example.org/", ["::ffff:10.0.0.7"]),
        ("https://hooks.example.org/", ["64:ff9b::a00:7"]),
        ("https://hooks.example.org/", ["100.64.0.1"]),
        ("https://hooks.example.org/", ["0.0.0.0"]),
        ("https://hooks.example.org/", [PUBLIC, "10.0.0.7"]),
        ("https://localhost/", ["127.0.0.1"]),
        ("http://localhost:8000/", ["127.0.0.1"]),
    ],
)
def test_what_could_reach_inside_is_refused(url: str, addresses: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        pinned(url, permissions=[], allows_here=False, resolve=resolved(*addresses))
    assert refused.value.field == "address"


def test_this_machine_may_be_called_in_development_also_without_tls() -> None:
    for url, port in (("http://localhost:8000/x", 8000), ("https://localhost/x", 443)):
        found = pinned(url, permissions=[], allows_here=True, resolve=resolved("127.0.0.1"))
        assert (found.port, found.address) == (port, "127.0.0.1")
    with pytest.raises(Refused):
        pinned("http://localhost:8000/", permissions=[], allows_here=True, resolve=resolved("10.0.0.7"))
    with pytest.raises(Refused):
        pinned("http://hooks.example.org/", permissions=[], allows_here=True, resolve=resolved(PUBLIC))


def test_an_operator_permits_one_private_network_of_one_host() -> None:
    permissions = [permission_from("hooks.internal=10.0.0.0/8")]

    def called(url: str, address: str) -> str:
        return pinned(url, permissions=permissions, allows_here=False, resolve=resolved(address)).address

    assert called("https://hooks.internal/", "10.0.0.7") == "10.0.0.7"
    for url, address in (("https://hooks.internal/", "192.168.0.1"), ("https://other.internal/", "10.0.0.7")):
        with pytest.raises(Refused):
            called(url, address)
    with pytest.raises(Refused):
        called("http://hooks.internal/", "10.0.0.7")
