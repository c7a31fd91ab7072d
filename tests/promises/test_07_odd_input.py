"""Promise 7: odd addresses, queries and bodies get an answer in words and never a server error, at every door.

The doors are read from the URL configuration and from the schema, so that a new one is tried from its first day.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from governance.people.actions import people
from tests.integration.conftest import checklist, installation, now, policy, signing_key_pem
from tests.promises import odd_values
from tests.promises.test_06_strangers import FOREIGN, cast, things
from tests.promises.tickets import LONG

__all__ = ["cast", "checklist", "installation", "now", "policy", "signing_key_pem", "things"]
pytestmark = [pytest.mark.django_db, pytest.mark.nightly]

Route = tuple[str, dict[str, str]]
WRITES = ("post", "put", "patch", "delete")
KINDS = {"int": r"\d+", "slug": r"[-\w]+", "str": r"[^/]+"}
NAMES, TEXTS, VALUES, BODIES = (
    all_of if LONG else all_of[:few]
    for all_of, few in ((odd_values.NAMES, 8), (odd_values.TEXTS, 8), (odd_values.VALUES, 16), (odd_values.BODIES, 8))
)


def routes(
    patterns: list[Any] | None = None, prefix: str = "/", before: Mapping[str, str] | None = None
) -> Iterator[Route]:
    """Every address of our own as a format string, and its parameters with their kinds."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        text, kinds = prefix + str(each.pattern), dict(before or {})
        for kind, name in re.findall(r"<(\w+):(\w+)>", text):
            text, kinds[name] = text.replace(f"<{kind}:{name}>", f"{{{name}}}"), kind
        if isinstance(each, URLResolver):
            if text not in {"/accounts/", "/admin/"}:
                yield from routes(each.url_patterns, text, kinds)
        elif isinstance(each, URLPattern) and not (each.name or "").startswith(FOREIGN):
            yield text, kinds


def reaching(kind: str) -> list[str]:
    """The odd names that reach a view through a parameter of this kind, and the first of them that does not."""
    pattern = re.compile(KINDS[kind], re.ASCII)
    through = [name for name in NAMES if pattern.fullmatch(unquote(name, errors="replace"))]
    return through + [name for name in NAMES if name not in through][:1]


ROUTES = sorted(dict(routes()).items())
WITH_NAMES = [(text, kinds) for text, kinds in ROUTES if kinds]


@pytest.fixture
def admin(cast: Any, now: datetime) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(cast.admin)
    return client


def program_of(user: User, now: datetime) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {people.create_token(user=user, valid_days=1, by=None, now=now)}")
    return client


@pytest.fixture
def program(cast: Any, now: datetime) -> APIClient:
    return program_of(cast.admin, now)


def known(things: Mapping[str, Any]) -> dict[str, Any]:
    """A right value of every parameter."""
    given = {"bill_id": 1, "message_id": 1, "item_id": 1, "token": "x", "kind": "csv"} | dict(things)
    assert {name for _, names in WITH_NAMES for name in names} <= set(given)
    return given


def answer_to(ask: Any, *args: Any, **options: Any) -> HttpResponse:
    """The answer; nothing it changed stays."""
    with transaction.atomic():
        response: HttpResponse = ask(*args, **options)
        transaction.set_rollback(True)
    return response


def is_wrong(response: HttpResponse, *, in_words: bool = True) -> bool:
    return response.status_code >= 500 or (in_words and response.status_code >= 400 and len(response.content) < 10)


def test_the_walk_finds_the_addresses_there_are() -> None:
    texts = {text for text, _ in ROUTES}
    assert {"/requests/{ref}/", "/api/v1/requests/{ref}/votes/", "/hooks/jira/", "/cycles/{quarter}/"} <= texts
    assert len(WITH_NAMES) > 100


def test_an_odd_name_in_an_address_is_refused_in_words(admin: Client, things: Mapping[str, Any]) -> None:
    right, wrong = known(things), []
    for text, kinds in WITH_NAMES:
        for name, odd in ((name, odd) for name, kind in kinds.items() for odd in reaching(kind)):
            address = text.format(**right | {name: odd})
            response = answer_to(admin.get, address)
            if is_wrong(response) or (response.status_code < 400 and odd not in {"0", "-1", "None", "nan", "1e5"}):
                wrong.append((text, name, odd[:20], response.status_code))
    assert wrong == []


def test_nor_does_a_step_there_fail(admin: Client, things: Mapping[str, Any]) -> None:
    right, wrong = known(things), []
    for text, kinds in WITH_NAMES:
        for name, odd in ((name, odd) for name, kind in kinds.items() for odd in reaching(kind)[:4]):
            response = answer_to(admin.post, text.format(**right | {name: odd}))
            if response.status_code >= 500:
                wrong.append((text, name, response.status_code))
    assert wrong == []


def asked_names(ask: Any, address: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names that a page looks for in its query."""
    seen: set[str] = set()
    with monkeypatch.context() as watched:
        for method in ("get", "getlist", "__getitem__", "__contains__"):
            real = getattr(QueryDict, method)
            watched.setattr(
                QueryDict, method, lambda self, key, *rest, _real=real: (seen.add(str(key)), _real(self, key, *rest))[1]
            )
        answer_to(ask, address)
    return seen - {"csrfmiddlewaretoken", "format"}


def test_an_odd_query_is_answered_in_words(
    admin: Client, program: APIClient, things: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong, tried = known(things), [], 0
    for text, _ in ROUTES:
        ask, address = (program if text.startswith("/api/") else admin).get, text.format(**right)
        for name, odd in itertools.product(sorted(asked_names(ask, address, monkeypatch)), TEXTS):
            response = answer_to(ask, address, {name: odd} if odd != "\ud800" else {name: b"\xed\xa0\x80"})
            tried += 1
            if is_wrong(response):
                wrong.append((text, name, odd[:20], response.status_code))
    assert wrong == []
    assert tried > 500


def operations() -> list[tuple[str, str, list[str]]]:
    """Method, address and names of the fields of every call that takes JSON."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    found = []
    for path, calls in schema["paths"].items():
        for method in WRITES:
            content = calls.get(method, {}).get("requestBody", {}).get("content", {})
            if method in calls and ("application/json" in content or not content):
                reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
                fields = schema["components"]["schemas"].get(reference.rpartition("/")[2], {}).get("properties", {})
                found.append((method, path, sorted(fields)))
    return found


def test_an_odd_body_is_refused_in_words(program: APIClient, things: Mapping[str, Any]) -> None:
    right, wrong, calls = known(things), [], operations()
    assert len(calls) > 40
    for (method, path, _), body in itertools.product(calls, BODIES):
        response = answer_to(getattr(program, method), path.format(**right), data=body, content_type="application/json")
        if (
            is_wrong(response)
            or len(response.content) > 100_000
            or (body in odd_values.REFUSED and response.status_code < 400)
        ):
            wrong.append((method, path, body[:20], response.status_code))
    assert wrong == []


@pytest.mark.parametrize("who", ["admin", "author", "approver", "finance"])
def test_an_odd_value_of_a_field_is_refused_in_words(
    cast: Any, things: Mapping[str, Any], now: datetime, who: str
) -> None:
    right, wrong, tried, program = known(things), [], 0, program_of(getattr(cast, who), now)
    for method, path, fields in operations():
        for name, odd in itertools.product(fields, VALUES):
            body = f"{{{json.dumps(name)}: {odd}}}"
            response = answer_to(
                getattr(program, method), path.format(**right), data=body, content_type="application/json"
            )
            tried += 1
            if is_wrong(response) or len(response.content) > 300_000:
                wrong.append((method, path, name, odd[:20], response.status_code))
    assert wrong == []
    assert tried > 1_000


@pytest.mark.parametrize("path", ["/api/v1/requests/", "/requests/new/", "/hooks/jira/", "/accounts/login/"])
@pytest.mark.parametrize(
    "headers",
    [
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "many"},
        {"CONTENT_LENGTH": "\u00b2"},
        {"CONTENT_LENGTH": "9" * 5_000},
        {"CONTENT_TYPE": "application/json; charset=zlib"},
        {"CONTENT_TYPE": "application/x-www-form-urlencoded; charset=zlib"},
        {"CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-16"},
        {"CONTENT_TYPE": "multipart/form-data"},
        {"CONTENT_TYPE": "multipart/form-data; boundary=" + "x" * 5_000},
        {"CONTENT_TYPE": "multipart/form-data; boundary=a; charset=zlib"},
        {"CONTENT_TYPE": "\u00ff"},
        {"HTTP_ACCEPT": "application/\0"},
        {"HTTP_ACCEPT_LANGUAGE": "\u00ff" * 5_000},
        {"HTTP_IDEMPOTENCY_KEY": "\u00ff"},
        {"HTTP_IDEMPOTENCY_KEY": "x" * 5_000},
        {"HTTP_IDEMPOTENCY_KEY": "\0"},
        {"HTTP_AUTHORIZATION": "Token \u00ff"},
        {"HTTP_AUTHORIZATION": "Token \0"},
        {"HTTP_COOKIE": "sessionid=%00; csrftoken=\u00ff"},
        {"HTTP_HOST": "localhost:99999999"},
    ],
)
def test_an_odd_header_is_answered(admin: Client, program: APIClient, path: str, headers: dict[str, str]) -> None:
    client = program if path.startswith("/api/") else admin
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    options = {"content_type": "application/json"} | headers
    response = answer_to(client.generic, "POST", path, b'{"a": 1}', **options)
    assert response.status_code < 500
