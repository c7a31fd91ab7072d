"""The content of a quarterly packet: a frozen document of texts and values that is rendered without the database.

Amounts are US dollars unless a unit is named; shares are of 1. An unknown value is None and is printed as unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from reviews.packets.domain.packet import read_document
from reviews.scorecard.domain.scorecard import KpiScore, Totals, totals

SCHEMA: Final = "weighbridge.quarterly/1"
ZERO = Decimal(0)
PARTS: Final = ("volume", "efficiency", "price")


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRowOfQuarter:
    """One budget account of the quarter. `forecast` is the expected spend at the end of the quarter.

    `is_generated`, here and in `Variance`: the spend comes from generated bills.
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
        """Whether spend or forecast exceeds the allocation."""
        return max(self.spent, self.forecast) > self.allocated


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioPoint:
    """A model in the portfolio: cost of one year in USD, p95 latency in ms, and its expected KPI change (a share).

    The limits are those of the policy that judged its request, for this request; None without one.
    """

    model: str
    cost_usd: Decimal | None
    latency_ms: Decimal | None
    value: Decimal | None
    cost_limit_usd: Decimal | None = None
    latency_limit_ms: Decimal | None = None

    @property
    def is_over_cost(self) -> bool:
        """Whether the cost is known and above its limit."""
        return _is_above(self.cost_usd, self.cost_limit_usd)

    @property
    def is_over_latency(self) -> bool:
        """Whether the latency is known and above its limit."""
        return _is_above(self.latency_ms, self.latency_limit_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variance:
    """The projected and the billed cost of a model in the quarter, and the known causes of the difference.

    billed = projected + volume + efficiency + price + unexplained, exactly. `missing_inputs` names the data that
    is missing to explain the rest.
    """

    model: str
    projected_usd: Decimal
    billed_usd: Decimal
    volume_usd: Decimal | None = None
    efficiency_usd: Decimal | None = None
    price_usd: Decimal | None = None
    missing_inputs: tuple[str, ...] = ()
    is_generated: bool = False

    @property
    def difference_usd(self) -> Decimal:
        """billed - projected."""
        return self.billed_usd - self.projected_usd

    @property
    def parts(self) -> tuple[tuple[str, Decimal], ...]:
        """The known causes by name; empty if no month has any."""
        named = zip(PARTS, (self.volume_usd, self.efficiency_usd, self.price_usd), strict=True)
        return tuple((name, usd) for name, usd in named if usd is not None)

    @property
    def unexplained_usd(self) -> Decimal:
        """The part of the difference without a known cause: that of months without a supplied number of requests."""
        return self.difference_usd - sum((usd for _, usd in self.parts), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow(KpiScore):
    """A line of the scorecard when the packet was issued."""

    actual: Decimal | None
    before: Decimal | None
    supplied_by: str
    channel: str
    data_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaRow:
    """An item of the agenda."""

    position: int
    kind: str
    title: str
    reason: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedRow:
    """A decision of an earlier meeting and its outcome."""

    ref: str
    decision: str
    title: str
    owner: str
    due_on: date
    state: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisRow:
    """One metric of a model on every basis, as texts; "" for a basis without a value."""

    name: str
    projected: str
    measured: str
    billed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRow:
    """A measured variant of a model and its position relative to the frontier."""

    name: str
    answer: str
    accuracy: str
    p95_ms: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPage:
    """One page about a model: requested decisions, values, variants, conditions and risks."""

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
class ApprovedRow:
    """A request that was approved in the quarter, with conditions or without."""

    ref: str
    title: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A request that was rejected in the quarter."""

    ref: str
    title: str
    model: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A difference from the packet of the previous quarter; "" if there is no value before or now."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """The source and the rule of a part."""

    part: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterlyPacket:
    """The packet of one quarter. `approved` is None in packets issued before approvals were part of them.

    `not_compared` names the models with bills that have no exchange rate, and the missing rates.
    """

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
    approved: tuple[ApprovedRow, ...] | None = None
    not_compared: tuple[str, ...] = ()
    schema: str = SCHEMA

    @property
    def money(self) -> tuple[BudgetRowOfQuarter, ...]:
        """The accounts in US dollars."""
        return tuple(row for row in self.spend if row.unit == "USD")

    @property
    def allocated_usd(self) -> Decimal:
        """The total allocation of all accounts in US dollars."""
        return sum((row.allocated for row in self.money), ZERO)

    @property
    def spent_usd(self) -> Decimal:
        """The total billed or accrued spend of all accounts in US dollars."""
        return sum((row.spent for row in self.money), ZERO)

    @property
    def forecast_usd(self) -> Decimal:
        """The total expected spend at the end of the quarter, of all accounts in US dollars."""
        return sum((row.forecast for row in self.money), ZERO)

    @property
    def is_generated(self) -> bool:
        """Whether any amount comes from generated bills."""
        return any(row.is_generated for row in self.spend) or any(row.is_generated for row in self.variances)

    @property
    def totals(self) -> Totals:
        """How many KPIs met their target."""
        return totals(self.scores)

    @property
    def unfinished(self) -> int:
        """How many decisions of earlier meetings are still open."""
        return sum(row.state in {"open", "acknowledged"} for row in self.followed)

    @property
    def over(self) -> tuple[BudgetRowOfQuarter, ...]:
        """The accounts whose spend or forecast exceeds the allocation."""
        return tuple(row for row in self.spend if row.is_over)


def _is_above(value: Decimal | None, limit: Decimal | None) -> bool:
    return value is not None and limit is not None and value > limit


def read_quarterly_packet(document: Mapping[str, Any]) -> QuarterlyPacket:
    """The packet of a JSON document. Raises Invalid for another schema or a document that is not a packet."""
    return read_document(QuarterlyPacket, document, schema=SCHEMA)
