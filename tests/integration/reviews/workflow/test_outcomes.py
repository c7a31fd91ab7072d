"""What follows a decision over HTTP: packet, gate, revocation, conditions."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from governance.jobs import actions as jobs
from reviews.authorizations.models import Condition
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import review
from reviews.workflow.actions.review import NewCondition
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from weighbridge.client.feed.summaries import read_summary
from weighbridge.core import attestation

Api = Callable[[User | None], APIClient]
PDF = b"%PDF-1.7 a packet"
OTHER = "sha256:" + "0" * 64


def url(request: ReviewRequest, step: str) -> str:
    return f"/api/v1/requests/{request.ref}/{step}/"


def claim(request: ReviewRequest, now: datetime) -> Packet:
    packet = Packet.claim(pk=request.packets.get().pk, now=now, lease=timedelta(minutes=1))
    assert packet is not None
    return packet


def test_a_packet_is_read_while_it_is_drawn(api: Api, auditor: User, decided: ReviewRequest) -> None:
    said = api(auditor).get(url(decided, "packets")).json()
    packet = decided.packets.get()
    assert said.pop("document") == packet.document
    assert said == {
        "number": 1,
        "state": "queued",
        "is_ready": False,
        "pages": None,
        "error": "",
        "document_digest": packet.document_digest,
        "pdf_digest": "",
        "created_at": packet.created_at.isoformat().replace("+00:00", "Z"),
    }
    response = api(auditor).get(url(decided, "packets/pdf"))
    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/pdf"])
def test_a_drawn_packet_is_fetched(api: Api, author: User, decided: ReviewRequest, now: datetime, accept: str) -> None:
    packets.store_pdf(packet=claim(decided, now), pdf=PDF, pages=9, now=now)
    client = api(author)
    said = client.get(url(decided, "packets")).json()
    digest = "sha256:" + hashlib.sha256(PDF).hexdigest()
    assert (said["state"], said["is_ready"], said["pages"], said["pdf_digest"]) == ("done", True, 9, digest)
    response = client.get(url(decided, "packets/pdf"), HTTP_ACCEPT=accept)
    assert (response.status_code, response["Content-Type"], response["X-Content-Digest"]) == (
        200,
        "application/pdf",
        digest,
    )
    assert response["Content-Disposition"] == f'attachment; filename="{decided.ref}-packet-1.pdf"'
    assert b"".join(response.streaming_content) == PDF


def test_a_packet_that_failed_is_drawn_again(api: Api, author: User, decided: ReviewRequest, now: datetime) -> None:
    client = api(author)
    before = snapshot()
    response = client.post(url(decided, "packets/retry"), {}, format="json")
    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")
    assert snapshot() == before
    jobs.fail(row=claim(decided, now), reason="No fonts.", now=now)
    said = client.get(url(decided, "packets")).json()
    assert (said["state"], said["error"]) == ("failed", "No fonts.")
    assert client.post(url(decided, "packets/retry"), {}, format="json").json()["state"] == "queued"


def test_a_new_packet_says_what_stands_now(api: Api, author: User, submitted: ReviewRequest) -> None:
    client = api(author)
    assert client.get(url(submitted, "packets")).status_code == 404
    response = client.post(url(submitted, "packets"), {}, format="json")
    assert (response.status_code, response.json()["number"]) == (201, 1)
    assert client.post(url(submitted, "packets"), {}, format="json").json()["number"] == 2


@pytest.mark.parametrize(
    ("fixture", "person", "refusal"),
    [("draft", "author", (409, "wrong_state")), ("submitted", "reviewer_one", (403, "not_allowed"))],
)
def test_who_makes_no_packet(
    api: Api, cast: Cast, request: pytest.FixtureRequest, fixture: str, person: str, refusal: tuple[int, str]
) -> None:
    row = request.getfixturevalue(fixture)
    before = snapshot()
    response = api(getattr(cast, person)).post(url(row, "packets"), {}, format="json")
    assert (response.status_code, response.json()["code"]) == refusal
    assert snapshot() == before


def test_the_gate_allows_what_is_authorized(
    api: Api, reviewer_one: User, decided: ReviewRequest, signing_key_pem: str
) -> None:
    digest = decided.model_version.digest
    said = api(reviewer_one).get("/api/v1/gate/", {"subject": digest, "env": "prod"}).json()
    held = decided.decision.authorization
    statement, summary = said.pop("statement"), said.pop("summary")
    assert datetime.fromisoformat(said.pop("as_of")) <= timezone.now()
    assert said == {
        "answer": "allow",
        "standing": "authorized",
        "reasons": [f"{held.number} authorizes this artifact for prod until {held.expires_at:%Y-%m-%d}."],
        "authorization": held.number,
        "request": decided.ref,
        "expires_at": held.expires_at.isoformat().replace("+00:00", "Z"),
    }
    key = attestation.public_pem(signing_key_pem)
    assert attestation.verify(statement, public_key_pem=key)["predicate"]["authorization"] == held.number
    found = read_summary(summary, keys=[key])
    assert (found.digest, found.environment, found.is_passed) == (digest, "prod", True)


def test_the_gate_tells_a_stranger_the_standing_and_no_reference(
    api: Api, outsider: User, decided: ReviewRequest
) -> None:
    held = decided.decision.authorization
    said = api(outsider).get("/api/v1/gate/", {"subject": decided.model_version.digest, "env": "prod"}).json()
    assert set(said.pop("summary")) == {"payloadType", "payload", "signatures"}
    assert datetime.fromisoformat(said.pop("as_of")) <= timezone.now()
    assert said == {
        "answer": "allow",
        "standing": "authorized",
        "reasons": ["A request of another team is decisive: this artifact is authorized."],
        "authorization": "",
        "request": "",
        "expires_at": held.expires_at.isoformat().replace("+00:00", "Z"),
        "statement": None,
    }


@pytest.mark.parametrize(("subject", "env"), [(OTHER, "prod"), (None, "staging")])
def test_the_gate_denies_everything_else(
    api: Api, outsider: User, decided: ReviewRequest, subject: str | None, env: str
) -> None:
    query = {"subject": subject or decided.model_version.digest, "env": env}
    said = api(outsider).get("/api/v1/gate/", query).json()
    assert (said["answer"], said["authorization"], said["expires_at"], said["statement"]) == ("deny", "", None, None)
    assert said["reasons"]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"subject": "sha256:XYZ", "env": "prod"}, ["subject"]),
        ({"subject": OTHER, "env": "production"}, ["env"]),
        ({"subject": OTHER, "environment": "prod"}, ["environment"]),
        ({}, ["subject", "env"]),
    ],
)
def test_the_gate_does_not_guess(
    api: Api, outsider: User, query: dict[str, str], fields: list[str], settings: Settings
) -> None:
    response = api(outsider).get("/api/v1/gate/", query)
    assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (400, fields)
    assert "answer" not in response.json()


def test_a_revoked_authorization_opens_no_gate(api: Api, cast: Cast, decided: ReviewRequest) -> None:
    before = snapshot()
    assert (
        api(cast.author).post(url(decided, "authorization/revoke"), {"reason": "Drift."}, format="json").status_code
        == 403
    )
    assert api(cast.approver).post(url(decided, "authorization/revoke"), {}, format="json").status_code == 400
    assert snapshot() == before
    client = api(cast.approver)
    said = client.post(url(decided, "authorization/revoke"), {"reason": "Drift."}, format="json").json()
    assert said["authorization"]["state"] == "revoked"
    query = {"subject": decided.model_version.digest, "env": "prod"}
    assert client.get("/api/v1/gate/", query).json()["answer"] == "deny"
    assert client.post(url(decided, "authorization/revoke"), {"reason": "Drift."}, format="json").status_code == 409


def test_what_was_never_authorized_is_not_revoked(api: Api, approver: User, submitted: ReviewRequest) -> None:
    response = api(approver).post(url(submitted, "authorization/revoke"), {"reason": "Drift."}, format="json")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_condition_is_confirmed_by_somebody_without_a_stake(
    api: Api, cast: Cast, in_review: ReviewRequest, now: datetime
) -> None:
    promise = NewCondition(text="Measure INT8.", owner=cast.author, due_on=now.date() + timedelta(days=9))
    votes: tuple[tuple[User, str, Any], ...] = (
        (cast.reviewer_one, "technical", ()),
        (cast.reviewer_two, "technical", ()),
        (cast.approver, "gpu-budget", (promise,)),
    )
    for voter, stage, conditions in votes:
        review.vote(
            request=in_review, stage_id=stage, choice=VoteChoice.APPROVE, conditions=conditions, by=voter, now=now
        )
    condition = Condition.objects.get()
    step = f"conditions/{condition.pk}/confirm"
    before = snapshot()
    assert api(cast.author).post(url(in_review, step), {}, format="json").status_code == 403
    assert (
        api(cast.reviewer_one).post(url(in_review, "conditions/999999/confirm"), {}, format="json").status_code == 404
    )
    assert snapshot() == before
    said = api(cast.reviewer_one).post(url(in_review, step), {}, format="json").json()
    (met,) = said["authorization"]["conditions"]
    assert (met["id"], met["met_by"], met["is_overdue"]) == (condition.pk, "Reviewer One", False)
    assert api(cast.reviewer_one).post(url(in_review, step), {}, format="json").status_code == 409
