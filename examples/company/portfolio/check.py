"""Compare the results of the platform with the known true values of the generated company."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from examples.company.portfolio.company_model import Company, Model, Twist
from examples.company.portfolio.meetings import REQUESTS, asset_of
from examples.company.portfolio.oracle import PlannedMonth, Truth, total
from governance.bills.domain.variance.split import MonthUsage, Split, split
from governance.bills.queries import spend
from governance.budgets.domain.ledger import balance
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount
from governance.budgets.queries import budgets
from reviews.scorecard.models import KpiActual

ZERO = Decimal(0)
LEADING = {Twist.GROWN: "volume", Twist.DEARER: "price", Twist.SPRAWLING: "efficiency"}
SMALL_CENTS = Decimal("0.05")
"""Server hours have four decimals, so a part whose true value is zero can be a few cents."""


@dataclass(frozen=True)
class CheckRow:
    """One value with its true value and the value on the platform."""

    what: str
    truth: Decimal
    found: Decimal

    @property
    def is_equal(self) -> bool:
        """Whether both values are exactly equal."""
        return self.truth == self.found


@dataclass(frozen=True)
class Parts:
    """The causes of the difference between bill and plan of a model in a quarter."""

    model: str
    twist: Twist
    billed_less_planned: Decimal
    split: Split

    @property
    def is_right(self) -> bool:
        """Whether the parts add up to the difference and the largest part is the generated cause."""
        parts = {name: abs(getattr(self.split, name)) for name in ("volume", "efficiency", "price")}
        leading = LEADING.get(self.twist)
        is_led = leading is None or max(parts, key=lambda name: parts[name]) == leading
        is_price = self.twist is Twist.DEARER or parts["price"] <= SMALL_CENTS
        return self.split.total == self.billed_less_planned and is_led and is_price


def rows(company: Company, *, truth: Truth) -> Iterator[CheckRow]:
    """All totals with a known true value: dollars and GPU hours by model, unallocated dollars, and ledger totals."""
    months = {row.month for row in truth.months}
    found = [row for row in spend.spend(person=None) if row.month in months]
    for model in company.models:
        own = [row for row in truth.months if row.model == model.slug]
        own_rows = [row for row in found if (row.model_team, row.model) == (model.team, model.slug)]
        yield CheckRow(
            f"{model.team}/{model.slug}, USD", truth.usd(own), sum((row.effective for row in own_rows), ZERO)
        )
        hours = sum((row.gpu_hours for row in own), ZERO)
        yield CheckRow(f"{model.team}/{model.slug}, GPU hours", hours, sum((row.gpu_hours for row in own_rows), ZERO))
    loose = sum((row.effective for row in found if not row.is_allocated), ZERO)
    yield CheckRow("not allocated, USD", sum(truth.loose.values(), ZERO), loose)
    for quarter in truth.quarters:
        billed = truth.usd(row for row in truth.months if Quarter.of(row.month) == quarter)
        yield CheckRow(f"ledger of {quarter}, USD", billed, _booked(company, quarter))


def split_of(model: Model, *, plan: PlannedMonth, truth: Truth) -> Parts:
    """The split of the second quarter: billed dollars, requests from the scorecard, generated hours."""
    quarter = truth.quarters[1]
    own = truth.of(model.slug, quarter)
    count = Decimal(len(own))
    planned = MonthUsage(plan.requests * count, plan.units * count, plan.usd * count)
    own_rows = [row for row in spend.spend(person=None) if row.model == model.slug and Quarter.of(row.month) == quarter]
    usd = sum((row.effective for row in own_rows), ZERO)
    supplied = KpiActual.objects.filter(kpi__asset=asset_of(model), kpi__slug=REQUESTS, quarter=str(quarter)).latest(
        "pk"
    )
    actual = MonthUsage(supplied.value, total(own).units, usd)
    return Parts(model.slug, model.twist, usd - planned.usd, split(planned, actual))


def _booked(company: Company, quarter: Quarter) -> Decimal:
    """The billed total in the accounts of the teams for a quarter."""
    accounts = BudgetAccount.objects.filter(
        quarter=str(quarter), unit=BudgetUnit.USD, center__team__slug__in=[team.slug for team in company.teams]
    )
    return sum((balance(budgets.entries_of(account)).spent for account in accounts), ZERO)
