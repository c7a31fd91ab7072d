"""Limits of the API for each person: 429 with a sentence and a time, and nothing moved."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from config import env
from governance.people.actions import people
from governance.site.api.limits import CALLS, CallLimit, ReadLimit, WriteLimit
from tests.standstill import everything

Api = Callable[[User | None], APIClient]


@pytest.fixture(autouse=True)
def rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writes and three reads in a minute."""
    monkeypatch.setattr(CallLimit, "THROTTLE_RATES", {"write": "2/min", "read": "3/min"})
    CALLS.clear()


def write(client: APIClient, **headers: str) -> int:
    return int(client.post("/api/v1/requests/", {}, format="json", headers=headers).status_code)


def test_a_person_who_writes_too_much_is_told_when_to_go_on(api: Api, author: User) -> None:
    client = api(author)
    assert [write(client) for _ in range(2)] == [400, 400]
    before = everything()
    answer = client.post("/api/v1/requests/", {}, format="json")
    assert (answer.status_code, answer["Content-Type"]) == (429, "application/problem+json")
    wait_s = int(answer["Retry-After"])
    assert 1 <= wait_s <= 60
    assert answer.json()["code"] == "throttled"
    assert answer.json()["detail"] == (
        f"You sent too many calls within a minute. This one changed nothing; send it again in {wait_s} seconds."
    )
    assert everything() == before


def test_all_tokens_of_a_person_count_together_and_others_do_not(
    api: Api, author: User, outsider: User, now: datetime
) -> None:
    first, second, other = api(author), api(author), api(outsider)
    assert people.create_token(user=author, valid_days=1, by=None, now=now)
    assert [write(first), write(second), write(first), write(second)] == [400, 400, 429, 429]
    assert write(other) == 400


def test_reads_have_a_limit_of_their_own(api: Api, author: User) -> None:
    client = api(author)
    assert [write(client) for _ in range(3)] == [400, 400, 429]
    gate = "/api/v1/gate/?digest=sha256:" + "a" * 64
    statuses = [client.get(path).status_code for path in ("/api/v1/requests/", gate, "/api/v1/requests/", gate)]
    assert 429 not in statuses[:3]
    assert statuses[3] == 429


def test_strangers_are_refused_before_they_are_counted(api: Api, db: None) -> None:
    assert [api(None).get("/api/v1/requests/").status_code for _ in range(5)] == [401] * 5


def test_a_repeated_call_is_not_refused_for_ever(api: Api, author: User) -> None:
    client = api(author)
    assert [write(client) for _ in range(2)] == [400, 400]
    headers = {"Idempotency-Key": "k"}
    assert write(client, **headers) == 429
    CALLS.clear()
    assert write(client, **headers) == 400


def test_without_a_person_nothing_is_counted(db: None) -> None:
    request = type("Request", (), {"method": "GET", "user": None})()
    assert ReadLimit().get_cache_key(request, None) is None
    assert WriteLimit().get_cache_key(request, None) is None


def test_the_shipped_limits() -> None:
    assert (env.number("WEIGHBRIDGE_API_WRITES"), env.number("WEIGHBRIDGE_API_READS")) == (120, 3000)
