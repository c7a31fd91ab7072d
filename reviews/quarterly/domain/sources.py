"""The input of the agenda rules, as plain values without a database."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRequest:
    """Something about the request `ref`; `model` is "team/slug"."""

    ref: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Investment(OfRequest):
    """A request with a mandatory review: pending, or approved at `approved_at`. `usd` is its cost of one year."""

    title: str
    state: str
    usd: Decimal | None
    approved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionDue(OfRequest):
    """A condition of an authorization that is owed: not met, lifted or carried by a newer authorization."""

    number: int
    authorization: str
    text: str
    owner: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiringAuthorization(OfRequest):
    """An authorization that is in force or suspended, with its end."""

    authorization: str
    environment: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFinding:
    """An open finding: `kind` is a slug such as `budget.overrun`, `text` a sentence.

    `team`, `model` and `ref` name its subject as far as known; `page` links to the details.
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
class ForecastError(OfRequest):
    """The projected and the billed cost of an authorization in the quarter, in USD."""

    projected_usd: Decimal
    billed_usd: Decimal

    @property
    def error(self) -> Decimal | None:
        """|billed - projected| / |projected|, as a share of 1; None if nothing was projected."""
        return abs(self.billed_usd - self.projected_usd) / abs(self.projected_usd) if self.projected_usd else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverInForce(OfRequest):
    """A waiver of a soft rule until `expires_at`."""

    number: int
    rule: str
    reason: str
    granted_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnownedModel:
    """A model whose owner left."""

    model: str
    name: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving(OfRequest):
    """A cheaper variant that was measured and found worth using. `is_realized`: it is in use.

    `share` is the saved part of cost or time, as a share of 1; None if not measured.
    """

    variant: str
    share: Decimal | None
    is_realized: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAction:
    """An action item of an earlier meeting that is not closed."""

    ref: str
    quarter: str
    model: str
    text: str
    owner: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All input from which the agenda rules select."""

    investments: tuple[Investment, ...] = ()
    conditions: tuple[ConditionDue, ...] = ()
    expirations: tuple[ExpiringAuthorization, ...] = ()
    findings: tuple[OpenFinding, ...] = ()
    forecast_errors: tuple[ForecastError, ...] = ()
    waivers: tuple[WaiverInForce, ...] = ()
    unowned_models: tuple[UnownedModel, ...] = ()
    savings: tuple[Saving, ...] = ()
    open_actions: tuple[OpenAction, ...] = ()
