"""Options: the alternatives of a projection, with training, serving, ownership and exit, on one load curve."""

import dataclasses

from weighbridge.core.kpis import KpiLink
from weighbridge.costs.parts.endpoint import EndpointServing, Serverless
from weighbridge.costs.parts.load_curve import LoadCurve
from weighbridge.costs.parts.lock_in import LockIn
from weighbridge.costs.parts.managed import ManagedApi, Provisioned
from weighbridge.costs.parts.ownership import Ownership
from weighbridge.costs.parts.serving import SelfHosted
from weighbridge.costs.parts.time_model import TimeModel
from weighbridge.costs.parts.training import Training
from weighbridge.costs.parts.work import OwnedHardware, Work
from weighbridge.costs.prices.files.snapshot import Snapshot
from weighbridge.costs.spec.pins import Pin
from weighbridge.costs.uncertainty import DRAWS, SEED, Amount, Share, check_amounts, check_positive, middle_of
from weighbridge.costs.value import answer_quality as answers
from weighbridge.costs.value.accepted_answers import AnswerChecks

Serving = SelfHosted | EndpointServing | Serverless | ManagedApi | Provisioned


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shared(TimeModel):
    """Inputs that are the same for all options, time included; all options use the same draws of them."""

    requests_per_year: Amount
    engineer_usd_per_h: Amount = 0.0
    fte_usd: Amount = 0.0

    def __post_init__(self) -> None:
        """Validate the amounts, the years and the discount rate."""
        check_amounts(self)
        check_positive(self, "requests_per_year")
        self.check_time()


@dataclasses.dataclass(frozen=True, kw_only=True)
class CostOption:
    """One way to get the answers; missing parts are None."""

    id: str
    title: str
    serving: Serving
    ownership: Ownership
    training: Training | None = None
    work: Work | None = None
    owned_hardware: OwnedHardware | None = None
    lock_in: LockIn | None = None
    quality: answers.Quality | None = None
    acceptance: AnswerChecks | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Value:
    """The value of answers: gains are relative to the option `baseline`; the share `adoption` of them is realized."""

    baseline: str
    stakes: answers.Stakes
    adoption: Share = 1.0

    def __post_init__(self) -> None:
        """Validate the share."""
        check_amounts(self)


@dataclasses.dataclass(frozen=True)
class Threshold:
    """Asks for the probability that `metric` of an option is above `above`."""

    metric: str
    above: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class CostSpec:
    """All inputs of a projection, prices included; `pinned` are the prices taken from the book."""

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
        """Return the requests per year of the curve."""
        return middle_of(self.shared.requests_per_year)
