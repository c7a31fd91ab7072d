"""The target: a load test calls this machine, and others only where the person names them.

The rule itself is `weighbridge.core.addresses`: every address of a name is checked, the first one is pinned, and the
generator connects to that one alone.
"""

import dataclasses
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from weighbridge.core.addresses import PORTS, Destination, Network, Pinned, Resolver, check_address
from weighbridge.core.errors import Invalid, NotAllowed

LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
# The rule refuses literals, which resolvers read in many ways; a canonical one goes through it under this name.
STAND_IN = "literal.invalid"


@dataclasses.dataclass(frozen=True)
class Permission:
    """A host that may be called, on any port, and the private networks its name may point into."""

    host: str
    networks: tuple[Network, ...] = ()


def permission_from(text: str) -> Permission:
    """Read `HOST` or `HOST=NETWORK` (`models.internal=10.0.0.0/8`); raise Invalid for another form."""
    host, _, network = text.strip().partition("=")
    try:
        networks = (ipaddress.ip_network(network),) if network else ()
    except ValueError as error:
        raise Invalid(f"{network!r} is no network; write it like 10.0.0.0/8.", field="allow") from error
    if not host:
        raise Invalid("Write --allow HOST or --allow HOST=NETWORK.", field="allow")
    return Permission(host.lower(), networks)


def check_target(
    url: str, *, permissions: Sequence[Permission], resolve: Resolver, may_call_itself: bool = True
) -> Pinned:
    """Return the pinned address of `url`. Without `may_call_itself` this machine needs a permission like any other.

    Raises Invalid where it is no plain address, NotAllowed where neither loopback nor a permission covers it.
    """
    host, port, scheme = _parts(url)
    literal = canonical_literal(host)
    if literal is not None:
        here = LOOPBACK if may_call_itself else ()
        return _literal(url, literal, Destination(STAND_IN, scheme, port, here), permissions)
    allowed = [Destination("localhost", scheme, port, LOOPBACK)] if may_call_itself else []
    allowed += [Destination(each.host, scheme, port, each.networks) for each in permissions]
    try:
        return check_address(url, allowed=allowed, resolve=resolve)
    except NotAllowed as refused:
        raise NotAllowed(
            f"{refused.reason.partition(';')[0].rstrip('.')}. At the terminal, name another machine with --allow "
            "HOST, and a "
            "private network with --allow HOST=NETWORK; in the platform, an operator lists it.",
            field="url",
        ) from refused


def _parts(url: str) -> tuple[str, int, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid("This is not an address; write http://host:port/path.", field="url") from error
    if parts.scheme not in PORTS:
        raise Invalid("Write an address that begins with http:// or https://.", field="url")
    return parts.hostname or "", PORTS[parts.scheme] if port is None else port, parts.scheme


def canonical_literal(host: str) -> str | None:
    """Return an IP address in its one canonical spelling, or None: what a resolver might read otherwise is
    no literal.
    """
    try:
        return host if str(ipaddress.ip_address(host)) == host else None
    except ValueError:
        return None


def _literal(url: str, literal: str, destination: Destination, permissions: Iterable[Permission]) -> Pinned:
    address = ipaddress.ip_address(literal)
    if not any(address in network for network in destination.networks) and all(
        each.host != literal for each in permissions
    ):
        raise NotAllowed(
            f"A load test may not call {literal}; the person at the terminal says --allow {literal}, an operator "
            "lists it.",
            field="url",
        )
    named = url.replace(f"[{literal}]" if address.version == 6 else literal, STAND_IN, 1)
    permitted = dataclasses.replace(destination, networks=(ipaddress.ip_network(literal),))
    pinned = check_address(named, allowed=[permitted], resolve=lambda _: [literal])
    return dataclasses.replace(pinned, host=literal)


def addresses_of(host: str) -> list[str]:
    """Ask the system's resolver for every address of a name; none where it has none."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_this_machine(address: str) -> bool:
    """Whether an address belongs to this machine: only then can a socket be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
