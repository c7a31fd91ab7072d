"""Which addresses a webhook may have. `weighbridge.core.addresses` defines the rule for each of them."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from weighbridge.core.addresses import PORTS, Destination, PinnedAddress, Resolver, check_address
from weighbridge.core.errors import Invalid, Refused
from weighbridge.load.target import LOOPBACK, Permission

HERE = "localhost"


def pinned(url: str, *, permissions: Iterable[Permission], allows_here: bool, resolve: Resolver) -> PinnedAddress:
    """The checked address: https to a public host or a permitted private network; plain http only to this machine.

    Raises Invalid for a malformed address, NotAllowed for one that must not be called.
    """
    try:
        parts = urlsplit(url)
        scheme, host, given = parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        raise Invalid("This is not an address; write https://host/path.", field="address") from error
    is_here = allows_here and host == HERE
    if scheme != "https" and not (is_here and scheme == "http"):
        raise Invalid("Write an address that begins with https://.", field="address")
    networks = LOOPBACK if is_here else ()
    networks += tuple(network for one in permissions if one.host == host for network in one.networks)
    port = PORTS[scheme] if given is None else given
    try:
        return check_address(url, allowed=[Destination(host, scheme, port, networks)], resolve=resolve)
    except Refused as refusal:
        refusal.field = "address"
        raise
