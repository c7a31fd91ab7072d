"""The address of a ticket site: https, plain, and not of this machine in production."""

import ipaddress
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NO_ADDRESS = "The address of the site is not a web address: write it as https://your-site.atlassian.net."


def address_problem(url: str, *, allow_plain_http: bool) -> str:
    """Why no token may be sent to this address; "" if it may. `allow_plain_http` allows http on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")  # as a look-up of the name does, which raises an error of its own for an empty label
    except ValueError:
        return NO_ADDRESS
    if (
        parts.scheme not in {"http", "https"}
        or not host
        or any(each.isspace() or not each.isprintable() for each in url)
    ):
        return NO_ADDRESS
    if "@" in parts.netloc or parts.query or parts.fragment:
        return (
            "The address of the site must be plain, without an account, a question mark or a #: the credential is "
            "entered separately."
        )
    is_here = host.rstrip(".") in LOOPBACK
    if parts.scheme == "http" and not (is_here and allow_plain_http):
        return "The address of the site begins with http://, which would send the token unencrypted: use https://."
    if not allow_plain_http and (is_here or is_inner(host)):
        return "The address of the site is one of this machine or of its own network link: enter that of your Jira."
    return ""


def is_inner(host: str) -> bool:
    """Whether the host is an IP address that no Jira has: loopback, link-local, unspecified or multicast."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    found = mapped if mapped is not None else address
    return found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast
