"""What the agenda is gathered from, as plain values: whoever has such values hands them in, wherever they
come from.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Investment:
    """A request that needed a review: still pending, or approved at `approved_at`; `usd` is its cost of one year."""

    ref: str
    title: str
    model: str
    state: str
    usd: Decimal | None
    approved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionDue:
    """A condition of an authorization that nobody has confirmed as met."""

    number: int
    ref: str
    model: str
    authorization: str
    text: str
    owner: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiringAuthorization:
    """An authorization in force or suspended, and when it ends."""

    ref: str
    model: str
    authorization: str
    environment: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An open finding: what the system noticed, `kind` as a slug like `budget.overrun`, `text` in words.

    `team`, `model` and `ref` say what it is about, as far as is known; `page` is where it is explained.
    """

    number: int
    kind: str
    subject: str
    text: str
    page: str
    team: str = ""
    model: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """What an authorization was projected to cost in the quarter, and what was billed, in USD."""

    ref: str
    model: str
    projected_usd: Decimal
    billed_usd: Decimal

    @property
    def error(self) -> Decimal | None:
        """|billed - projected| / |projected|, as a share of 1; None where nothing was projected."""
        return abs(self.billed_usd - self.projected_usd) / abs(self.projected_usd) if self.projected_usd else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenLimit:
    """A measured metric that does not keep its limit any more."""

    ref: str
    model: str
    metric: str
    observed: str
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A waiver: a soft rule somebody need not meet until it runs out."""

    number: int
    ref: str
    model: str
    rule: str
    reason: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A model whose owner is gone."""

    model: str
    name: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """A cheaper variant that was measured, found worth it, and is not in use (`is_realized`: is in use).

    `share` is the part of the cost or time it saves, as a share of 1; None where it was not measured.
    """

    ref: str
    model: str
    variant: str
    share: Decimal | None
    is_realized: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """An action item of an earlier meeting that is not closed."""

    ref: str
    quarter: str
    model: str
    text: str
    owner: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything known, of which the rules pick what the meeting should see."""

    investments: tuple[Investment, ...] = field(default=())
    obligations: tuple[ConditionDue, ...] = field(default=())
    endings: tuple[ExpiringAuthorization, ...] = field(default=())
    findings: tuple[Found, ...] = field(default=())
    misses: tuple[Miss, ...] = field(default=())
    breaches: tuple[BrokenLimit, ...] = field(default=())
    exemptions: tuple[Exemption, ...] = field(default=())
    orphans: tuple[Orphan, ...] = field(default=())
    savings: tuple[Saving, ...] = field(default=())
    unfinished: tuple[Unfinished, ...] = field(default=())
