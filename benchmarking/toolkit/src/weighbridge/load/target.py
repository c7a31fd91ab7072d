"""The target of a load test: this machine, or another machine that the user allows explicitly.

`weighbridge.core.addresses` defines the rule: every address of a host is checked, the first one is pinned, and the
generator connects only to it.
"""

import dataclasses
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from weighbridge.core.addresses import PORTS, Destination, Network, PinnedAddress, Resolver, check_address
from weighbridge.core.errors import Invalid, NotAllowed

LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
# The rule rejects IP literals, which resolvers parse in different ways; canonical ones are checked under this name.
PLACEHOLDER_HOST = "literal.invalid"


@dataclasses.dataclass(frozen=True)
class Permission:
    """A host that may be called on any port, and the private networks that it may resolve to."""

    host: str
    networks: tuple[Network, ...] = ()


def permission_from(text: str) -> Permission:
    """Parse `HOST` or `HOST=NETWORK` (`models.internal=10.0.0.0/8`); raise Invalid for another form."""
    host, _, network = text.strip().partition("=")
    try:
        networks = (ipaddress.ip_network(network),) if network else ()
    except ValueError as error:
        raise Invalid(f"{network!r} is not a network; write it like 10.0.0.0/8.", field="allow") from error
    if not host:
        raise Invalid("Write HOST or HOST=NETWORK.", field="allow")
    return Permission(host.lower(), networks)


def check_target(
    url: str, *, permissions: Sequence[Permission], resolve: Resolver, may_call_itself: bool = True
) -> PinnedAddress:
    """Return the pinned address of `url`. Without `may_call_itself`, this machine also needs a permission.

    Raises Invalid for a malformed address, NotAllowed if neither loopback nor a permission covers it.
    """
    host, port, scheme = _parts(url)
    literal = canonical_literal(host)
    if literal is not None:
        here = LOOPBACK if may_call_itself else ()
        return _literal(url, literal, Destination(PLACEHOLDER_HOST, scheme, port, here), permissions)
    allowed = [Destination("localhost", scheme, port, LOOPBACK)] if may_call_itself else []
    allowed += [Destination(each.host, scheme, port, each.networks) for each in permissions]
    try:
        return check_address(url, allowed=allowed, resolve=resolve)
    except NotAllowed as refused:
        raise NotAllowed(
            f"{refused.reason.partition(';')[0].rstrip('.')}. On the command line, allow another machine with "
            "--allow HOST, or a private network with --allow HOST=NETWORK; on the platform, an operator allows it.",
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
    """Return an IP address in canonical form, or None, because resolvers may parse other forms differently."""
    try:
        return host if str(ipaddress.ip_address(host)) == host else None
    except ValueError:
        return None


def _literal(url: str, literal: str, destination: Destination, permissions: Iterable[Permission]) -> PinnedAddress:
    address = ipaddress.ip_address(literal)
    if not any(address in network for network in destination.networks) and all(
        each.host != literal for each in permissions
    ):
        raise NotAllowed(
            f"A load test may not call {literal}. On the command line, use --allow {literal}; on the platform, an "
            "operator allows it.",
            field="url",
        )
    named = url.replace(f"[{literal}]" if address.version == 6 else literal, PLACEHOLDER_HOST, 1)
    permitted = dataclasses.replace(destination, networks=(ipaddress.ip_network(literal),))
    pinned = check_address(named, allowed=[permitted], resolve=lambda _: [literal])
    return dataclasses.replace(pinned, host=literal)


def resolve_addresses(host: str) -> list[str]:
    """Return all addresses of a host from the system resolver; empty if there are none."""
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def is_this_machine(address: str) -> bool:
    """Return whether an address belongs to this machine, by binding a socket to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
