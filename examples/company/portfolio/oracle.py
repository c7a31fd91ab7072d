"""The true values of the generated bills: the cost of every model in every month, from its plan and its event.

    billed = requests * units for each request * dollars for a unit

A unit is a server hour. The plan comes from the projection of the platform, so the true values stay correct if the
calculation changes. The number of requests gets some noise from `seed`.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from examples.company.portfolio.company_model import STORY, Company, Model, QuarterChange, Twist
from governance.budgets.domain.quarters import Quarter
from weighbridge.core.money import CENT

SEED = 20_260_401
NOISE_PERMILLE = 15
LOOSE_USD = (Decimal("412.37"), Decimal("398.11"), Decimal("431.92"))
RESTATED_BY = Decimal(2)
UNIT_PLACES = Decimal("0.0001")


@dataclass(frozen=True)
class PlannedMonth:
    """The projected usage and cost of a model in a month."""

    requests: Decimal
    units: Decimal
    usd: Decimal


@dataclass(frozen=True)
class TrueMonth:
    """The true usage and cost of a model in a month. `first_usd` is the amount of a first bill that was corrected."""

    model: str
    month: date
    requests: Decimal
    units: Decimal
    usd: Decimal
    gpu_hours: Decimal = Decimal(0)
    first_usd: Decimal | None = None


@dataclass(frozen=True)
class Truth:
    """Everything that was billed."""

    quarters: tuple[Quarter, Quarter]
    months: tuple[TrueMonth, ...]
    loose: Mapping[date, Decimal]

    def of(self, model: str, quarter: Quarter) -> tuple[TrueMonth, ...]:
        """The months of a model in a quarter."""
        return tuple(row for row in self.months if row.model == model and Quarter.of(row.month) == quarter)

    def usd(self, rows: Iterable[TrueMonth] | None = None) -> Decimal:
        """The sum of all that belongs to a model, or of these months."""
        return sum((row.usd for row in (self.months if rows is None else rows)), Decimal(0))


def months_of(quarter: Quarter) -> tuple[date, ...]:
    """The first days of its months."""
    first = quarter.start_on
    return tuple(first.replace(month=first.month + number) for number in range(3))


def plan_of(model: Model, *, usd_a_month: Decimal, units_a_month: Decimal) -> PlannedMonth:
    """A twelfth of its year."""
    return PlannedMonth(Decimal(model.requests_a_year) / 12, units_a_month.quantize(UNIT_PLACES), usd_a_month)


def truth_of(
    company: Company, *, plans: Mapping[str, PlannedMonth], quarters: tuple[Quarter, Quarter], seed: int = SEED
) -> Truth:
    """What was billed in both quarters; the same seed and plans are the same truth."""
    rows = [
        _month(model, plans[model.slug], month, is_second=number == 1, seed=seed)
        for number, quarter in enumerate(quarters)
        for month in months_of(quarter)
        for model in company.models
        if not model.is_new or month >= starts_on(quarters)
    ]
    all_months = [month for quarter in quarters for month in months_of(quarter)]
    loose = {month: LOOSE_USD[number % len(LOOSE_USD)] for number, month in enumerate(all_months)}
    return Truth(quarters, tuple(rows), loose)


def starts_on(quarters: tuple[Quarter, Quarter]) -> date:
    """From when models run that are approved in the second quarter."""
    return months_of(quarters[1])[1]


def restated_month(quarters: tuple[Quarter, Quarter]) -> date:
    """The month whose bill is sent twice: the middle one of the second quarter."""
    return months_of(quarters[1])[1]


def parts(amount: Decimal, *, count: int) -> tuple[Decimal, ...]:
    """An amount in whole cents cut into `count` parts of whole cents, as even as they come."""
    whole, left = divmod(int(amount / CENT), count)
    return tuple(CENT * (whole + (number < left)) for number in range(count))


def _month(model: Model, plan: PlannedMonth, month: date, *, is_second: bool, seed: int) -> TrueMonth:
    dice = random.Random(f"{seed}:{model.slug}:{month}")  # noqa: S311 -- a generated bill, no secret
    change = STORY[model.twist] if is_second else QuarterChange()
    noise = 1 + Decimal(dice.randint(-NOISE_PERMILLE, NOISE_PERMILLE)) / 1000
    requests = (plan.requests * change.requests * noise).quantize(Decimal(1))
    units = (requests / plan.requests * plan.units * change.units_each).quantize(UNIT_PLACES)
    usd = (units * plan.usd / plan.units * change.price).quantize(CENT)
    row = TrueMonth(model.slug, month, requests, units, usd, gpu_hours=_trained(model, month, dice))
    if is_second and model.twist is Twist.RESTATED and month.month % 3 == 2:
        return replace(row, first_usd=usd * RESTATED_BY)
    return row


def _trained(model: Model, month: date, dice: random.Random) -> Decimal:
    """Whole hours of the quarter's one training, in the model's first month: a little less than planned."""
    if month.month % 3 != (2 if model.is_new else 1):
        return Decimal(0)
    return Decimal(model.training_gpu_hours - dice.randint(1, max(2, model.training_gpu_hours // 20)))


def total(rows: Sequence[TrueMonth]) -> PlannedMonth:
    """The sums of some months."""
    sums = (sum((getattr(row, name) for row in rows), Decimal(0)) for name in ("requests", "units", "usd"))
    return PlannedMonth(*sums)
