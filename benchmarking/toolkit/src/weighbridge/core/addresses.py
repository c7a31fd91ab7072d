"""The one rule for addresses that this system is told to call: an operator's list decides, not the address.

An address is taken apart strictly (what a browser would repair is refused), its scheme, host and port are looked up in
the operator's list, and *every* network address its name stands for is checked. The answer is pinned: the caller
connects to the address that was checked, with the host name for TLS and the Host header, follows no redirect and uses
no proxy. A name that points elsewhere a moment later therefore changes nothing.
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
    """Something the operator lets this system call; `networks` are private ranges its name may point into."""

    host: str
    scheme: str = "https"
    port: int = 443
    networks: tuple[Network, ...] = ()


@dataclass(frozen=True)
class Pinned:
    """An address that was checked: connect to `address` and `port`, speak to `host`, ask for `path`."""

    scheme: str
    host: str
    port: int
    address: str
    path: str


def check_address(url: str, *, allowed: Iterable[Destination], resolve: Resolver) -> Pinned:
    """The pinned address of `url`; Invalid where it is no plain address, NotAllowed where the list does not hold it.

    `resolve` answers every network address of a host name and is called once.
    """
    scheme, host, port, path = _taken_apart(url)
    destination = next((one for one in allowed if (one.scheme, one.host, one.port) == (scheme, host, port)), None)
    if destination is None:
        raise NotAllowed(f"{scheme}://{host}:{port} is not on the list of addresses; ask an operator to add it.")
    found = [_parsed(text) for text in resolve(host)]
    if not found:
        raise NotAllowed(f"The name {host} stands for no address now; check it and try again.")
    for address in found:
        if address is None or not _is_open(address, destination.networks):
            raise NotAllowed(f"{host} points into a network that must not be called; ask an operator.")
    return Pinned(scheme, host, port, str(found[0]), path)


def _taken_apart(url: str) -> tuple[str, str, int, str]:
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
        raise Invalid("An address holds no user name, password or fragment here; leave them out.", field="url")
    if not HOST.fullmatch(host) or parts.netloc.endswith(":") or _is_number(host):
        raise Invalid("Write the host as a plain name, like models.example.org.", field="url")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, PORTS[parts.scheme] if given is None else given, path


def _is_number(host: str) -> bool:
    """Whether a resolver might read the last label as a number: 2130706433, 0x7f.1, 127.0.0.1."""
    last = host.rpartition(".")[2]
    return last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
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


def clickable(address: str) -> str:
    """The address where it is one of the web that a page may lead to; "" for `javascript:`, `data:`, `file:` and their
    like.
    """
    return address if address.lower().startswith(("https://", "http://")) else ""
