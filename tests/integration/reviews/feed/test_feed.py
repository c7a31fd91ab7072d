"""Every act that moves a standing leaves an entry; entries form a tree that never changes; every gate may read it."""

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.utils import Error
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.audit.queries.keys import public_key
from governance.people.actions import people
from governance.people.domain.scopes import TokenScope
from governance.rulebook.models import PolicyVersion
from reviews.authorizations.models import Authorization, Condition
from reviews.feed.actions import publish
from reviews.feed.models import FeedEntry
from reviews.feed.queries import entries, heads
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, requests, review
from reviews.workflow.actions.review import NewCondition
from reviews.workflow.tasks import expire_due
from tests.factories import requests as walks
from tests.factories.people import Cast
from weighbridge.client.feed import merkle
from weighbridge.client.feed.document import read_feed, verified_feed
from weighbridge.client.feed.heads import read_head

DAY = timedelta(days=1)
SMALL = {"training_gpu_hours": "10", "training_cost_usd": "300", "inference_cost_1y_usd": "600"}


def standings() -> list[tuple[str, datetime | None]]:
    return list(FeedEntry.objects.values_list("standing", "allowed_until"))


def votes(request: ReviewRequest, cast: Cast, now: datetime, *conditions: NewCondition) -> None:
    for voter in (cast.reviewer_one, cast.reviewer_two):
        review.vote(request=request, stage_id="technical", choice=VoteChoice.APPROVE, by=voter, now=now)
    assert standings()[-1][0] == "under_review"
    review.vote(
        request=request,
        stage_id="gpu-budget",
        choice=VoteChoice.APPROVE,
        conditions=conditions,
        by=cast.approver,
        now=now,
    )


def test_a_draft_is_no_news_and_a_submission_is(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    draft = walks.make_draft(by=cast.author, now=now)
    assert standings() == []
    requests.submit(request=draft, by=cast.author, now=now)
    row = FeedEntry.objects.get()
    assert entries.published(row).allowed_until is None
    assert (row.position, row.digest, row.environment) == (1, draft.model_version.digest, "prod")
    assert (row.standing, row.allowed_until, row.at, row.request, row.reason) == ("under_review", None, now, None, "")
    event = AuditEvent.objects.get(kind="standing.published")
    assert (event.subject, event.details["position"], event.details["root"]) == (row.digest, 1, row.root)


def test_a_clearance_is_published_with_its_end_and_ends_by_time(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    request = walks.make_submitted(by=cast.author, now=now, environment="dev", declared=SMALL)
    end = now + 365 * DAY
    assert standings() == [("cleared", end)]
    expire_due(end)
    assert standings() == [("cleared", end), ("unknown", None)]
    request.refresh_from_db()
    assert request.state == "expired"


def test_the_life_of_an_authorization_is_published(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    due = (now + DAY).date()
    votes(in_review, cast, now, NewCondition(text="Watch it.", owner=cast.author, due_on=due))
    row = Authorization.objects.get()
    overdue_at = datetime.combine(due + DAY, datetime.min.time(), now.tzinfo)
    assert standings()[-1] == ("conditional", overdue_at)
    later = overdue_at
    authorizations.expire_due(now=later)
    assert standings()[-1] == ("suspended", None)
    authorizations.confirm_condition(condition=Condition.objects.get(), by=cast.reviewer_one, now=later)
    assert standings()[-1] == ("authorized", row.expires_at)
    authorizations.add_condition(
        authorization=row, text="More.", owner=cast.author, due_on=later.date(), by=cast.approver, now=later
    )
    assert standings()[-1] == ("conditional", later + DAY)
    condition = Condition.objects.get(text="More.")
    authorizations.lift_condition(condition=condition, reason="Not needed now.", by=cast.approver, now=later)
    assert standings()[-1] == ("authorized", row.expires_at)
    authorizations.expire_due(now=row.warn_at)
    assert len(standings()) == 6
    authorizations.revoke(authorization=row, reason="It leaks.", by=cast.approver, now=later)
    assert [name for name, _ in standings()] == [
        "under_review",
        "conditional",
        "suspended",
        "authorized",
        "conditional",
        "authorized",
        "revoked",
    ]
    assert [row.position for row in FeedEntry.objects.all()] == list(range(1, 8))


def test_an_authorization_that_ends_and_a_newer_one_are_published(
    decided: ReviewRequest, cast: Cast, now: datetime
) -> None:
    row = decided.decision.authorization
    walks.allocate_budget(team=decided.team, by=cast.finance, now=now + DAY)  # which may be in another quarter
    again = walks.make_ready(by=cast.author, now=now + DAY, version=decided.model_version, purpose="Another")
    again = review.request_review(request=again, by=cast.author, now=now + DAY)
    assert standings()[-1] == ("authorized", row.expires_at)
    walks.approve(request=again, cast=cast, now=now + DAY)
    newer = Authorization.objects.get(decision__request=again)
    assert standings()[-1] == ("authorized", newer.expires_at)
    authorizations.expire_due(now=newer.expires_at)
    assert standings()[-1] == ("expired", None)


def test_a_rejection_and_a_withdrawal_are_published(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    other = walks.make_submitted(by=cast.author, now=now, environment="staging", purpose="Another")
    assert standings() == [("under_review", None)] * 2
    requests.withdraw(request=other, reason="Nobody likes it.", by=cast.author, now=now)
    review.vote(
        request=in_review,
        stage_id="technical",
        choice=VoteChoice.REJECT,
        rationale="Too slow.",
        by=cast.reviewer_one,
        now=now,
    )
    found = list(FeedEntry.objects.values_list("environment", "standing"))
    assert found[2:] == [("staging", "review_lost"), ("prod", "rejected")]


def test_what_changes_no_standing_is_not_published(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    before, events = standings(), AuditEvent.objects.count()
    question = {"digest": decided.model_version.digest, "environment": "prod"}
    assert publish(**question, by=cast.author, now=now) is None
    assert (standings(), AuditEvent.objects.count()) == (before, events)
    assert publish(digest="sha256:" + "0" * 64, environment="prod", by=cast.author, now=now) is None


@pytest.mark.parametrize(
    ("word", "statement"),
    [
        ("UPDATE", "UPDATE feed_feedentry SET standing = 'revoked'"),
        ("DELETE", "DELETE FROM feed_feedentry"),
        ("TRUNCATE", "TRUNCATE feed_feedentry"),
    ],
)
def test_the_database_refuses_to_change_an_entry(decided: ReviewRequest, word: str, statement: str) -> None:
    before = [entries.published(row) for row in FeedEntry.objects.all()]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL weighbridge.maintenance = 'off'")
        with pytest.raises(Error, match=f"append-only: {word} is refused"), transaction.atomic():
            cursor.execute(statement)
    assert [entries.published(row) for row in FeedEntry.objects.all()] == before


@pytest.mark.parametrize(
    "fields",
    [
        {"standing": "authorized"},
        {"standing": "revoked", "allowed_until": "2030-01-01T00:00:00Z"},
        {"standing": "fine"},
        {"position": 1},
    ],
)
def test_the_database_refuses_an_entry_that_makes_no_sense(
    decided: ReviewRequest, now: datetime, fields: dict[str, object]
) -> None:
    given = {"position": 99, "digest": "sha256:" + "0" * 64, "environment": "prod", "standing": "revoked", "at": now}
    count = FeedEntry.objects.count()
    with pytest.raises(IntegrityError), transaction.atomic():
        FeedEntry.objects.create(**(given | {"nodes": b"", "root": ""} | fields))
    assert FeedEntry.objects.count() == count


@pytest.fixture
def gate(decided: ReviewRequest, cast: Cast, now: datetime) -> APIClient:
    """A program with a token of scope gate, and a feed of many entries."""
    for number in range(9):
        walks.make_submitted(
            by=cast.author, now=now, environment=("dev", "staging")[number % 2], purpose=f"P{number}", with_data=False
        )
    client = APIClient()
    token = people.create_token(user=cast.outsider, valid_days=1, scope=TokenScope.GATE, by=None, now=now)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_a_gate_reads_the_whole_feed_and_verifies_it(gate: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "PAGE", 2)
    known = gate.get("/api/v1/feed/head/").json()["head"]
    rows = []
    while page := gate.get("/api/v1/feed/", {"after": len(rows)}).json()["entries"]:
        rows += page
    assert len(rows) == FeedEntry.objects.count() >= 4
    assert set(rows[0]) == {"position", "digest", "environment", "standing", "allowed_until", "at"}
    published = [entries.published(row) for row in FeedEntry.objects.all()]
    assert rows == [asdict(each) for each in published]
    feed = verified_feed(known, published, keys=[public_key()])
    assert feed.head.root == FeedEntry.objects.last().root
    assert "search" not in str(rows)


def test_the_server_proves_growth_and_every_entry(gate: APIClient) -> None:
    leaves = [entries.published(row).leaf for row in FeedEntry.objects.all()]
    roots = [bytes.fromhex(row.root.removeprefix("sha256:")) for row in FeedEntry.objects.all()]
    assert roots == [merkle.root_of(leaves[: size + 1]) for size in range(len(leaves))]
    for known in range(1, len(leaves) + 1):
        answer = gate.get("/api/v1/feed/head/", {"known": known}).json()
        head = read_head(answer["head"], keys=[public_key()])
        proof = [bytes.fromhex(each) for each in answer["consistency"]]
        assert merkle.is_consistent(known, roots[known - 1], head.size, head.root_hash, proof=proof)
        answer = gate.get(f"/api/v1/feed/entries/{known}/").json()
        proof = [bytes.fromhex(each) for each in answer["inclusion"]]
        assert merkle.is_included(leaves[known - 1], known - 1, head.size, proof=proof, root=head.root_hash)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/feed/?after=-1", 400),
        ("/api/v1/feed/?after=x", 400),
        ("/api/v1/feed/?after=99999999999999999999", 400),
        ("/api/v1/feed/?before=1", 400),
        ("/api/v1/feed/head/?known=999", 400),
        ("/api/v1/feed/entries/999/", 404),
        ("/api/v1/feed/entries/0/", 404),
        ("/api/v1/feed/entries/99999999999999999999999/", 404),
    ],
)
def test_a_wrong_question_is_refused(gate: APIClient, path: str, status: int) -> None:
    assert gate.get(path).status_code == status


def test_nobody_reads_it_without_a_token(db: None) -> None:
    for path in ("feed/", "feed/head/", "feed/entries/1/"):
        assert APIClient().get(f"/api/v1/{path}").status_code == 401


def test_an_empty_feed_has_a_head(cast: Cast, now: datetime, settings: Any) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"FEED_HEAD_S": 60}
    head = heads.head_at(now)
    assert (head.size, head.root, head.expires_at) == (0, entries.EMPTY_ROOT, now + timedelta(minutes=1))
    assert heads.answer_head(now).expires_at == now + timedelta(minutes=1)
    assert heads.consistency(known=0, size=0) == []


def test_the_feed_is_written_for_mirrors(decided: ReviewRequest, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "feed.json"
    call_command("write_feed", str(path))
    feed = read_feed(path, keys=[public_key()])
    assert [each.standing for each in feed.entries] == ["under_review", "authorized"]
    assert capsys.readouterr().out.startswith(f"2 entries, root {feed.head.root}, valid until ")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("write_feed", str(tmp_path / "none" / "feed.json"))


def test_a_feed_that_was_changed_in_the_database_is_not_written(decided: ReviewRequest, tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE feed_feedentry DISABLE TRIGGER append_only")
        cursor.execute("UPDATE feed_feedentry SET standing = 'expired' WHERE position = 1")
    with pytest.raises(CommandError, match="do not match its signed head"):
        call_command("write_feed", str(tmp_path / "feed.json"))
    assert list(tmp_path.glob("feed.json")) == []
