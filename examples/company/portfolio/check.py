"""The demo checks itself: what the platform says of the company beside what the generator knows to be true."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from examples.company.portfolio.meetings import REQUESTS, asset_of
from examples.company.portfolio.truth import PlannedMonth, Truth, total
from examples.company.portfolio.world import Company, Model, Twist
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
"""Server hours are kept to four places, so a part that is nothing in truth may come to a few cents."""


@dataclass(frozen=True)
class CheckRow:
    """One thing known on both sides."""

    what: str
    truth: Decimal
    found: Decimal

    @property
    def is_equal(self) -> bool:
        """To the last digit."""
        return self.truth == self.found


@dataclass(frozen=True)
class Parts:
    """Why a model's quarter differs from its plan; `is_right` where the parts add up and the leading one is the true
    one.
    """

    model: str
    twist: Twist
    billed_less_planned: Decimal
    split: Split

    @property
    def is_right(self) -> bool:
        """Whether the parts add up to the difference, and what happened to the model is the greatest of them."""
        parts = {name: abs(getattr(self.split, name)) for name in ("volume", "efficiency", "price")}
        leading = LEADING.get(self.twist)
        is_led = leading is None or max(parts, key=lambda name: parts[name]) == leading
        is_price = self.twist is Twist.DEARER or parts["price"] <= SMALL_CENTS
        return self.split.total == self.billed_less_planned and is_led and is_price


def rows(company: Company, *, truth: Truth) -> Iterator[CheckRow]:
    """Every total there is a truth of: dollars and GPU hours by model, what is nobody's, and what the
    ledger was told.
    """
    months = {row.month for row in truth.months}
    found = [row for row in spend.spend(person=None) if row.month in months]
    for model in company.models:
        own = [row for row in truth.months if row.model == model.slug]
        said = [row for row in found if (row.model_team, row.model) == (model.team, model.slug)]
        yield CheckRow(f"{model.team}/{model.slug}, USD", truth.usd(own), sum((row.effective for row in said), ZERO))
        hours = sum((row.gpu_hours for row in own), ZERO)
        yield CheckRow(f"{model.team}/{model.slug}, GPU hours", hours, sum((row.gpu_hours for row in said), ZERO))
    loose = sum((row.effective for row in found if not row.is_allocated), ZERO)
    yield CheckRow("allocated to nobody, USD", sum(truth.loose.values(), ZERO), loose)
    for quarter in truth.quarters:
        billed = truth.usd(row for row in truth.months if Quarter.of(row.month) == quarter)
        yield CheckRow(f"ledger of {quarter}, USD", billed, _booked(company, quarter))


def split_of(model: Model, *, plan: PlannedMonth, truth: Truth) -> Parts:
    """Why the second quarter differs: dollars as billed, requests as supplied to the scorecard, hours as generated."""
    quarter = truth.quarters[1]
    own = truth.of(model.slug, quarter)
    count = Decimal(len(own))
    planned = MonthUsage(plan.requests * count, plan.units * count, plan.usd * count)
    said = [row for row in spend.spend(person=None) if row.model == model.slug and Quarter.of(row.month) == quarter]
    usd = sum((row.effective for row in said), ZERO)
    supplied = KpiActual.objects.filter(kpi__asset=asset_of(model), kpi__slug=REQUESTS, quarter=str(quarter)).latest(
        "pk"
    )
    actual = MonthUsage(supplied.value, total(own).units, usd)
    return Parts(model.slug, model.twist, usd - planned.usd, split(planned, actual))


def _booked(company: Company, quarter: Quarter) -> Decimal:
    """What the teams' accounts of a quarter were told by bills."""
    accounts = BudgetAccount.objects.filter(
        quarter=str(quarter), unit=BudgetUnit.USD, center__team__slug__in=[team.slug for team in company.teams]
    )
    return sum((balance(budgets.entries_of(account)).spent for account in accounts), ZERO)
