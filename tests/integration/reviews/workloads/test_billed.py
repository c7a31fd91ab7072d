"""Billed GPUs that nobody asked for: what explains a line, findings once for a resource and quarter, the page."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from governance.bills.actions.rates import set_rate
from governance.bills.domain.currencies import CurrencyRate
from governance.budgets.domain.quarters import Quarter, last_day
from governance.findings import actions as findings
from governance.findings.models import Finding
from governance.jobs.models import OutboxMessage
from governance.jobs.ticks import request_regular_jobs
from governance.people.queries.people import person_of
from reviews.authorizations.models import Authorization
from reviews.workflow.actions import authorizations, requests
from reviews.workloads import tasks
from reviews.workloads.actions import billed_findings
from reviews.workloads.actions.billed_findings import detect_unrequested_gpus
from reviews.workloads.queries.billed import BilledGpus, billed
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.reviews.workloads.billing import rule, spend
from tests.integration.reviews.workloads.observed import cleared, container
from tests.mass_history import renewed
from tests.masses import asked
from tests.pages import html_of
from tests.standstill import everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]


def rows(now: datetime, user: User | None = None) -> list[BilledGpus]:
    return billed(person=person_of(user) if user else None, quarter=Quarter.of(now))


def test_lines_without_anything_are_unexplained(cast: Cast, now: datetime) -> None:
    spend(now=now)
    spend(now=now, usd="500", hours="8")
    spend(now=now, usd="7", hours="1", currency="EUR")
    spend(now=now, hours="0")
    assert rows(now) == [
        BilledGpus(
            quarter=str(Quarter.of(now)),
            provider="AWS",
            account="200",
            resource="endpoint/mystery",
            sku="",
            team="",
            model="",
            usd=Decimal(3000),
            gpu_hours=Decimal(49),
            apart="7 EUR",
            request="",
        )
    ]


def test_lines_without_a_resource_are_told_apart_by_sku(cast: Cast, now: datetime) -> None:
    spend(now=now, resource="", sku="H100", usd="0")
    spend(now=now, resource="", sku="L4", usd="0", hours="1")
    assert [(row.name, row.gpu_hours) for row in rows(now)] == [("AWS 200 H100", 40), ("AWS 200 L4", 1)]


def test_an_authorization_of_the_model_explains_its_lines(cast: Cast, now: datetime) -> None:
    version = make_version(by=cast.author, now=now)
    line = rule(now=now, asset=version.asset)
    spend(now=now, rule=line)
    (row,) = rows(now)
    assert (row.team, row.model, row.request, row.owner_id) == ("search", version.asset.slug, "", cast.author.pk)
    submitted = walks.make_submitted(by=cast.author, now=now, version=version)
    assert rows(now)[0].request == submitted.ref, "somebody asks, and nobody has approved it yet"
    requests.withdraw(request=submitted, reason="Wrong file.", by=cast.author, now=now)
    assert rows(now)[0].request == ""
    decided = walks.make_decided(cast=cast, now=now, version=version)
    assert rows(now) == []
    authorization = Authorization.objects.get(decision__request=decided)
    authorizations.revoke(authorization=authorization, reason="It leaks data.", by=cast.approver, now=now)
    assert [row.model for row in rows(now)] == [version.asset.slug]


def test_each_month_has_the_rate_of_its_last_day_also_after_the_quarter(cast: Cast, now: datetime) -> None:
    before = Quarter.of(now).previous
    first, _, third = before.months
    for currency, month, usd in (("EUR", first, "1.1"), ("EUR", third, "1.3"), ("GBP", first, "2")):
        set_rate(rate=CurrencyRate(currency, last_day(month), Decimal(usd), "ECB"), by=cast.finance, now=now)
    for month in (first, third):
        spend(now=now, day=month, usd="1000", hours="2", currency="EUR")
        spend(now=now, day=month, usd="1000", hours="2", currency="GBP", resource="old-rate")
    rows = billed(person=None, quarter=before)
    assert [(row.usd, row.gpu_hours, row.apart) for row in rows] == [(2400, 4, ""), (2000, 4, "1000 GBP")]


def test_team_and_model_are_those_of_the_most_hours_of_the_quarter(cast: Cast, now: datetime) -> None:
    before = Quarter.of(now).previous
    often, once = (rule(now=now, team=team) for team in ("search", "ads"))
    for month in before.months:
        spend(now=now, day=month, hours="10", rule=often)
    spend(now=now, day=before.start_on, hours="25", usd="90000", rule=once)
    (row,) = billed(person=None, quarter=before)
    assert (row.team, row.gpu_hours) == ("search", Decimal(55))


def test_a_clearance_explains_lines_of_its_time(cast: Cast, now: datetime) -> None:
    version = container(by=cast.author, now=now)
    spend(now=now, rule=rule(now=now, asset=version.asset))
    request = cleared(version, by=cast.author, now=now)
    assert rows(now) == []
    requests.expire(request=request, now=request.deadline_at)
    assert rows(now) == [], "it was cleared when the hours were used"
    before = Quarter.of(now).previous
    spend(now=now, day=before.start_on, rule=rule(now=now, asset=version.asset))
    assert len(billed(person=None, quarter=before)) == 1


def test_a_rule_and_a_tag_may_name_the_request(cast: Cast, now: datetime) -> None:
    version = container(by=cast.author, now=now)
    open_request = walks.make_submitted(by=cast.author, version=version, with_data=False, now=now)
    spend(now=now, rule=rule(now=now, ref=open_request.ref), resource="by-rule")
    assert [row.request for row in rows(now)] == [open_request.ref]
    requests.withdraw(request=open_request, reason="Smaller now.", by=cast.author, now=now)
    other = make_version(by=cast.author, now=now)
    ref = cleared(other, by=cast.author, now=now).ref
    spend(now=now, rule=rule(now=now, ref=ref), resource="by-new-rule")
    spend(now=now, rule=rule(now=now), resource="by-tag", tags={"request": ref})
    spend(now=now, rule=rule(now=now, team="ads"), resource="foreign-tag", tags={"request": ref})
    spend(now=now, resource="tag-alone", tags={"request": ref})
    assert sorted(row.resource for row in rows(now)) == ["by-rule", "foreign-tag", "tag-alone"]


def test_a_team_sees_its_lines_and_whoever_handles_bills_all(cast: Cast, now: datetime) -> None:
    spend(now=now, resource="whose")
    spend(now=now, resource="ours", rule=rule(now=now))
    spend(now=now, resource="theirs", rule=rule(now=now, team="ads"))

    def seen(user: User) -> list[str]:
        return sorted(row.resource for row in rows(now, user))

    assert seen(cast.finance) == seen(cast.approver) == ["ours", "theirs", "whose"]
    assert (seen(cast.author), seen(cast.outsider), seen(cast.reviewer_one)) == (["ours"], ["theirs"], [])
    cast.author.is_active = False
    assert seen(cast.author) == []


def test_a_finding_is_raised_once_above_the_amount(cast: Cast, now: datetime, settings: Settings) -> None:
    version = make_version(by=cast.author, now=now)
    spend(now=now, rule=rule(now=now, asset=version.asset), resource="large")
    spend(now=now, resource="small", usd="999.99", hours="499")
    spend(now=now, resource="long", usd="0", hours="500")
    spend(now=now, resource="last", day=Quarter.of(now).previous.end_on)
    raised = detect_unrequested_gpus(now=now)
    assert [finding.subject for finding in raised] == ["AWS 200 last", "AWS 200 large", "AWS 200 long"]
    large = raised[1]
    assert (large.kind, large.severity, large.owner) == ("gpus.unrequested", "medium", cast.author)
    assert large.due_on == (now + timedelta(days=14)).date()
    assert large.text == (
        f"2,500.00 USD and 40.00 GPU hours were billed in {Quarter.of(now)} for AWS 200 large, allocated to the team "
        "search, and no request or authorization in force explains them. File a request, or allocate the lines to the "
        "model that uses them."
    )
    assert "allocated to no team" in raised[2].text
    before = everything()
    assert detect_unrequested_gpus(now=now) == []
    assert everything() == before
    findings.close(finding=large, note="It was an accident.", by=cast.author, now=now)
    spend(now=now, rule=rule(now=now, asset=version.asset), resource="large")
    assert detect_unrequested_gpus(now=now) == [], "a closed finding stays closed in its quarter"


def test_a_request_settles_the_finding(cast: Cast, now: datetime) -> None:
    version = container(by=cast.author, now=now)
    spend(now=now, rule=rule(now=now, asset=version.asset))
    (finding,) = detect_unrequested_gpus(now=now)
    walks.make_submitted(by=cast.author, version=version, with_data=False, now=now)
    assert detect_unrequested_gpus(now=now) == []
    finding.refresh_from_db()
    assert (finding.state, finding.closed_by) == ("closed", None)
    assert finding.closing_note.startswith("A request, an authorization or a corrected bill")


def test_a_detection_closes_nothing_that_another_raised_meanwhile(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*, person: None, quarter: Quarter) -> list[BilledGpus]:
        """What one detection read before the lines came about which the other raises a finding."""
        rows = billed(person=person, quarter=quarter)
        if quarter == Quarter.of(now):
            monkeypatch.setattr(billed_findings, "billed", billed)
            spend(now=now)
            assert len(detect_unrequested_gpus(now=now)) == 1
        return rows

    monkeypatch.setattr(billed_findings, "billed", overtaken)
    assert detect_unrequested_gpus(now=now) == []
    assert Finding.objects.get().state == "open"


def test_the_day_looks_once(cast: Cast, now: datetime) -> None:
    spend(now=now)
    request_regular_jobs(now)
    request_regular_jobs(now)
    (message,) = OutboxMessage.objects.filter(kind=tasks.DETECT_GPUS)
    tasks.detect_gpus(message)
    tasks.detect_gpus(message)
    assert Finding.objects.filter(kind="gpus.unrequested").count() == 1


def test_the_page_and_the_finding_lead_to_the_form(as_: Callable[[User], Client], cast: Cast, now: datetime) -> None:
    version = make_version(by=cast.author, now=now)
    spend(now=now, rule=rule(now=now, asset=version.asset), resource="endpoint/<b>", usd="2500")
    spend(now=now, rule=rule(now=now, asset=version.asset), resource="other", usd="7", currency="EUR")
    detect_unrequested_gpus(now=now)
    page = html_of(as_(cast.author).get("/workloads/"))
    assert "endpoint/&lt;b&gt;" in page
    assert "and 7 EUR" in page
    assert "/requests/new/?title=GPUs+of+AWS+200+endpoint%2F%3Cb%3E&amp;team=search" in page
    own = html_of(as_(cast.author).get("/findings/"))
    assert "/requests/new/?title=GPUs%20of%20AWS%20200%20endpoint" in own
    assert "/requests/new/" not in html_of(as_(cast.finance).get("/findings/"))
    assert 'href="/workloads/#billed"' in own
    assert "2500" in as_(cast.finance).get("/workloads/billed.csv").content.decode()


def test_the_page_says_how_many_there_are(as_: Callable[[User], Client], cast: Cast, now: datetime) -> None:
    for number in range(51):
        spend(now=now, resource=f"r{number}")
    assert "These are the first 50 of 51" in html_of(as_(cast.finance).get("/workloads/"))


def test_an_open_request_is_named_on_the_page(as_: Callable[[User], Client], cast: Cast, now: datetime) -> None:
    version = container(by=cast.author, now=now)
    spend(now=now, rule=rule(now=now, asset=version.asset))
    request = walks.make_submitted(by=cast.author, version=version, with_data=False, now=now)
    assert f'<a href="/requests/{request.ref}/">{request.ref}</a> is open' in html_of(
        as_(cast.author).get("/workloads/")
    )


def test_the_api_lists_and_exports(api: Callable[[User | None], APIClient], cast: Cast, now: datetime) -> None:
    spend(now=now)
    (row,) = api(cast.finance).get("/api/v1/workloads/billed/").json()
    assert (row["resource"], row["usd"], row["gpu_hours"], "owner_id" in row) == (
        "endpoint/mystery",
        "2500",
        "40",
        False,
    )
    assert api(cast.author).get("/api/v1/workloads/billed/").json() == []
    assert api(cast.finance).get("/api/v1/workloads/billed/", {"quarter": "2020Q1"}).json() == []
    wrong = api(cast.finance).get("/api/v1/workloads/billed/", {"quarter": "soon"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "quarter")
    assert "endpoint/mystery" in api(cast.finance).get("/api/v1/workloads/billed.csv").content.decode()


def test_approvals_that_no_line_names_are_not_read(cast: Cast, now: datetime) -> None:
    version = make_version(by=cast.author, now=now)
    decided = walks.make_decided(cast=cast, now=now, version=version)
    named = rule(now=now, asset=version.asset)

    def read() -> tuple[int, int]:
        with asked() as statements:
            found = rows(now)
        assert [row.resource for row in found] == ["endpoint/mystery"]
        return len(statements.statements), statements.rows_answered()

    spend(now=now)
    few = read()
    renewed(decided, count=50, state="'active'")
    assert read() == few
    spend(now=now, resource="endpoint/known", rule=named)
    queries, answered = read()
    assert (queries - few[0], answered - few[1]) == (2, 52), "the model's own approvals count, and its line"
