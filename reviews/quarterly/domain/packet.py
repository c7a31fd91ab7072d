"""What a quarterly packet says, frozen: a document of plain words and values that needs no database to be drawn.

Amounts are US dollars unless a unit is named; shares are of 1. What nobody knows is None and is printed as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from reviews.scorecard.domain.scorecard import KpiDirection, KpiScore, Totals, totals

SCHEMA: Final = "weighbridge.quarterly/1"
ZERO = Decimal(0)
PARTS: Final = ("volume", "efficiency", "price")


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRowOfQuarter:
    """One budget account of the quarter; `forecast` is what it will have spent by the quarter's end.

    `is_generated` says that what it spent rests on generated bills, here and in `Variance`.
    """

    account: str
    unit: str
    allocated: Decimal
    committed: Decimal
    reserved: Decimal
    spent: Decimal
    forecast: Decimal
    is_generated: bool = False

    @property
    def is_over(self) -> bool:
        """Whether more was spent, or will be, than was allocated."""
        return max(self.spent, self.forecast) > self.allocated


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioPoint:
    """A model in the portfolio: cost of one year in USD, p95 latency in ms, and how far it is above its
    KPI's target.
    """

    model: str
    cost_usd: Decimal | None
    latency_ms: Decimal | None
    value: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variance:
    """What a model was projected to cost in the quarter and what was billed; its parts where they are known.

    billed = projected + volume + efficiency + price + untold, exactly; `lacking` says what it would take to tell the
    rest.
    """

    model: str
    projected_usd: Decimal
    billed_usd: Decimal
    volume_usd: Decimal | None = None
    efficiency_usd: Decimal | None = None
    price_usd: Decimal | None = None
    lacking: tuple[str, ...] = ()
    is_generated: bool = False

    @property
    def difference_usd(self) -> Decimal:
        """billed - projected."""
        return self.billed_usd - self.projected_usd

    @property
    def parts(self) -> tuple[tuple[str, Decimal], ...]:
        """The parts that are known, by name; none where no month's are."""
        named = zip(PARTS, (self.volume_usd, self.efficiency_usd, self.price_usd), strict=True)
        return tuple((name, usd) for name, usd in named if usd is not None)

    @property
    def untold_usd(self) -> Decimal:
        """What of the difference no part explains: that of the months whose requests nobody supplied."""
        return self.difference_usd - sum((usd for _, usd in self.parts), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """A line of the scorecard as it stood."""

    model: str
    kpi: str
    metric: str
    unit: str
    better: str
    target: Decimal
    actual: Decimal | None
    before: Decimal | None
    supplied_by: str
    channel: str
    data_source: str

    @property
    def score(self) -> KpiScore:
        """The same, with its arithmetic."""
        return KpiScore(
            model=self.model,
            kpi=self.kpi,
            metric=self.metric,
            unit=self.unit,
            better=KpiDirection(self.better),
            target=self.target,
            actual=self.actual,
            before=self.before,
            supplied_by=self.supplied_by,
            channel=self.channel,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaRow:
    """An item of the agenda."""

    place: int
    kind: str
    title: str
    why: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedRow:
    """A decision of an earlier meeting, and what became of it."""

    ref: str
    decision: str
    title: str
    owner: str
    due_on: date
    state: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisRow:
    """One metric of a model on every basis it has, in words; "" where it has none."""

    name: str
    projected: str
    measured: str
    billed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRow:
    """A measured variant of a model, and where it stands on the frontier."""

    name: str
    answer: str
    accuracy: str
    p95_ms: str
    standing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPage:
    """A model on one page: what is asked of the meeting, its values, variants, conditions and risks."""

    model: str
    name: str
    version: str
    owner: str
    tier: str
    authorization: str
    asked: tuple[str, ...]
    metrics: tuple[BasisRow, ...]
    options: tuple[VariantRow, ...]
    conditions: tuple[str, ...]
    risks: tuple[str, ...]
    requests: tuple[str, ...]
    variance: Variance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A request the quarter rejected, or an option it measured and did not take."""

    ref: str
    title: str
    model: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """What differs from the packet of the quarter before; "" where there was nothing, or is nothing now."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """Where a part comes from, and by which rule."""

    part: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterlyPacket:
    """Everything the packet of one quarter says."""

    quarter: str
    cut_off_at: datetime
    generated_at: datetime
    generator: str
    spend: tuple[BudgetRowOfQuarter, ...]
    points: tuple[PortfolioPoint, ...]
    variances: tuple[Variance, ...]
    scores: tuple[ScoreRow, ...]
    agenda: tuple[AgendaRow, ...]
    followed: tuple[FollowedRow, ...]
    changes: tuple[ChangeRow, ...]
    models: tuple[ModelPage, ...]
    rejected: tuple[RejectedRow, ...]
    sources: tuple[SourceRow, ...]
    schema: str = SCHEMA

    @property
    def money(self) -> tuple[BudgetRowOfQuarter, ...]:
        """The accounts in US dollars."""
        return tuple(each for each in self.spend if each.unit == "USD")

    @property
    def allocated_usd(self) -> Decimal:
        """What was allocated, over all accounts in US dollars."""
        return sum((each.allocated for each in self.money), ZERO)

    @property
    def spent_usd(self) -> Decimal:
        """What was billed or accrued, over all accounts in US dollars."""
        return sum((each.spent for each in self.money), ZERO)

    @property
    def forecast_usd(self) -> Decimal:
        """What will have been spent by the quarter's end, over all accounts in US dollars."""
        return sum((each.forecast for each in self.money), ZERO)

    @property
    def is_generated(self) -> bool:
        """Whether an amount of it rests on generated bills."""
        return any(each.is_generated for each in self.spend) or any(each.is_generated for each in self.variances)

    @property
    def totals(self) -> Totals:
        """How many KPIs met their target."""
        return totals(tuple(row.score for row in self.scores))

    @property
    def unfinished(self) -> int:
        """How many decisions of earlier meetings are still open."""
        return sum(row.state in {"open", "acknowledged"} for row in self.followed)

    @property
    def over(self) -> tuple[BudgetRowOfQuarter, ...]:
        """The accounts that are over, or will be."""
        return tuple(each for each in self.spend if each.is_over)


def frontier(points: Sequence[PortfolioPoint]) -> frozenset[str]:
    """The models that no other beats: none costs no more, is no slower and is worth no less while better in one.

    Only models of which all three are known take part.
    """
    known = [(each.model, each.cost_usd, each.latency_ms, each.value) for each in points]
    whole = [
        (m, (c, latency, -v)) for m, c, latency, v in known if c is not None and latency is not None and v is not None
    ]
    return frozenset(
        model
        for model, mine in whole
        if not any(other != mine and all(o <= m for o, m in zip(other, mine, strict=True)) for _, other in whole)
    )
