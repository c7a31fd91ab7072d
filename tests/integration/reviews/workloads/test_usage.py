"""Usage reports: stored by day, compared with the limits of authorizations, and denied if the policy wants it."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.budgets.domain.quarters import next_month
from governance.findings.models import Finding
from governance.jobs.models import OutboxMessage
from governance.jobs.ticks import request_regular_jobs
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.people.queries.people import person_of
from governance.rulebook.actions import documents as rulebook
from reviews.authorizations.models import Authorization
from reviews.feed.models import FeedEntry
from reviews.feed.queries import gate
from reviews.requests.models import ReviewRequest
from reviews.workloads.actions import usage as actions
from reviews.workloads.models import UsageGateway, UsageRecord
from reviews.workloads.queries.usage import month_of, used_in, views
from reviews.workloads.tasks import compare_usage
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.people import Cast, make_person
from tests.integration.reviews.workflow.test_kinds import STORIES, decided, filed, supply
from tests.integration.reviews.workloads.usage_reports import MODEL, line, store
from tests.mass_history import renewed
from tests.masses import asked
from tests.pages import html_of
from tests.standstill import refused
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

pytestmark = pytest.mark.django_db
NAME = "a language model behind an API"


@pytest.fixture
def managed(cast: Cast, now: datetime) -> ReviewRequest:
    """An authorized managed model with limits of 10,000 tokens and 1 USD a month."""
    kinds.publish_shipped(now=now)
    story = STORIES[NAME]
    request = filed(story, cast, now)
    for name, value in {"tokens_per_month": "10000", "usd_per_month": "1"}.items():
        walks.state_metric_value(request=request, name=name, value=value, by=cast.author, now=now)
    supply(story, request, cast, now)
    decided(story, request, cast, now)
    return request


def denying(version, now: datetime) -> None:
    document = yaml.safe_load(version.source)
    document["monitoring"] = {"deny_above_limit": True}
    draft = rulebook.draft_policy(source=yaml.safe_dump(document, sort_keys=False), by=None, now=now)
    rulebook.publish(version=draft, by=None, now=now)


def test_an_authorization_carries_the_limits_that_were_approved(managed: ReviewRequest) -> None:
    row = Authorization.objects.get()
    assert (row.tokens_per_month, row.usd_per_month, row.denied_until) == (10_000, Decimal(1), None)
    statement = json.loads(base64.b64decode(row.envelope["payload"]))
    conditions = statement["predicate"]["conditions"]
    assert conditions == ["at most 10,000 tokens in a calendar month", "at most 1.00 USD in a calendar month"]


def test_the_page_of_the_request_and_the_api_show_the_limits(
    cast: Cast, managed: ReviewRequest, api: Callable[..., APIClient], as_: Callable[[User], Client]
) -> None:
    page = html_of(as_(cast.author).get(f"/requests/{managed.ref}/"))
    words = "at most 10,000 tokens in a calendar month, at most 1.00 USD in a calendar month;"
    assert f'{words} <a href="/usage/">used so far</a>' in page
    told = api(cast.author).get(f"/api/v1/requests/{managed.ref}/").json()["authorization"]
    assert (told["tokens_per_month"], told["usd_per_month"]) == (10_000, "1")


def test_findings_at_eighty_and_hundred_percent_and_denied_until_the_month_ends(
    cast: Cast, managed: ReviewRequest, now: datetime
) -> None:
    row, today = Authorization.objects.get(), now.date()
    person, digest = person_of(cast.auditor), managed.model_version.digest

    def answer(at: datetime) -> str:
        return gate.decide(digest=digest, environment="prod", person=person, now=at).answer

    store(line(today, input_tokens=7000, output_tokens=999), by=cast.author, now=now)
    assert actions.compare_usage(now=now) == []
    store(line(today, input_tokens=7000, output_tokens=2996), by=cast.author, now=now)
    (finding,) = actions.compare_usage(now=now)
    assert finding.key == f"usage.limit:{row.number}:{today:%Y-%m}:tokens:80"
    assert (finding.severity, finding.owner) == ("medium", cast.author)
    assert "used 9,996 tokens" in finding.text
    assert "99.96 % of the 10,000 tokens" in finding.text
    assert actions.compare_usage(now=now) == []
    store(line(today, input_tokens=9000, output_tokens=1001, usd="0.9"), by=cast.author, now=now)
    keys = {each.key.partition(f"{today:%Y-%m}:")[2] for each in actions.compare_usage(now=now)}
    assert keys == {"tokens:100", "USD:80"}
    # The policy only informs.
    assert answer(now) == "allow"
    denying(managed.policy, now)
    assert actions.compare_usage(now=now) == []
    end = datetime.combine(next_month(today), time(), UTC)
    row.refresh_from_db()
    assert row.denied_until == end
    entry = FeedEntry.objects.filter(digest=digest).latest("position")
    assert (entry.standing, entry.allowed_until) == ("suspended", None)
    assert answer(now) == "deny"
    assert "above its limit of the month" in " ".join(
        gate.decide(digest=digest, environment="prod", person=person, now=now).reasons
    )
    # Corrected usage within the limit allows it again, and so does the next month.
    store(line(today, input_tokens=100, output_tokens=1), by=cast.author, now=now)
    actions.compare_usage(now=now)
    assert answer(now) == "allow"
    store(line(today, input_tokens=20_000, output_tokens=1), by=cast.author, now=now)
    actions.compare_usage(now=now)
    assert answer(now) == "deny"
    actions.compare_usage(now=end)
    row.refresh_from_db()
    assert (row.denied_until, answer(end)) == (None, "allow")
    kinds_seen = set(AuditEvent.objects.filter(kind__startswith="authorization.").values_list("kind", flat=True))
    assert {"authorization.denied", "authorization.allowed_again"} <= kinds_seen


def test_a_report_that_comes_while_a_comparison_runs_counts(
    cast: Cast, managed: ReviewRequest, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Comparisons run beside each other: the one that read earlier must not overwrite what the later one wrote."""
    row, today, raised = Authorization.objects.get(), now.date(), actions._raise
    denying(managed.policy, now)
    store(line(today, input_tokens=20_000, output_tokens=1), by=cast.author, now=now)

    def correct(*given: object) -> None:
        monkeypatch.setattr(actions, "_raise", raised)
        store(line(today, input_tokens=100, output_tokens=1), by=cast.author, now=now)
        actions.compare_usage(now=now)

    monkeypatch.setattr(actions, "_raise", correct)
    actions.compare_usage(now=now)
    row.refresh_from_db()
    assert row.denied_until is None
    assert not AuditEvent.objects.filter(kind="authorization.denied").exists()


def test_usage_that_was_taken_back_while_a_comparison_runs_changes_nothing(
    cast: Cast, managed: ReviewRequest, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    denying(managed.policy, now)
    store(line(now.date(), input_tokens=20_000, output_tokens=1), by=cast.author, now=now)
    monkeypatch.setattr(actions, "_raise", lambda *given: UsageRecord.objects.all().delete() and None)
    actions.compare_usage(now=now)
    assert Authorization.objects.get().denied_until is None


def test_a_denial_of_the_new_month_is_not_taken_back_with_that_of_the_last(
    cast: Cast, managed: ReviewRequest, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another comparison denies the authorization after this one found it among those to be allowed again."""
    later, decided = now + timedelta(days=20), []
    Authorization.objects.update(denied_until=now)

    def deny(authorization: Authorization, decide: Callable[[Authorization], datetime | None], *_: object) -> None:
        for until in (later, now, None):
            authorization.denied_until = until
            decided.append(decide(authorization))

    monkeypatch.setattr(actions, "_deny", deny)
    actions.compare_usage(now=now)
    assert decided == [later, None, None]


def test_a_later_report_replaces_the_same_days_and_keeps_the_others(cast: Cast, now: datetime) -> None:
    today, before = now.date(), now.date() - timedelta(days=1)
    store(line(today), line(before), line(before, model="openai/other"), by=cast.author, now=now)
    row = store(line(before, requests=99, usd=None), by=cast.author, now=now)
    kept = {(record.day, record.model): (record.requests, record.usd) for record in row.records.all()}
    assert kept == {(today, MODEL): (10, Decimal("0.01")), (before, MODEL): (99, None)}
    event = AuditEvent.objects.filter(kind="usage.reported").latest("position")
    assert (event.subject, event.details["lines"], event.details["replaced"]) == ("litellm-eu", 1, 2)
    assert OutboxMessage.objects.filter(kind=actions.COMPARE).exists()


def test_what_cannot_be_stored_changes_nothing(cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    store(by=cast.author, now=now)
    other = make_person("other", Role.REQUESTER, team=Team.objects.get(slug="search"), now=now)
    with refused(NotAllowed, match="Another account reports"):
        store(by=other, now=now)
    with refused(NotAllowed):
        store(by=cast.auditor, now=now)
    with refused(Invalid, field="environment"):
        store(by=cast.author, now=now, environment="moon")
    with refused(Invalid, code="clock"):
        store(line((now + timedelta(days=3)).date()), by=cast.author, now=now)
    monkeypatch.setattr(actions, "GATEWAYS_MAX", 1)
    with refused(WrongState, code="too_many"):
        store(by=cast.author, now=now, gateway="second")
    assert store(by=cast.approver, now=now).reporter == cast.author


def test_who_sees_what_and_what_nobody_authorized(cast: Cast, managed: ReviewRequest, now: datetime, api) -> None:
    today = now.date()
    store(
        line(today),
        line(today, model=None, digest=managed.model_version.digest, usd=None),
        line(today, model="openai/unknown"),
        by=cast.author,
        now=now,
    )
    month = month_of(today)
    rows = views(month=month, person=person_of(cast.approver))
    assert [(row.authorization, row.input_tokens, row.usd, row.percent) for row in rows] == [
        (Authorization.objects.get().number, 1500, None, Decimal(20)),
        ("", 750, Decimal("0.01"), None),
    ]
    assert len(views(month=month, person=person_of(cast.author))) == 1
    assert views(month=month, person=person_of(cast.outsider)) == []
    answer = api(cast.author).get("/api/v1/usage/", {"month": today.isoformat()}).json()
    assert [row["request"] for row in answer] == [managed.ref]
    assert api(cast.approver).get("/api/v1/usage/", {"month": "2020-01-01"}).json() == []
    assert api(cast.approver).get("/api/v1/usage/", {"month": "soon"}).status_code == 400


def test_what_was_renewed_often_is_read_as_what_was_authorized_once(
    cast: Cast, managed: ReviewRequest, now: datetime
) -> None:
    month, digest = month_of(now.date()), managed.model_version.digest
    store(line(now.date()), line(now.date(), model=None, digest=digest), by=cast.author, now=now)

    def cost() -> tuple[int, int]:
        with asked() as statements:
            (own,), others = used_in(month)
        assert (own[0].pk, own[1].requests, others) == (latest.pk, 20, {})
        return len(statements.statements), statements.rows_answered()

    latest = managed.decision.authorization
    once = cost()
    renewed(managed, count=50, state="'superseded'")
    assert cost() == once == (3, 4), "two reported lines, the digest of their name, and the authorization in force"
    Authorization.objects.filter(pk=latest.pk).update(state="revoked")
    latest = Authorization.objects.latest("pk")
    assert cost() == once


def test_a_month_without_usage_asks_nothing_about_authorizations(managed: ReviewRequest, now: datetime) -> None:
    with asked() as statements:
        assert used_in(month_of(now.date())) == ([], {})
    assert len(statements.statements) == 1


def test_the_api_stores_a_report(cast: Cast, now: datetime, api) -> None:
    document = {"gateway": "g", "environment": "prod", "lines": [line(now.date())]}
    answer = api(cast.author).post("/api/v1/usage/reports/", document, format="json")
    assert (answer.status_code, answer.json()) == (
        201,
        {"gateway": "g", "environment": "prod", "days": 1, "lines": 1, "unmatched": 1},
    )
    assert api(cast.auditor).post("/api/v1/usage/reports/", document, format="json").status_code == 403
    broken = document | {"lines": [{"day": "soon"}]}
    assert api(cast.author).post("/api/v1/usage/reports/", broken, format="json").status_code == 400


def test_the_page_shows_the_month_and_takes_an_export(cast: Cast, managed: ReviewRequest, now: datetime, as_) -> None:
    csv = f"day,model,requests,input_tokens,output_tokens,usd\n{now.date()},{MODEL},2,5000,5001,0.5\n".encode()
    client = as_(cast.author)
    given = {"gateway": "litellm-eu", "environment": "prod", "file": SimpleUploadedFile("usage.csv", csv)}
    page = client.post("/usage/upload/", given, follow=True).content.decode()
    assert "1 line of litellm-eu (prod) is stored." in page
    assert "100 %" in page
    assert managed.ref in page
    assert UsageRecord.objects.get().output_tokens == 5001
    bad = given | {"file": SimpleUploadedFile("usage.csv", b"a,b\n1,2\n")}
    assert "must be a CSV with the column day" in client.post("/usage/upload/", bad, follow=True).content.decode()
    assert client.post("/usage/upload/", {"gateway": ""}).status_code == 400
    assert as_(cast.auditor).post("/usage/upload/", given).status_code == 403
    assert "No usage in this month" in client.get("/usage/?month=2020-01-01").content.decode()
    assert client.get("/usage/?month=soon").status_code == 200
    assert UsageGateway.objects.count() == 1


@pytest.mark.parametrize(("tokens", "words"), [(40, "0.4 %"), (9_960, "99.6 %"), (10_000, "100 %")])
def test_a_share_of_a_limit_is_neither_nothing_nor_all(
    cast: Cast, managed: ReviewRequest, now: datetime, as_, tokens: int, words: str
) -> None:
    store(line(now.date(), input_tokens=tokens, output_tokens=0, cached_tokens=0, usd=None), by=cast.author, now=now)
    assert re.findall(r"[\d.]+ %", html_of(as_(cast.author).get("/usage/"))) == [words]


def test_a_file_that_is_too_large_is_refused(cast: Cast, now: datetime, as_, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviews.workloads.web.usage.LARGEST_BYTES", 10)
    given = {"gateway": "g", "environment": "prod", "file": SimpleUploadedFile("usage.csv", b"day,model,requests\n")}
    page = as_(cast.author).post("/usage/upload/", given, follow=True).content.decode()
    assert "larger than" in page
    assert not UsageGateway.objects.exists()


def test_the_comparison_runs_once_an_hour(now: datetime) -> None:
    request_regular_jobs(now)
    request_regular_jobs(now)
    message = OutboxMessage.objects.get(kind=actions.COMPARE)
    compare_usage(message)
    assert not Finding.objects.exists()
