"""The gate from memory says what Django's own path says, of every standing, to every person; and not for longer."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, transaction
from django.utils import timezone
from pytest_django import Settings

from governance.audit.queries.keys import public_key
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.domain.scopes import TokenScope
from governance.people.models import ApiToken
from governance.rulebook.models import PolicyVersion
from governance.site.api import limits
from governance.site.domain import memory
from reviews.authorizations.models import Condition
from reviews.feed.api.gate import body_of
from reviews.feed.queries import memory as feed_memory
from reviews.feed.queries.gate import GateDecision
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, review
from reviews.workflow.actions.review import NewCondition
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.reviews.feed.doors import KEEPS_S, Doors, Reply
from weighbridge.client.feed.summaries import read_summary, summary_answer

DAY, OUTAGE_S = timedelta(days=1), 60.0
SMALL = {"training_gpu_hours": "10", "training_cost_usd": "300", "inference_cost_1y_usd": "600"}
TIMES = ("timeVerified", "weighbridge_expiresAt")
UNKNOWN = {"subject": f"sha256:{'0' * 64}", "env": "prod"}
Act = Callable[[], object]


@pytest.fixture
def doors(settings: Settings, monkeypatch: pytest.MonkeyPatch, db: None, now: datetime) -> Doors:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"GATE_KEEPS_S": KEEPS_S, "GATE_OUTAGE_S": OUTAGE_S}
    found = Doors(now=now)
    monkeypatch.setattr(memory.time, "monotonic", lambda: found.now_s)
    monkeypatch.setattr(timezone, "now", lambda: found.now)
    return found


def token_of(user: User, now: datetime, scope: TokenScope = TokenScope.GATE) -> str:
    return people.create_token(user=user, valid_days=365, scope=scope, by=None, now=now)


def question(request: ReviewRequest, **changes: str) -> dict[str, str]:
    return {"subject": request.model_version.digest, "env": request.environment} | changes


def told(reply: Reply) -> dict[str, Any]:
    """An answer without the times at which it was signed."""
    found = reply.document
    signed = json.loads(b64decode(found.pop("summary")["payload"]))
    for name in TIMES:
        del signed["predicate"][name]
    del found["as_of"]
    return found | {"signed": signed}


def shown(reply: Reply) -> dict[str, str]:
    return {name: value for name, value in reply.headers.items() if name not in {"X-Request-ID", "Content-Length"}}


def check_alike(doors: Doors, tokens: list[str], asked: list[dict[str, str]]) -> dict[str, int]:
    """Ask everything on both paths; how many of the answers of each kind came from memory."""
    doors.pass_span()
    questions = [(token, one) for token in tokens for one in asked]
    doors.read()
    for token, one in questions:
        doors.ask(token, one)  # the first question with a token goes the long way, and so does the first denial
    doors.read()
    from_memory = {"allow": 0, "deny": 0}
    for token, one in questions:
        before = doors.long_ways
        reply = doors.ask(token, one)
        from_memory[reply.document["answer"]] += doors.long_ways == before
        other = doors.ask_django(token, one)
        assert told(reply) == told(other)
        assert (reply.status, shown(reply)) == (other.status, shown(other))
        assert list(reply.document) == list(other.document)
        assert (int(reply.headers["Content-Length"]), len(reply.headers["X-Request-ID"])) == (len(reply.body), 32)
    return from_memory


def test_every_standing_is_told_alike_to_everybody(
    doors: Doors, policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    """Those who see all teams, the requester, the team, and another team, which learns the standing alone."""
    mate = User.objects.create_user("mate", "mate@example.org")
    people.grant_role(user=mate, role=Role.REQUESTER, team=cast.author.role_grants.get().team, by=None, now=now)
    tokens = [token_of(user, now) for user in (cast.auditor, cast.author, mate, cast.outsider)]
    ApiToken.objects.update(expires_at=None)
    cleared = walks.make_submitted(
        by=cast.author,
        now=now,
        environment="dev",
        declared=SMALL,
        version=make_version(by=cast.author, now=now, seed=1),
    )
    first = walks.make_in_review(cast=cast, now=now, version=make_version(by=cast.author, now=now, slug="b", seed=2))
    asked = [question(first), *(question(first, env=env) for env in ("staging", "dev")), question(cleared), UNKNOWN]
    condition = NewCondition(text="Watch it.", owner=cast.author, due_on=(now + DAY).date())
    later = datetime.combine((now + 2 * DAY).date(), datetime.min.time(), now.tzinfo)

    def vote() -> None:
        walks.approve_technically(request=first, cast=cast, now=now)
        review.vote(
            request=first,
            stage_id="gpu-budget",
            choice=VoteChoice.APPROVE,
            conditions=[condition],
            by=cast.approver,
            now=now,
        )

    def turn_clock(at: datetime) -> None:
        doors.now = at + timedelta(seconds=KEEPS_S)  # both paths have read the feed after that time

    def keep_promise() -> None:
        authorizations.confirm_condition(condition=Condition.objects.get(), by=cast.reviewer_one, now=later)

    def revoke() -> None:
        first.refresh_from_db()
        held = first.decision.authorization
        authorizations.revoke(authorization=held, reason="It leaks.", by=cast.approver, now=later)

    acts: list[tuple[Act, str]] = [
        (lambda: None, "under_review"),
        (vote, "conditional"),
        (lambda: turn_clock(later), "suspended"),  # the feed says conditional, until yesterday
        (lambda: authorizations.expire_due(now=later), "suspended"),
        (keep_promise, "authorized"),
        (revoke, "revoked"),
        (lambda: turn_clock(cleared.deadline_at), "revoked"),
    ]
    for act, standing in acts:
        act()
        found = check_alike(doors, tokens, asked)
        assert told(doors.ask(tokens[0], asked[0]))["standing"] == standing
        # A person of another team may own the model, which only the database knows: permissions go the long way.
        allowed = (standing in {"conditional", "authorized"}) + (doors.now < cleared.deadline_at)
        assert found == {"allow": 3 * allowed, "deny": 4 * (len(asked) - allowed)}


def test_a_rejected_and_an_expired_artifact_are_told_alike(doors: Doors, decided: ReviewRequest, cast: Cast) -> None:
    row, tokens = (
        decided.decision.authorization,
        [token_of(cast.auditor, doors.now), token_of(cast.outsider, doors.now)],
    )
    again = walks.make_ready(by=cast.author, now=doors.now, version=decided.model_version, environment="staging")
    again = review.request_review(request=again, by=cast.author, now=doors.now)
    review.vote(
        request=again,
        stage_id="technical",
        choice=VoteChoice.REJECT,
        rationale="Too slow.",
        by=cast.reviewer_one,
        now=doors.now,
    )
    ApiToken.objects.update(expires_at=None)
    for at, standing in ((doors.now, "authorized"), (row.expires_at + timedelta(seconds=KEEPS_S), "expired")):
        doors.now = at
        check_alike(doors, tokens, [question(decided), question(again)])
        assert told(doors.ask(tokens[0], question(decided)))["standing"] == standing
        assert told(doors.ask(tokens[0], question(again)))["standing"] == "rejected"


def test_a_number_that_names_another_authorization_later_gets_its_own_statement(now: datetime) -> None:
    """As after a backup was restored beneath a web process that goes on."""
    one = GateDecision("allow", "authorized", ("AUT-1.",), "AUT-1", "REQ-1", now, None, {}, now)
    bodies = [body_of(replace(one, statement=each)) for each in (statement("a"), statement("b"), None)]
    assert [json.loads(body)["statement"] for body in bodies] == [statement("a"), statement("b"), None]


def statement(signature: str) -> dict[str, Any]:
    return {"payload": signature, "signatures": [{"keyid": "one", "sig": signature}]}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"QUERY_STRING": "subject=sha256:12&env=prod"}, "400 Bad Request"),
        ({"QUERY_STRING": f"subject={UNKNOWN['subject']}&env=moon"}, "400 Bad Request"),
        ({"QUERY_STRING": f"subject={UNKNOWN['subject']}&env=prod&more=1"}, "400 Bad Request"),
        ({"QUERY_STRING": f"subject={UNKNOWN['subject']}"}, "400 Bad Request"),
        ({"QUERY_STRING": f"env=prod&subject={UNKNOWN['subject']}"}, "200 OK"),
        ({"HTTP_HOST": "elsewhere.example"}, "400 Bad Request"),
        ({"HTTP_ACCEPT": "text/html"}, "406 Not Acceptable"),
        ({"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json"}, "403 Forbidden"),
        ({"REQUEST_METHOD": "HEAD"}, "200 OK"),
        ({"HTTP_AUTHORIZATION": "Token wb_of_nobody_at_all_000000"}, "401 Unauthorized"),
        ({"HTTP_AUTHORIZATION": "Token"}, "401 Unauthorized"),
        ({"HTTP_COOKIE": "sessionid=1"}, "200 OK"),
        ({"CONTENT_LENGTH": str(10**12)}, "413 Request Entity Too Large"),
    ],
)
def test_what_is_asked_otherwise_goes_the_long_way(
    doors: Doors, cast: Cast, changes: dict[str, str], status: str
) -> None:
    token = token_of(cast.auditor, doors.now)
    doors.ask(token, UNKNOWN)
    doors.read()
    doors.ask(token, UNKNOWN)
    before = doors.long_ways
    assert doors.ask(token, UNKNOWN).status == "200 OK"
    assert doors.long_ways == before
    found, other = doors.ask(token, UNKNOWN, **changes), doors.ask_django(token, UNKNOWN, **changes)
    assert doors.long_ways == before + 1
    assert (found.status, shown(found)) == (other.status, shown(other))
    assert found.status == status


def test_calls_are_counted_together_and_refused_alike(
    doors: Doors, cast: Cast, decided: ReviewRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, asked = token_of(cast.auditor, doors.now), question(decided)
    monkeypatch.setattr(limits.ReadLimit, "THROTTLE_RATES", {"read": "4/min"})
    doors = Doors(now=doors.now, now_s=doors.now_s)
    limits.CALLS.clear()
    statuses = []
    for _ in range(6):
        statuses.append(doors.ask(token, asked).status[:3])
        doors.read()
    assert statuses == ["200", "200", "200", "200", "429", "429"]
    assert doors.long_ways == 3
    refusal, other = doors.ask(token, asked), doors.ask_django(token, asked)
    assert (refusal.document, refusal.headers["Retry-After"]) == (other.document, other.headers["Retry-After"])
    limits.CALLS.clear()


# how long memory may be used


@pytest.fixture
def allowed(doors: Doors, decided: ReviewRequest, cast: Cast) -> tuple[str, dict[str, str]]:
    """A token, and a question that is answered from memory."""
    token, asked = token_of(cast.auditor, doors.now), question(decided)
    for _ in range(2):
        assert doors.ask(token, asked).document["answer"] == "allow"
        doors.read()
    before = doors.long_ways
    assert doors.ask(token, asked).document["answer"] == "allow"
    assert doors.long_ways == before
    return token, asked


def revoke(request: ReviewRequest, cast: Cast, now: datetime) -> None:
    held = request.decision.authorization
    authorizations.revoke(authorization=held, reason="It leaks.", by=cast.approver, now=now)


def test_a_revocation_denies_after_the_time_for_which_things_are_kept(
    doors: Doors, allowed: tuple[str, dict[str, str]], decided: ReviewRequest, cast: Cast
) -> None:
    revoke(decided, cast, doors.now)
    doors.pass_span(KEEPS_S * 0.99)
    assert doors.ask(*allowed).document["answer"] == "allow"
    doors.pass_span(KEEPS_S * 0.02)  # nothing was read again
    assert doors.ask(*allowed).document["answer"] == "deny"
    doors.read()
    before = doors.long_ways
    assert doors.ask(*allowed).document["answer"] == "deny"
    assert doors.long_ways == before + 1  # the first denial under this feed reads its reasons
    found = told(doors.ask(*allowed))
    assert (found["answer"], found["standing"], doors.long_ways) == ("deny", "revoked", before + 1)
    doors.pass_span(feed_memory.REASONS_S * 1.01)
    assert told(doors.ask(*allowed)) == found
    assert doors.long_ways == before + 2


@pytest.mark.parametrize("end", ["token", "account", "role"])
def test_a_token_ends_with_the_next_reading(
    doors: Doors, allowed: tuple[str, dict[str, str]], cast: Cast, end: str
) -> None:
    if end == "token":
        call_command("revoke_tokens", "auditor", verbosity=0)
    elif end == "account":
        User.objects.filter(pk=cast.auditor.pk).update(is_active=False)
    else:
        cast.auditor.role_grants.all().delete()
    doors.read()
    reply = doors.ask(*allowed)
    if end != "role":
        doors.pass_span()
        assert doors.ask(*allowed).status == "401 Unauthorized"
        return
    doors.pass_span()
    doors.read()
    reply = doors.ask(*allowed)
    assert (reply.document["answer"], reply.document["request"]) == ("allow", "")
    assert not ApiToken.objects.filter(revoked_at__isnull=False).exists()


def test_the_use_of_a_token_is_noted_every_few_minutes(doors: Doors, allowed: tuple[str, dict[str, str]]) -> None:
    doors.pass_span(301)
    doors.now += timedelta(seconds=301)
    doors.read()
    before = doors.long_ways
    doors.ask(*allowed)
    assert (doors.long_ways, ApiToken.objects.get().last_used_at) == (before + 1, doors.now)


def test_a_feed_that_was_restored_is_read_anew(
    doors: Doors, allowed: tuple[str, dict[str, str]], decided: ReviewRequest, cast: Cast
) -> None:
    """After a backup was restored, the feed is as long as before, or shorter, and has another root."""
    with transaction.atomic():
        revoke(decided, cast, doors.now)
        doors.pass_span()
        doors.read()
        size = doors.short.memory.state.size
        assert doors.ask(*allowed).document["answer"] == "deny"
        transaction.set_rollback(True)
    decided.decision.authorization.refresh_from_db()
    doors.read()
    assert doors.short.memory.state.size == size - 1
    doors.pass_span()
    doors.read()
    before = doors.long_ways
    for _ in range(2):  # the statement is read anew, because its number may be that of another authorization now
        assert (doors.ask(*allowed).document["answer"], doors.long_ways) == ("allow", before + 1)
    authorizations.revoke(
        authorization=decided.decision.authorization, reason="Another.", by=cast.approver, now=doors.now
    )
    doors.short.memory.state = feed_memory.FeedState(size, f"sha256:{'0' * 64}", doors.now, doors.now_s)
    doors.read()
    assert doors.short.memory.find(asked := allowed[1]["subject"], "prod").entry.standing == "revoked", asked


# while the database is away


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch, doors: Doors) -> Act:
    """Takes the database away."""

    def fail(*_args: object, **_options: object) -> Any:
        raise OperationalError("away")

    def take() -> None:
        monkeypatch.setattr(feed_memory, "size_and_root", fail)
        doors.read()

    return take


def test_memory_answers_for_a_while_with_its_age_and_then_says_so(
    doors: Doors, allowed: tuple[str, dict[str, str]], away: Act
) -> None:
    token, asked = allowed
    read_at, before = doors.now, doors.long_ways
    away()
    for seconds in (KEEPS_S + 1, OUTAGE_S - KEEPS_S - 1):
        doors.pass_span(seconds)
        doors.now += timedelta(seconds=seconds)
        found = doors.ask(token, asked).document
        assert (found["answer"], found["as_of"]) == ("allow", f"{read_at:%Y-%m-%dT%H:%M:%S.%fZ}")
        assert found["statement"]
        summary = read_summary(found["summary"], keys=[public_key()])
        assert summary.head.issued_at == read_at
        assert summary_answer(summary, digest=asked["subject"], environment="prod", now=doors.now).is_allowed
    denial = doors.ask(token, UNKNOWN).document
    assert (denial["answer"], denial["standing"]) == ("deny", "unknown")
    assert denial["reasons"] == [
        "The feed has no entry for this artifact in prod.",
        f"The database does not answer, so this is the standing of {read_at:%Y-%m-%d %H:%M:%S} UTC.",
    ]
    doors.pass_span(1)
    refusal = doors.ask(token, asked)
    assert (refusal.status, refusal.document["code"]) == ("503 Service Unavailable", "unavailable")
    assert (refusal.headers["Content-Type"], refusal.headers["Retry-After"]) == ("application/problem+json", "30")
    assert refusal.document["detail"].startswith("The database does not answer, and the gate last read the feed at ")
    assert doors.long_ways == before


def test_what_ended_meanwhile_is_denied(
    doors: Doors, allowed: tuple[str, dict[str, str]], decided: ReviewRequest, away: Act
) -> None:
    token, asked = allowed
    ApiToken.objects.update(expires_at=None)
    doors.now = decided.decision.authorization.expires_at - timedelta(seconds=1)
    doors.pass_span()
    doors.read()
    away()
    doors.pass_span(KEEPS_S + 1)
    assert doors.ask(token, asked).document["answer"] == "allow"
    doors.now += timedelta(seconds=1)
    found = doors.ask(token, asked).document
    assert (found["answer"], found["standing"]) == ("deny", "expired")


def test_a_token_that_expires_meanwhile_is_not_used(
    doors: Doors, allowed: tuple[str, dict[str, str]], away: Act
) -> None:
    away()
    doors.pass_span(KEEPS_S + 1)
    before = doors.long_ways
    assert doors.ask(*allowed).document["answer"] == "allow"
    doors.now += timedelta(days=366)
    doors.ask(*allowed)
    assert doors.long_ways == before + 1


def test_a_token_that_nobody_confirmed_lately_is_not_used(
    doors: Doors, allowed: tuple[str, dict[str, str]], cast: Cast, away: Act
) -> None:
    fresh = token_of(cast.outsider, doors.now)
    doors.ask(fresh, allowed[1])
    away()
    doors.pass_span(KEEPS_S + 1)
    assert doors.ask(fresh, allowed[1]).status == "503 Service Unavailable"
