"""The rule for outgoing addresses: the system calls only what the allow list of the operator contains.

An address is parsed strictly (anything that a browser would repair is rejected), its scheme, host and port are looked
up in the allow list, and *every* network address of its host is checked. The result is pinned: the caller connects to
the checked address, with the host name for TLS and the Host header, follows no redirect and uses no proxy. A later DNS
change therefore has no effect.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from weighbridge.core.errors import Invalid, NotAllowed

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str], Iterable[str]]
URL_CHARS_MAX = 2000
PORTS = {"https": 443, "http": 80}
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*")
PRINTABLE = re.compile(r"[!-~]+")
TRANSLATED = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))


@dataclass(frozen=True)
class Destination:
    """An allowed destination; `networks` are the private ranges that its host may resolve to."""

    host: str
    scheme: str = "https"
    port: int = 443
    networks: tuple[Network, ...] = ()


@dataclass(frozen=True)
class PinnedAddress:
    """A checked address: connect to `address` and `port`, use `host` for TLS and the Host header, request `path`."""

    scheme: str
    host: str
    port: int
    address: str
    path: str


def check_address(url: str, *, allowed: Iterable[Destination], resolve: Resolver) -> PinnedAddress:
    """Return the pinned address of `url`; raise Invalid if it is malformed, NotAllowed if it is not on the allow list.

    `resolve` returns all network addresses of a host name and is called once.
    """
    scheme, host, port, path = _parse_url(url)
    destination = next(
        (entry for entry in allowed if (entry.scheme, entry.host, entry.port) == (scheme, host, port)), None
    )
    if destination is None:
        raise NotAllowed(f"{scheme}://{host}:{port} is not on the allow list; ask an operator to add it.")
    resolved = [_parse_ip(text) for text in resolve(host)]
    if not resolved:
        raise NotAllowed(f"The host {host} has no address; check it and try again.")
    for address in resolved:
        if address is None or not _is_open(address, destination.networks):
            raise NotAllowed(f"{host} resolves to a network that must not be called; ask an operator.")
    return PinnedAddress(scheme, host, port, str(resolved[0]), path)


def _parse_url(url: str) -> tuple[str, str, int, str]:
    if len(url) > URL_CHARS_MAX or not PRINTABLE.fullmatch(url) or "\\" in url:
        raise Invalid("Write the address in plain characters, without spaces or backslashes.", field="url")
    try:
        parts = urlsplit(url)
        given, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise Invalid("This is not an address; write https://host/path.", field="url") from error
    if parts.scheme not in PORTS or not url.lower().startswith(f"{parts.scheme}://"):
        raise Invalid("Write an address that begins with https://.", field="url")
    if "@" in parts.netloc or "#" in url:
        raise Invalid("The address must not contain a user name, password or fragment.", field="url")
    if not HOST.fullmatch(host) or parts.netloc.endswith(":") or _is_number(host):
        raise Invalid("Write the host as a plain name, like models.example.org.", field="url")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, PORTS[parts.scheme] if given is None else given, path


def _is_number(host: str) -> bool:
    """Whether a resolver might parse the last label as a number: 2130706433, 0x7f.1, 127.0.0.1."""
    last = host.rpartition(".")[2]
    return last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None


def _parse_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_open(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: tuple[Network, ...]) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    real = mapped or address
    if any(real in network for network in networks):
        return True
    if any(real in network for network in TRANSLATED):
        return False
    return real.is_global and not real.is_multicast


def safe_link(address: str) -> str:
    """Return the address if a page may link to it (http or https), otherwise an empty string."""
    return address if address.lower().startswith(("https://", "http://")) else ""
