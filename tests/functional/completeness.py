"""The addresses that give a page, read from the URL configuration: a new one is looked at from its first day."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

# Values that fit every converter and pattern; nothing has this number.
SAMPLES = {"int": "999999", "slug": "policies", "str": "x", "quarter": "2026Q4", "unit": "USD"}
POST_ONLY = 405
NO_PAGES = {
    r"admin:.*": "the administration of Django, which is off in production",
    r"api:.*|metrics|jira|.*:(livez|readyz|workz)": "for programs",
    r".*export|.*:(cycle_minutes|cycle_pdf|cycle_document|cycle_appendix|statement|plan|card|bom)": "a file",
    r".*:(packet|packet_document|answer_file|imported_file|run_result)": "a file",
    r".*:(study_chart|cycle_chart|projection_picture)": "a picture",
    r".*:(discussion_people)": "names for the completion of a mention, as JSON",
    r".*:(bill_live|run_live|runs|progress|suggestions|inbound|ticket_sites_status)": "a part of a page",
    r".*:(packets|cycle_packets|cycle_portfolio_proposal)": "a part of a page",
    r".*:(comment|thread|cycle_meeting|notification_open)": "leads on to another page",
    r".*:ticket_(site|route).*": "looked at in test_ticket_sites.py, with a Jira that answers",
    r"(socialaccount|openid_connect)_.*": "an entrance with a provider: test_sign_on.py",
    r"mfa_.*|account_reauthenticate": "asks for a second factor first: test_log_in.py, test_passkeys.py",
    r"account_inactive": "a sentence and no place to go on to, where a walk by Tab finds no end",
    r"account_reset_password.*": "its link comes by mail: tests/integration/governance/accounts/test_account_events.py",
}
"""Addresses without a page of their own on the list, each with the reason."""


def _named(patterns: Iterable[Any], space: str = "", route: str = "") -> Iterator[tuple[str, str]]:
    """Every named address, and an example of it."""
    for pattern in patterns:
        whole = f"{route}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _named(pattern.url_patterns, inner, whole)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield f"{space}{pattern.name}", "/" + re.sub(r"<(\w+):(\w+)>", _sample, whole)


def _sample(found: re.Match[str]) -> str:
    return SAMPLES.get(found[2], SAMPLES.get(found[1], "x"))


def unlisted(places: Iterable[tuple[User | None, str]], *, reader: User) -> list[str]:
    """The addresses that answer a GET with a page, but are neither on the list nor excused."""
    seen = {resolve(urlsplit(path).path).view_name for _, path in places}
    client = Client(raise_request_exception=False)
    client.force_login(reader)
    return [
        name
        for name, example in _named(get_resolver().url_patterns)
        if name not in seen
        and not any(re.fullmatch(reason, name) for reason in NO_PAGES)
        and client.get(example).status_code != POST_ONLY
    ]


def idle_excuses(places: Iterable[tuple[User | None, str]]) -> list[str]:
    """The excuses that excuse nothing any more."""
    seen = {resolve(urlsplit(path).path).view_name for _, path in places}
    names = [name for name, _ in _named(get_resolver().url_patterns) if name not in seen]
    return [reason for reason in NO_PAGES if not any(re.fullmatch(reason, name) for name in names)]
