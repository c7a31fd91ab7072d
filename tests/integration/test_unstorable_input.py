"""A null character or half of a surrogate pair, which no database can store, is refused; never a server error."""

import re

import pytest
from django import forms
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework import serializers

from governance.site.api.shapes import Input, read
from tests.edges import below
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db


def looked_up() -> list[tuple[type[Input], str]]:
    assert get_resolver().url_patterns  # every edge is imported now
    related = serializers.SlugRelatedField
    return [
        (kind, name)
        for kind in below(Input)
        for name, field in kind._declared_fields.items()
        if isinstance(field, related)
    ]


@pytest.mark.parametrize("text", ["some\0body", "some\ud800body"])
def test_no_input_of_the_api_asks_the_database_for_one(text: str) -> None:
    fields = looked_up()
    assert len(fields) >= 5
    for kind, name in fields:
        with pytest.raises(serializers.ValidationError) as refusal:
            read(kind, {name: text})
        assert refusal.value.detail[name] == ["The text contains a character that cannot be stored."], kind


def chosen() -> list[tuple[type[forms.BaseForm], str, forms.ModelChoiceField]]:
    assert get_resolver().url_patterns
    return [
        (kind, name, field)
        for kind in below(forms.BaseForm)
        for name, field in kind.base_fields.items()
        if isinstance(field, forms.ModelChoiceField)
    ]


def test_no_choice_of_a_page_asks_the_database_for_one() -> None:
    fields = chosen()
    assert len(fields) >= 4
    for _, _, field in fields:
        with pytest.raises(forms.ValidationError):
            field.clean("some\0body")


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> list[str]:
    """Every address with a text in it, with a null character in the place of each text."""
    found: list[str] = []
    for each in patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            found += addresses(each.url_patterns, route)
        elif "<str:" in route and not route.startswith("/admin"):
            text = re.sub(r"<str:\w+>", "a%00b", re.sub(r"<int:\w+>", "1", route))
            found.append(re.sub(r"<\w+:\w+>", "x", text))
    return found


def test_no_address_asks_the_database_for_one(cast: Cast) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(cast.approver)
    found = addresses(get_resolver().url_patterns)
    assert len(found) > 20
    tried = [(address, way(address).status_code) for address in found for way in (client.get, client.post)]
    assert [each for each in tried if each[1] >= 500] == []


@pytest.mark.parametrize("address", ["/budgets/?quarter=%00", "/budgets/?quarter=abc", "/budgets/?quarter=2026Q9"])
def test_a_quarter_that_is_none_is_refused(cast: Cast, address: str) -> None:
    client = Client()
    client.force_login(cast.finance)
    assert (client.get(address).status_code, client.post(address).status_code) == (400, 400)


@pytest.mark.parametrize(
    ("address", "media_type"), [("/requests/", "text/html"), ("/api/v1/requests/", "application/problem+json")]
)
@pytest.mark.parametrize("sql", ["SELECT %s", "SELECT 10::numeric(1)"])
def test_what_the_database_refuses_as_data_is_bad_input(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, address: str, media_type: str, sql: str
) -> None:
    def asks(*_: object, **__: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, ["\0"] if "%s" in sql else None)

    monkeypatch.setattr("reviews.workflow.web.lists.person_of", asks)
    monkeypatch.setattr("reviews.workflow.api.requests.asker", asks)
    client = Client()
    client.force_login(cast.approver)
    answer = client.get(address)
    assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (400, media_type)
    assert "cannot be stored" in answer.content.decode()


@pytest.mark.parametrize("address", ["/api/v1/spend/?month=9999-12-31", "/spend/?month=9999-12-31"])
def test_there_is_no_month_after_the_last(cast: Cast, address: str) -> None:
    client = Client()
    client.force_login(cast.finance)
    assert client.get(address).status_code in {200, 400}
