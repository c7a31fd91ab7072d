"""The generated company: units, teams, models, and the event of each model in the second quarter."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

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
    """A generated model: requests per year, server seconds per request, and dollars per server hour."""

    team: str
    slug: str
    name: str
    tier: str
    requests_a_year: int
    seconds: Decimal
    usd_per_hour: Decimal
    training_gpu_hours: int
    p95_ms: Decimal
    accuracy: Decimal
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
class Company:
    """The company, or a part of it for a test."""

    units: dict[str, str]
    teams: tuple[TeamStory, ...]
    models: tuple[Model, ...]

    def team(self, slug: str) -> TeamStory:
        """The team with this slug."""
        return next(team for team in self.teams if team.slug == slug)

    def only(self, *slugs: str) -> "Company":
        """The company with only these models."""
        return Company(self.units, self.teams, tuple(model for model in self.models if model.slug in slugs))


UNITS = {"commerce": "Commerce", "customer-care": "Customer Care", "operations": "Operations"}
TEAMS = (
    TeamStory("recommendations", "Recommendations", "commerce", "rosa", "Rosa Ranking"),
    TeamStory("support", "Support", "customer-care", "sami", "Sami Support"),
    TeamStory("fraud", "Fraud", "operations", "frida", "Frida Fraud"),
    TeamStory("logistics", "Logistics", "operations", "lou", "Lou Logistics"),
)


def _kpi(name: str, unit: str, target: str, actuals: tuple[str, str], *, is_higher_better: bool = True) -> KpiStory:
    return KpiStory(name, unit, Decimal(target), (Decimal(actuals[0]), Decimal(actuals[1])), is_higher_better)


def _model(
    place: tuple[str, str],
    name: str,
    load: tuple[str, int, str, str],
    measured: tuple[int, str, str],
    kpi: KpiStory,
    twist: Twist = Twist.NONE,
    *,
    is_new: bool = False,
) -> Model:
    """`load`: tier, requests a year, seconds each, dollars an hour; `measured`: GPU hours, p95 in ms, accuracy."""
    tier, requests, seconds, usd = load
    hours, p95, accuracy = measured
    return Model(
        team=place[0],
        slug=place[1],
        name=name,
        tier=tier,
        requests_a_year=requests,
        seconds=Decimal(seconds),
        usd_per_hour=Decimal(usd),
        training_gpu_hours=hours,
        p95_ms=Decimal(p95),
        accuracy=Decimal(accuracy),
        kpi=kpi,
        twist=twist,
        is_new=is_new,
    )


MODELS = (
    _model(
        ("recommendations", "home-feed"),
        "Home feed ranking",
        ("T1", 900_000_000, "0.06", "1.20"),
        (160, "38", "0.913"),
        _kpi("Click rate of the home feed", "%", "4.1", ("4.2", "4.6")),
        Twist.GROWN,
    ),
    _model(
        ("recommendations", "basket-offers"),
        "Basket offers",
        ("T2", 240_000_000, "0.05", "0.80"),
        (60, "31", "0.884"),
        _kpi("Baskets with an accepted offer", "%", "6.0", ("6.3", "6.2")),
        is_new=True,
    ),
    _model(
        ("recommendations", "similar-items"),
        "Similar items",
        ("T2", 420_000_000, "0.04", "0.80"),
        (90, "24", "0.902"),
        _kpi("Orders after a similar item", "%", "2.4", ("2.2", "2.5")),
    ),
    _model(
        ("support", "ticket-router"),
        "Ticket router",
        ("T2", 60_000_000, "0.08", "0.80"),
        (40, "44", "0.931"),
        _kpi("Tickets routed right at once", "%", "90", ("91.5", "91.9")),
    ),
    _model(
        ("support", "reply-drafts"),
        "Reply drafts",
        ("T2", 18_000_000, "0.40", "1.20"),
        (80, "92", "0.861"),
        _kpi("Minutes to the first answer", "min", "14", ("13.2", "12.1"), is_higher_better=False),
        Twist.SPRAWLING,
    ),
    _model(
        ("support", "voice-notes"),
        "Voice notes to text",
        ("T3", 30_000_000, "0.30", "0.80"),
        (70, "85", "0.878"),
        _kpi("Calls with a usable note", "%", "80", ("81.0", "80.7")),
    ),
    _model(
        ("fraud", "card-fraud"),
        "Card fraud",
        ("T1", 600_000_000, "0.05", "1.20"),
        (120, "27", "0.957"),
        _kpi("Losses for each million of turnover", "USD", "410", ("402", "405"), is_higher_better=False),
        Twist.DEARER,
    ),
    _model(
        ("fraud", "account-takeover"),
        "Account takeover",
        ("T1", 360_000_000, "0.05", "0.80"),
        (90, "29", "0.944"),
        _kpi("Takeovers stopped", "%", "93", ("93.4", "94.0")),
        is_new=True,
    ),
    _model(
        ("logistics", "parcel-eta"),
        "Parcel arrival time",
        ("T2", 300_000_000, "0.04", "0.80"),
        (50, "22", "0.897"),
        _kpi("Parcels within the promised hour", "%", "88", ("88.9", "89.3")),
        Twist.RESTATED,
    ),
    _model(
        ("logistics", "demand-forecast"),
        "Demand forecast",
        ("T2", 24_000_000, "0.50", "0.80"),
        (110, "88", "0.872"),
        _kpi("Stock written off", "%", "1.8", ("1.9", "1.7"), is_higher_better=False),
    ),
    _model(
        ("logistics", "address-match"),
        "Address matching",
        ("T3", 90_000_000, "0.06", "0.80"),
        (30, "33", "0.926"),
        _kpi("Parcels returned for their address", "%", "0.9", ("0.9", "1.1"), is_higher_better=False),
        Twist.IDLE,
    ),
)
COMPANY = Company(UNITS, TEAMS, MODELS)
