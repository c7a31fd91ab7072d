"""The generated company, read from `company.yaml`, and the event of each model in the second quarter."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import yaml

from reviews.quarterly.domain.decisions import DecisionKind
from weighbridge.core.converter import from_document

ONE = Decimal(1)
MARK = "generated"


class Twist(StrEnum):
    """The event of a model in the second quarter; `STORY` has its factors."""

    NONE = "as planned"
    GROWN = "more requests"
    DEARER = "a higher price"
    SPRAWLING = "over its budget"
    IDLE = "idle"
    RESTATED = "a restated bill"


@dataclass(frozen=True)
class QuarterChange:
    """Factors on requests, on units for each request, and on the price of a unit."""

    requests: Decimal = ONE
    units_each: Decimal = ONE
    price: Decimal = ONE


STORY = {
    Twist.NONE: QuarterChange(),
    Twist.RESTATED: QuarterChange(),
    Twist.GROWN: QuarterChange(requests=Decimal("1.6")),
    Twist.DEARER: QuarterChange(price=Decimal("1.25")),
    Twist.SPRAWLING: QuarterChange(units_each=Decimal(5)),
    Twist.IDLE: QuarterChange(requests=Decimal("0.01"), units_each=Decimal(100)),
}


@dataclass(frozen=True)
class KpiStory:
    """The business KPI of a model and its actuals in both quarters."""

    name: str
    unit: str
    target: Decimal
    actuals: tuple[Decimal, Decimal]
    is_higher_better: bool = True


@dataclass(frozen=True, kw_only=True)
class Model:
    """A generated model: requests per year, server seconds per request, dollars per server hour and right answer."""

    team: str
    slug: str
    name: str
    tier: str
    task: str
    requests_a_year: int
    seconds: Decimal
    usd_per_hour: Decimal
    training_gpu_hours: int
    p95_ms: Decimal
    accuracy: Decimal
    usd_per_right_answer: Decimal
    kpi: KpiStory
    twist: Twist = Twist.NONE
    is_new: bool = False
    """Whether it is approved only in the second quarter and runs from the second month of that quarter."""

    @property
    def title(self) -> str:
        """Its name, marked as generated."""
        return f"{self.name} ({MARK})"


@dataclass(frozen=True)
class TeamStory:
    """A team, its unit, and the person who owns its models."""

    slug: str
    name: str
    unit: str
    owner: str
    owner_name: str


@dataclass(frozen=True)
class MeetingVerdict:
    """A decision of the meeting about a model, with the rationale."""

    model: str
    kind: DecisionKind
    why: str
    days: int = 45
    amount_usd: Decimal | None = None


@dataclass(frozen=True)
class Company:
    """The company, or a part of it for a test; `meetings` has the decisions of each quarter's review."""

    units: dict[str, str]
    teams: tuple[TeamStory, ...]
    models: tuple[Model, ...]
    meetings: tuple[tuple[MeetingVerdict, ...], tuple[MeetingVerdict, ...]]

    def team(self, slug: str) -> TeamStory:
        """The team with this slug."""
        return next(team for team in self.teams if team.slug == slug)

    def only(self, *slugs: str) -> "Company":
        """The company with only these models."""
        return replace(self, models=tuple(model for model in self.models if model.slug in slugs))


COMPANY = from_document(
    Company, yaml.safe_load(Path(__file__).with_name("company.yaml").read_text()), name="generated company"
)
