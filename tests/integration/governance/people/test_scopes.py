"""A token opens what its scope names, through every door, replays included."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from rest_framework.test import APIClient

from governance.people.actions import people
from governance.people.domain.scopes import TokenScope
from governance.people.models import ApiToken
from tests.factories.snapshots import snapshot

ALLOCATION = {"team": "search", "quarter": "2026Q4", "unit": "USD", "amount": "10.00"}
GATE = "/api/v1/gate/?subject=sha256:" + "a" * 64 + "&env=prod"
URL = "/api/v1/budgets/"


def client_of(user: User, scope: TokenScope, now: datetime) -> APIClient:
    client = APIClient()
    token = people.create_token(user=user, valid_days=1, scope=scope, by=None, now=now)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


@pytest.mark.parametrize(
    ("scope", "gate", "look", "work"),
    [(TokenScope.READ, 200, 200, 403), (TokenScope.WRITE, 200, 200, 201), (TokenScope.GATE, 200, 403, 403)],
)
def test_what_each_scope_opens(
    finance: User, now: datetime, scope: TokenScope, gate: int, look: int, work: int
) -> None:
    client = client_of(finance, scope, now)
    assert client.get(GATE).status_code == gate
    assert client.get("/api/v1/keys/").status_code == 200
    assert client.get(URL).status_code == look
    client.get(URL)
    before = snapshot()
    response = client.post(URL, ALLOCATION, format="json")
    assert response.status_code == work
    if work == 403:
        assert (response.json()["code"], response["Content-Type"]) == ("scope", "application/problem+json")
        assert "Use a token with --scope write" in response.json()["detail"]
        assert snapshot() == before


def test_an_answer_is_not_replayed_to_a_token_that_may_not_ask(finance: User, now: datetime) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "k"}
    assert client_of(finance, TokenScope.WRITE, now).post(URL, ALLOCATION, format="json", **key).status_code == 201
    response = client_of(finance, TokenScope.READ, now).post(URL, ALLOCATION, format="json", **key)
    assert (response.status_code, response.json()["code"]) == (403, "scope")


def test_an_address_that_is_not_there_is_no_way_around(finance: User, now: datetime) -> None:
    assert client_of(finance, TokenScope.GATE, now).get("/api/v1/nothing/").status_code == 404


def test_the_database_knows_the_scopes(finance: User, now: datetime) -> None:
    client_of(finance, TokenScope.READ, now)
    with pytest.raises(IntegrityError, match="known_scope"):
        ApiToken.objects.update(scope="root")
