"""Lines on record state each month on the ledger: once, anew after a restatement, and in cents."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from governance.audit.models import AuditEvent
from governance.bills import tasks as bills_tasks
from governance.bills.actions import allocation, bills, rates
from governance.bills.actions import month_postings as postings
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.models import SpendLine
from governance.bills.queries import spend
from governance.bills.queries.month_postings import months_to_post
from governance.budgets.actions import budgets, quarter_end
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import LedgerEntry
from governance.jobs import ticks
from governance.jobs.models import OutboxMessage
from governance.people.models import Team
from tests.factories.allocation import RULES, publish_rules
from tests.factories.bills import csv_bytes, row
from tests.factories.people import Cast
from tests.late_locks import late_locks
from tests.threads import in_the_middle

pytestmark = pytest.mark.django_db
REF, SEPTEMBER = "MRR-2026-0001", date(2026, 9, 1)


def allocate(unit: BudgetUnit, cast: Cast, now: datetime, quarter: str = "2026Q3") -> None:
    budgets.allocate(
        holder=Team.objects.get(slug="search"),
        quarter=quarter,
        unit=unit,
        amount=Decimal(1000),
        key=f"k{unit}{quarter}",
        by=cast.finance,
        now=now,
    )


@pytest.fixture
def rules(version, cast: Cast, now):
    """The author's team has a budget in both units; visual-search draws on a request's commitment."""
    for unit in BudgetUnit:
        allocate(unit, cast, now)
    named = RULES.replace("    model: search/visual-search\n", f"    model: search/visual-search\n    request: {REF}\n")
    return publish_rules(cast=cast, now=now, source=named)


def booked():
    rows = LedgerEntry.objects.exclude(kind="allocate").order_by("pk")
    return [(row.kind, row.account.unit, row.period, row.request_ref, row.amount) for row in rows]


def test_a_bill_is_stated_on_the_accounts_of_its_teams(rules, read):
    read(csv_bytes([row(EffectiveCost="8.005"), row(EffectiveCost="0.0001"), row(Tags="", SubAccountId="shared")]))
    assert booked() == [
        ("actual", "USD", "2026-09", REF, Decimal("8.01")),
        ("actual", "gpu_h", "2026-09", REF, Decimal(4)),
    ]
    event = AuditEvent.objects.get(kind="bills.stated")
    assert event.details == {"booked": 2, "without_account": ["ads USD 2026-09", "ads gpu_h 2026-09"]}


def test_a_restatement_corrects_and_the_same_again_books_nothing(rules, read):
    read(csv_bytes([row()]))
    read(csv_bytes([row(EffectiveCost="5")]))
    assert booked()[2:] == [("correction", "USD", "2026-09", REF, Decimal(-3))]
    assert postings.post_months(months=[SEPTEMBER], cause="again", now=LedgerEntry.objects.last().booked_at) == 0
    read(csv_bytes([row(EffectiveCost="8", BilledCost="9")]))
    assert booked()[3:] == [("correction", "USD", "2026-09", REF, Decimal(3))]


def test_what_is_gone_is_stated_as_nothing(rules, read):
    read(csv_bytes([row()]))
    read(csv_bytes([row(Tags="", SubAccountId="lab")]))
    assert booked()[2:] == [
        ("correction", "USD", "2026-09", REF, Decimal(-8)),
        ("correction", "gpu_h", "2026-09", REF, Decimal(-2)),
    ]


def test_new_rules_and_rates_state_every_month_anew(rules, read, cast, now):
    read(csv_bytes([row(BillingCurrency="EUR")]))
    assert booked() == [("actual", "gpu_h", "2026-09", REF, Decimal(2))]
    rates.set_rate(rate=CurrencyRate("EUR", date(2026, 9, 30), Decimal("1.5"), "ECB"), by=cast.finance, now=now)
    message = OutboxMessage.objects.filter(kind=allocation.ASSIGN).latest("pk")
    bills_tasks.reassign_lines(message)
    assert booked()[1:] == [("actual", "USD", "2026-09", REF, Decimal(12))]
    bills_tasks.reassign_lines(message)
    assert len(booked()) == 2


def test_a_bill_that_arrives_before_the_budget_is_stated_when_the_account_opens(version, read, cast, now):
    publish_rules(cast=cast, now=now)
    OutboxMessage.objects.all().delete()
    read(csv_bytes([row()]))
    assert booked() == []
    stated = []
    for unit in BudgetUnit:
        allocate(unit, cast, now)
        for _ in range(2):
            ticks.request_regular_jobs(now)
        message = OutboxMessage.objects.filter(kind=bills_tasks.POST).latest("pk")
        stated.append(message.key)
        for _ in range(2):
            bills_tasks.post_open_quarters(message)
    assert booked() == [
        ("actual", "USD", "2026-09", "", Decimal(8)),
        ("actual", "gpu_h", "2026-09", "", Decimal(2)),
    ]
    assert list(LedgerEntry.objects.filter(kind="actual").order_by("pk").values_list("note", flat=True)) == stated
    ticks.request_regular_jobs(now + timedelta(days=1))
    assert OutboxMessage.objects.filter(kind=bills_tasks.POST).count() == len(set(stated)) + 1 == 3


def test_without_accounts_no_month_is_posted(version, read, cast, now):
    publish_rules(cast=cast, now=now)
    read(csv_bytes([row()]))
    before = AuditEvent.objects.count()
    ticks.request_regular_jobs(now)
    bills_tasks.post_open_quarters(OutboxMessage.objects.get(kind=bills_tasks.POST))
    assert (AuditEvent.objects.count(), months_to_post(now=now)) == (before, [])


def test_the_started_months_of_open_and_lately_closed_quarters_are_posted(cast):
    now = datetime(2026, 11, 12, 9, tzinfo=UTC)
    for quarter in ("2026Q2", "2026Q4", "2027Q1"):
        allocate(BudgetUnit.USD, cast, now, quarter)
    open_now = [date(2026, 10, 1), date(2026, 11, 1)]
    spring = [date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)]
    assert months_to_post(now=now) == spring + open_now
    quarter_end.close_quarters(now=now)
    assert months_to_post(now=now + timedelta(days=7)) == spring + open_now
    assert months_to_post(now=now + timedelta(days=7, seconds=1)) == open_now


def test_accounts_are_locked_before_the_assignment_is_recorded(rules, read, cast, now):
    with late_locks() as late:
        read(csv_bytes([row(), row(ChargePeriodStart="2026-08-31")]))
        rates.set_rate(rate=CurrencyRate("EUR", date(2026, 9, 30), Decimal("1.5"), "ECB"), by=cast.finance, now=now)
        bills_tasks.reassign_lines(OutboxMessage.objects.filter(kind=allocation.ASSIGN).latest("pk"))
    assert len(booked()) == 4
    assert late == []


@pytest.mark.django_db(transaction=True)
def test_months_that_are_posted_while_a_bill_is_stored_keep_its_amounts(rules, send, read, now, monkeypatch):
    read(csv_bytes([row()]))
    other = send(csv_bytes([row(BillingAccountId="101")]))
    outcomes = in_the_middle(
        monkeypatch,
        (bills, "_record"),
        partial(bills_tasks.ingest_bill, other.pk),
        partial(postings.post_months, months=[SEPTEMBER], cause="rate:1", now=now),
    )
    assert outcomes == [None, 0]
    assert booked()[2:] == [
        ("correction", "USD", "2026-09", REF, Decimal(8)),
        ("correction", "gpu_h", "2026-09", REF, Decimal(2)),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_bill_that_is_stored_while_rules_are_published_gets_the_new_ones(rules, read, cast, now, monkeypatch):
    source = rules.source.replace("account: search\n    model: search/visual-search", "account: ads")

    def publish() -> None:
        publish_rules(cast=cast, now=now, source=source)
        bills_tasks.reassign_lines(OutboxMessage.objects.filter(kind=allocation.ASSIGN).latest("pk"))

    outcomes = in_the_middle(monkeypatch, (allocation, "taken_by"), partial(read, csv_bytes([row()])), publish)
    assert (outcomes[0].state, outcomes[1]) == ("done", None)
    assert list(SpendLine.objects.values_list("rule__version__number", "rule__team__slug")) == [(2, "ads")]
    assert booked()[2:] == [
        ("correction", "USD", "2026-09", REF, Decimal(-8)),
        ("correction", "gpu_h", "2026-09", REF, Decimal(-2)),
    ]


def test_spend_is_told_by_team_model_and_month(rules, read, cast, now):
    read(
        csv_bytes(
            [
                row(),
                row(BillingCurrency="EUR", EffectiveCost="3"),
                row(Tags="", SubAccountId="lab"),
                row(ChargePeriodStart="2026-08-31"),
            ]
        )
    )
    rows = spend.spend(person=None)
    assert [
        (one.month.month, one.team, one.model, one.effective, one.billed, one.gpu_hours, one.apart) for one in rows
    ] == [
        (9, "search", "visual-search", Decimal(8), Decimal(10), Decimal(4), {"EUR": Decimal(3)}),
        (9, "", "", Decimal(8), Decimal(10), Decimal(2), {}),
        (8, "search", "visual-search", Decimal(8), Decimal(10), Decimal(2), {}),
    ]
    september, august = spend.months(rows)
    assert (september.effective, september.unallocated, september.apart) == (
        Decimal(16),
        Decimal(8),
        {"EUR": Decimal(3)},
    )
    assert august.month == date(2026, 8, 1)
    assert spend.months_of_use() == [date(2026, 8, 1), date(2026, 9, 1)]
    assert next(row[1:] for row in spend.table(rows).rows) == (
        "search",
        "visual-search",
        Decimal(8),
        Decimal(10),
        Decimal(4),
        "3 EUR",
        "billed",
    )
