"""Lines on record state each month on the ledger: once, anew after a restatement, and in cents."""

from datetime import date
from decimal import Decimal

import pytest

from governance.audit.models import AuditEvent
from governance.bills import tasks as bills_tasks
from governance.bills.actions import allocation, rates
from governance.bills.actions import month_postings as postings
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.queries import spend
from governance.budgets.actions import budgets
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import LedgerEntry
from governance.jobs.models import OutboxMessage
from governance.people.models import Team
from tests.factories.allocation import RULES, publish_rules
from tests.factories.bills import csv_bytes, row
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db
REF = "MRR-2026-0001"


@pytest.fixture
def rules(version, cast: Cast, now):
    """The author's team has a budget in both units; visual-search draws on a request's commitment."""
    for unit in BudgetUnit:
        budgets.allocate(
            holder=Team.objects.get(slug="search"),
            quarter="2026Q3",
            unit=unit,
            amount=Decimal(1000),
            key=f"k{unit}",
            by=cast.finance,
            now=now,
        )
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
    assert postings.post_months(months=[date(2026, 9, 1)], cause="again", now=LedgerEntry.objects.last().booked_at) == 0
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
