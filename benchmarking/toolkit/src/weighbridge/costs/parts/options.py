"""Options: what a projection compares, each with its training, serving, ownership and leaving, on one load curve."""

import dataclasses

from weighbridge.core.errors import Invalid
from weighbridge.core.kpis import KpiLink
from weighbridge.costs.parts.endpoint import EndpointServing, Serverless
from weighbridge.costs.parts.load_curve import LoadCurve
from weighbridge.costs.parts.lock_in import LockIn
from weighbridge.costs.parts.managed import ManagedApi, Provisioned
from weighbridge.costs.parts.ownership import YEARS_MAX, Ownership
from weighbridge.costs.parts.serving import SelfHosted
from weighbridge.costs.parts.training import Training
from weighbridge.costs.parts.work import OwnedHardware, Work
from weighbridge.costs.prices.files.snapshot import Snapshot
from weighbridge.costs.spec.pins import Pin
from weighbridge.costs.uncertainty import DRAWS, SEED, Amount, Range, check_amounts, check_positive
from weighbridge.costs.value import answer_quality as answers

Serving = SelfHosted | EndpointServing | Serverless | ManagedApi | Provisioned


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shared:
    """What holds for every option alike, so that one draw of it is used by all."""

    requests_per_year: Amount
    engineer_usd_per_h: Amount = 0.0
    fte_usd: Amount = 0.0
    volume_growth: Amount = 0.0
    years: int = 3
    discount_rate: float = 0.08

    def __post_init__(self) -> None:
        """Refuse what is no amount, and years beyond counting."""
        check_amounts(self, "requests_per_year", "engineer_usd_per_h", "fte_usd")
        check_positive(self, "requests_per_year")
        if not 1 <= self.years <= YEARS_MAX:
            raise Invalid(f"Count over 1 to {YEARS_MAX} years.", field="years")
        if not -0.5 < self.discount_rate < 1:
            raise Invalid("A discount rate is a share such as 0.08, between -0.5 and 1.", field="discount_rate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CostOption:
    """One way to get the answers; what it does not have is None."""

    id: str
    title: str
    serving: Serving
    ownership: Ownership
    training: Training | None = None
    work: Work | None = None
    owned_hardware: OwnedHardware | None = None
    lock_in: LockIn | None = None
    quality: answers.Quality | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Value:
    """What answers are worth; gains are counted against the option `baseline`, and `adoption` of them is realized."""

    baseline: str
    stakes: answers.Stakes
    adoption: Amount = 1.0


@dataclasses.dataclass(frozen=True)
class Threshold:
    """The question how likely it is that `metric` of an option lies above `above`."""

    metric: str
    above: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class CostSpec:
    """Everything that a projection depends on, prices included; `pinned` are those of the book, as it had them."""

    name: str
    shared: Shared
    curve: LoadCurve
    options: tuple[CostOption, ...]
    pins: tuple[Pin, ...]
    snapshot: str
    pinned: Snapshot
    value: Value | None = None
    thresholds: tuple[Threshold, ...] = ()
    kpis: tuple[KpiLink, ...] = ()
    seed: int = SEED
    draws: int = DRAWS

    @property
    def requests_median(self) -> float:
        """Return the requests of a year that the curve holds."""
        requests = self.shared.requests_per_year
        return requests.median if isinstance(requests, Range) else float(requests)
