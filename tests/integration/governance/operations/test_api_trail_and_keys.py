"""`audit/` and `keys/`."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from weighbridge.core import attestation

Api = Callable[[User | None], APIClient]


@pytest.mark.parametrize("person", ["admin", "auditor"])
def test_the_trail_is_read_from_its_end(api: Api, cast: Any, person: str) -> None:
    client = api(getattr(cast, person))
    said = client.get("/api/v1/audit/", {"q": "outsider"}).json()
    assert said["count"] == 1
    event = AuditEvent.objects.get(kind="role.granted", subject="outsider")
    assert said["results"] == [
        {
            "position": event.position,
            "kind": "role.granted",
            "at": event.at.isoformat().replace("+00:00", "Z"),
            "actor_id": "",
            "actor": "system",
            "source": "job",
            "subject_type": "person",
            "subject": "outsider",
            "details": {"role": "requester", "team": "ads"},
            "reason": "By an operator on the server, without a second person.",
            "request_id": "",
            "previous_hash": event.previous_hash,
            "hash": event.hash,
        }
    ]
    positions = [row["position"] for row in client.get("/api/v1/audit/").json()["results"]]
    assert positions == sorted(positions, reverse=True)
    assert client.get("/api/v1/audit/", {"subject_type": "team", "kind": "team."}).json()["count"] == 2


@pytest.mark.parametrize("person", ["author", "reviewer_one", "approver", "finance", "outsider"])
def test_nobody_else_reads_it(api: Api, cast: Any, person: str) -> None:
    response = api(getattr(cast, person)).get("/api/v1/audit/")
    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
    assert "results" not in response.json()


def test_the_trail_asks_the_database_three_times(
    api: Api, auditor: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = api(auditor)
    client.get("/api/v1/audit/")
    with django_assert_num_queries(4):
        assert client.get("/api/v1/audit/").json()["count"] > 3


def test_everybody_may_have_the_public_key(api: Api, outsider: User, signing_key_pem: str) -> None:
    assert api(outsider).get("/api/v1/keys/").json() == {
        "algorithm": "Ed25519",
        "public_key_pem": attestation.public_pem(signing_key_pem),
    }
    assert api(None).get("/api/v1/keys/").status_code == 401
