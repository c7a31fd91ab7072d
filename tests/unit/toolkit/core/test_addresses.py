"""Sixty ways to make a server call what it must not."""

import ipaddress
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.addresses import Destination, PinnedAddress, check_address, safe_link
from weighbridge.core.errors import Invalid, NotAllowed, Refused

PUBLIC = "93.184.215.14"
ALLOWED = (
    Destination("models.example.org"),
    Destination("plain.example.org", scheme="http", port=8080),
    Destination("inside.example.org", networks=(ipaddress.ip_network("10.1.0.0/16"),)),
)


def always(*addresses: str) -> Callable[[str], list[str]]:
    return lambda host: list(addresses)


def never(host: str) -> list[str]:
    raise AssertionError(f"{host} was looked up although it is not on the allow list")


@pytest.mark.parametrize(
    ("url", "pinned"),
    [
        ("https://models.example.org", PinnedAddress("https", "models.example.org", 443, PUBLIC, "/")),
        ("https://models.example.org/", PinnedAddress("https", "models.example.org", 443, PUBLIC, "/")),
        ("https://models.example.org:443/a?b=c", PinnedAddress("https", "models.example.org", 443, PUBLIC, "/a?b=c")),
        ("HTTPS://MODELS.example.ORG/a", PinnedAddress("https", "models.example.org", 443, PUBLIC, "/a")),
        ("http://plain.example.org:8080/v1", PinnedAddress("http", "plain.example.org", 8080, PUBLIC, "/v1")),
    ],
)
def test_what_is_listed_is_called_at_the_address_that_was_checked(url: str, pinned: PinnedAddress) -> None:
    assert check_address(url, allowed=ALLOWED, resolve=always(PUBLIC)) == pinned


NO_ADDRESS = [
    "",
    "models.example.org",
    "//models.example.org/",
    "https:models.example.org",
    "https:/models.example.org",
    "https:///models.example.org",
    "file:///etc/passwd",
    "gopher://models.example.org/",
    "ftp://models.example.org/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "dict://models.example.org:11211/",
    "https+unix://models.example.org/",
    "https://user@models.example.org/",
    "https://user:word@models.example.org/",
    "https://models.example.org@127.0.0.1/",
    "https://127.0.0.1@models.example.org/",
    "https://models.example.org#@127.0.0.1/",
    "https://models.example.org/#fragment",
    "https://models.example.org\\@127.0.0.1/",
    "https:\\\\models.example.org/",
    " https://models.example.org/",
    "https://models.example.org/ a",
    "https://models.example.org/\r\nHost: 127.0.0.1",
    "https://models.example.org\t/",
    "https://models.example.org\x00.evil.test/",
    "https://models.example.org./",
    "https://models..example.org/",
    "https://-models.example.org/",
    "https://models_example.org/",
    "https://models%2eexample.org/",
    "https://mod\u0435ls.example.org/",
    "https://models.example\u3002org/",
    "https://\u24dcodels.example.org/",
    "https://models.example.org:/",
    "https://models.example.org:443x/",
    "https://models.example.org:99999/",
    "https://models.example.org:-1/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.1.0x1/",
    "https://0/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[fe80::1%25eth0]/",
    "https://[::1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://*.example.org/",
    "https://models.example.org,127.0.0.1/",
    "https://" + "a" * 64 + ".example.org/",
    "https://models.example.org/" + "a" * 2000,
]
NOT_LISTED = [
    "http://models.example.org/",
    "https://models.example.org:8443/",
    "https://models.example.org:0/",
    "https://plain.example.org:8080/",
    "http://plain.example.org/",
    "https://localhost/",
    "https://example.org/",
    "https://evil.models.example.org/",
    "https://models.example.org.evil.test/",
    "https://models-example.org/",
    "https://127.0.0.1.nip.io/",
    "https://metadata.google.internal/",
    "https://xn--models-8v4c.example.org/",
]
INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001::7f00:1",
    "2001:db8::1",
    "fe80::1%eth0",
    "not an address",
    "",
]


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_plain_address_is_refused_before_it_is_looked_up(url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_address(url, allowed=ALLOWED, resolve=never)
    assert refusal.value.field == "url"


@pytest.mark.parametrize("url", NOT_LISTED)
def test_what_is_not_listed_is_refused_before_it_is_looked_up(url: str) -> None:
    with pytest.raises(NotAllowed, match="not on the allow list"):
        check_address(url, allowed=ALLOWED, resolve=never)


@pytest.mark.parametrize("address", INSIDE)
@pytest.mark.parametrize("before", [(), (PUBLIC,)], ids=["alone", "behind a public one"])
def test_a_listed_name_that_points_inside_is_refused(address: str, before: tuple[str, ...]) -> None:
    with pytest.raises(NotAllowed, match="must not be called"):
        check_address("https://models.example.org/", allowed=ALLOWED, resolve=always(*before, address))


def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(NotAllowed, match="has no address"):
        check_address("https://models.example.org/", allowed=ALLOWED, resolve=always())


def test_an_operator_may_open_a_private_range_for_one_name() -> None:
    inside = "https://inside.example.org/"
    assert check_address(inside, allowed=ALLOWED, resolve=always("10.1.2.3")).address == "10.1.2.3"
    assert check_address(inside, allowed=ALLOWED, resolve=always("::ffff:10.1.2.3")).address == "::ffff:a01:203"
    for other in ("10.2.0.1", "127.0.0.1"):
        with pytest.raises(NotAllowed):
            check_address(inside, allowed=ALLOWED, resolve=always("10.1.2.3", other))


def test_a_name_that_flips_is_looked_up_once_and_stays_where_it_was_checked() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    pinned = check_address("https://models.example.org/", allowed=ALLOWED, resolve=lambda host: next(answers))
    assert pinned.address == PUBLIC
    assert next(answers) == ["127.0.0.1"], "the second answer was never asked for"


def test_the_table_is_as_long_as_it_says() -> None:
    assert len({*NO_ADDRESS, *NOT_LISTED}) >= 60


@given(st.text(max_size=60).map(lambda text: f"https://{text}"))
def test_whatever_is_written_there_is_refused_or_listed(url: str) -> None:
    with suppress(Refused):
        pinned = check_address(url, allowed=ALLOWED, resolve=always(PUBLIC))
        assert (pinned.host, pinned.port) in {("models.example.org", 443), ("inside.example.org", 443)}


@pytest.mark.parametrize("address", ["https://acme.atlassian.net/browse/MR-1", "http://127.0.0.1:8001/x", "HTTPS://a/"])
def test_a_page_leads_to_the_web(address: str) -> None:
    assert safe_link(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "javascript:alert(1)", " https://a/", "JaVaScRiPt:x", "data:text/html,x", "file:///etc/passwd", "//a/"],
)
def test_a_page_leads_nowhere_else(address: str) -> None:
    assert safe_link(address) == ""
