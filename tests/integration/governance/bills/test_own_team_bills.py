"""Bills, rates and rules of one's own team: they raise nothing by one's own hand, and credits raise nothing at all."""

from datetime import date, datetime
from decimal import Decimal
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from governance.bills import tasks as bills_tasks
from governance.bills.actions import allocation, bills, rates
from governance.bills.actions.bills import Delivery
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.models import Bill, BillSlice, ExchangeRate, SpendLine
from governance.budgets.actions import budget_changes, budgets
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import balance_of
from governance.people.approvals import actions as approvals
from governance.people.approvals import queries as reads
from governance.people.domain.roles import Role
from governance.people.models import Team
from tests.factories.allocation import RULES, publish_rules
from tests.factories.bills import csv_bytes, row
from tests.factories.changes import REASON, propose
from tests.factories.people import Cast, make_person
from tests.factories.snapshots import snapshot
from tests.refusals import has_code
from weighbridge.core.errors import NotAllowed

pytestmark = pytest.mark.django_db
D = Decimal
MILLION = "-1000000"


@pytest.fixture
def insider(cast: Cast, now: datetime) -> User:
    """A member of finance who also files requests of Search."""
    return make_person("inside.finance", Role.FINANCE, Role.REQUESTER, team=Team.objects.get(slug="search"), now=now)


@pytest.fixture
def account(version, cast: Cast, now: datetime) -> BudgetAccount:
    """Search has 1,000 USD in the quarter of the bills."""
    team = Team.objects.get(slug="search")
    wanted = {"quarter": "2026Q3", "unit": BudgetUnit.USD, "amount": D(1000), "key": "k"}
    entry = budgets.allocate(holder=team, **wanted, by=cast.finance, now=now)
    publish_rules(cast=cast, now=now)
    return entry.account


def sent(content: bytes, by: User, now: datetime) -> Bill:
    """A bill of this person, read by a worker."""
    upload = ContentFile(content, name="bill.csv")
    bill = bills.receive(upload=upload, delivery=Delivery(), by=by, now=now)
    bills_tasks.ingest_bill(bill.pk)
    bill.refresh_from_db()
    return bill


def available(account: BudgetAccount) -> Decimal:
    return balance_of(account).available


def booked() -> tuple[int, int, int]:
    return LedgerEntry.objects.count(), SpendLine.objects.count(), BillSlice.objects.filter(is_current=True).count()


def test_a_credit_of_a_million_raises_nothing_until_two_people_confirm(read, account, cast: Cast, now) -> None:
    read(csv_bytes([row(EffectiveCost="300")]))
    assert available(account) == 700
    read(csv_bytes([row(EffectiveCost="300"), row(EffectiveCost=MILLION, ChargeCategory="Credit")]))
    balance = balance_of(account)
    assert (balance.available, balance.spent, balance.withheld) == (1000, -999_700, 999_700)
    wish = Rebooking(aspect=Aspect.AMOUNT, account=account, amount=D(5000))
    change = budget_changes.propose(wish=wish, reason=REASON, by=cast.finance, now=now)
    assert available(account) == 1000
    approvals.confirm(change=change, by=cast.approver, now=now)
    assert available(account) == 5000


def test_a_refund_of_what_was_billed_counts_as_usual(read, account) -> None:
    read(csv_bytes([row(EffectiveCost="300")]))
    read(csv_bytes([row(EffectiveCost="300"), row(EffectiveCost="-120", ChargeCategory="Credit")]))
    assert (available(account), balance_of(account).withheld) == (820, 0)


@pytest.mark.parametrize(
    "lines",
    [
        [row(EffectiveCost="299.99")],
        [row(EffectiveCost="300"), row(EffectiveCost="-1", ChargeCategory="Credit")],
        [row(EffectiveCost="300", Tags="")],
        [row(EffectiveCost="300", ChargePeriodStart="2026-10-01T00:00:00Z", ChargePeriodEnd="")],
        [row(EffectiveCost="300", BillingCurrency="XYZ")],
    ],
    ids=["less", "a credit", "of another team", "of another quarter", "in a currency without a rate"],
)
def test_nobody_replaces_the_bill_of_their_own_team_by_less(lines, read, account, cast: Cast, insider, now) -> None:
    read(csv_bytes([row(EffectiveCost="300")]))
    before = booked()
    bill = sent(csv_bytes(lines), insider, now)
    assert (bill.state, booked(), available(account)) == ("failed", before, 700)
    assert "more available on Search 2026Q3 USD, and it is money for your own team (search)" in bill.error
    assert "Another person who handles bills must send it." in bill.error
    assert sent(csv_bytes(lines), cast.finance, now).state == "done"
    assert available(account) > 700


def test_whoever_bills_their_own_team_more_may_send_it(read, account, insider, now) -> None:
    read(csv_bytes([row(EffectiveCost="300")]))
    assert sent(csv_bytes([row(EffectiveCost="301")]), insider, now).state == "done"
    assert available(account) == 699


def test_nobody_sets_a_rate_in_which_their_own_team_is_billed(read, account, cast: Cast, insider, now) -> None:
    rate = partial(CurrencyRate, "EUR", date(2026, 9, 30), source="ECB")
    rates.set_rate(rate=rate(usd=D("1.1")), by=insider, now=now)
    read(csv_bytes([row(EffectiveCost="300", BillingCurrency="EUR")]))
    assert available(account) == 670
    before = snapshot()
    with pytest.raises(NotAllowed, match="billed in EUR, and it is money for your own team") as refusal:
        rates.set_rate(rate=rate(usd=D("0.0001")), by=insider, now=now)
    assert (refusal.value.code, snapshot()) == ("own_team", before)
    rates.set_rate(rate=rate(usd=D("1.2")), by=cast.finance, now=now)
    assert ExchangeRate.objects.count() == 2


def test_whose_rules_change_confirms_no_rules(account, cast: Cast, insider, now) -> None:
    """Moving the spend of Search to Ads is not confirmed by a member of either."""
    moved = allocation.draft(source=RULES.replace("account: search", "account: ads", 1), by=cast.finance, now=now)
    change = propose(version=moved, by=cast.finance, now=now)
    before = snapshot()
    with pytest.raises(NotAllowed, check=has_code("own_team")):
        approvals.confirm(change=change, by=insider, now=now)
    assert snapshot() == before
    assert reads.confirmers(change) == [cast.admin, cast.approver]
    approvals.confirm(change=change, by=cast.admin, now=now)


def test_rules_of_other_teams_may_be_confirmed_by_a_member(account, cast: Cast, insider, now) -> None:
    other = allocation.draft(source=RULES.replace("[shared*]", "[shared-gpus*]"), by=cast.finance, now=now)
    approvals.confirm(change=propose(version=other, by=cast.finance, now=now), by=insider, now=now)


@pytest.mark.parametrize("month", ["2999-12", "1999-01"])
def test_a_bill_of_an_absurd_month_is_refused(month, send, read, account) -> None:
    before = booked()
    day, end = f"{month}-02T00:00:00Z", f"{month}-28T00:00:00Z"
    period = {"BillingPeriodStart": day, "BillingPeriodEnd": end, "ChargePeriodStart": day, "ChargePeriodEnd": end}
    bill = read(csv_bytes([row(**period)]))
    assert (bill.state, booked()) == ("failed", before)
    assert f"The file has charges of {month}. Bills can be of the last 10 years, up to next month." in bill.error
