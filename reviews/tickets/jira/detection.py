"""Ask an address what server it is, before anybody has entered a credential for it."""

import ipaddress
import socket
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import requests  # noqa: TID251 -- only this adapter uses HTTP

from reviews.tickets.domain.addresses import NO_ADDRESS, address_problem, is_inner
from reviews.tickets.jira.answers import BoundedAdapter
from reviews.tickets.jira.errors import Operation, translate_errors
from reviews.tickets.jira.flavors import identity_of
from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.jira.signing_in import unsigned
from reviews.tickets.ports import Misconfigured, TrackerServer

PATH = "rest/api/2/serverInfo"
"""Both flavors answer it under version 2, and without a credential."""


def detect(
    url: str,
    *,
    allow_plain_http: bool,
    connect_timeout_s: float,
    read_timeout_s: float,
    clock: Callable[[], datetime],
) -> TrackerServer:
    """The flavor and version of the server at an address. Raises TrackerError.

    Outside development, a name that leads to this machine or to its network link is refused.
    """
    if problem := address_problem(url, allow_plain_http=allow_plain_http):
        raise Misconfigured(problem)
    settings = JiraSettings(url=url, token="none is sent", allow_plain_http=allow_plain_http)  # noqa: S106 -- no request has it
    if not allow_plain_http:
        _check_resolved(url)
    with (
        translate_errors(Operation(what="say what it is", write=False), settings=settings, clock=clock),
        requests.Session() as session,
    ):
        session.mount(f"{urlsplit(url).scheme}://", BoundedAdapter())
        session.trust_env, session.max_redirects, session.auth = not settings.is_loopback, 0, unsigned
        answer = session.get(f"{url.rstrip('/')}/{PATH}", timeout=(connect_timeout_s, read_timeout_s))
        answer.raise_for_status()
        document = answer.json()
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")
    identity = identity_of(document, url=url)
    signs = identity.flavor.signs_webhooks(identity.numbers)
    return TrackerServer(
        flavor=identity.flavor.key, version=identity.version, words=identity.words, signs_webhooks=signs
    )


def _check_resolved(url: str) -> None:
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError:
        return  # the request itself says that the name leads nowhere, or a proxy knows it
    except ValueError as error:
        raise Misconfigured(NO_ADDRESS) from error
    hosts = {str(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found}
    if any(is_inner(host) for host in hosts):
        raise Misconfigured("The address of the site leads to this machine or its network link: enter that of Jira.")
