"""Managed endpoints: a vendor runs your own model, priced by instance hour or by call."""

import dataclasses

from weighbridge.costs.lines import Costing, CostLine, Number, line_of
from weighbridge.costs.parts.load_curve import HOURS_PER_YEAR, MONTHS, LoadCurve
from weighbridge.costs.parts.serving import SelfHosted, serving_cost
from weighbridge.costs.spec.usd import UsdPerGb, UsdPerGbMonth, UsdPerGbS
from weighbridge.costs.uncertainty import Amount, check_amounts

KB_PER_GB = 1_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class EndpointServing:
    """Real-time instances of a managed service, sized like self-hosted replicas at the price of the service.

    Each replica stores `storage_gb` at `usd_per_gb_month`; `kb_per_request` is the traffic of a request at
    `usd_per_gb`.
    """

    replicas: SelfHosted
    storage_gb: Amount = 0.0
    usd_per_gb_month: UsdPerGbMonth = 0.0
    kb_per_request: Amount = 0.0
    usd_per_gb: UsdPerGb = 0.0

    def __post_init__(self) -> None:
        """Validate the amounts."""
        check_amounts(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Serverless:
    """Calls priced by memory and time; `provisioned` copies of `memory_gb` stay warm all year at their own price."""

    memory_gb: Amount
    duration_s: Amount
    usd_per_gb_s: UsdPerGbS
    kb_per_request: Amount = 0.0
    usd_per_gb: UsdPerGb = 0.0
    provisioned: Amount = 0.0
    provisioned_usd_per_gb_s: UsdPerGbS = 0.0

    def __post_init__(self) -> None:
        """Validate the amounts."""
        check_amounts(self)


def endpoint_cost(curve: LoadCurve, spec: EndpointServing, *, requests_per_year: Number) -> Costing:
    """Return the yearly cost of an endpoint: replica hours, storage of the replicas and traffic."""
    compute = serving_cost(curve, spec.replicas)
    replicas: Number = compute.quantities["replica_hours"] / HOURS_PER_YEAR
    storage = line_of(
        spec,
        "storage",
        replicas * spec.storage_gb * spec.usd_per_gb_month * MONTHS,
        "mean_replicas · storage_gb · usd_per_gb_month · 12",
        mean_replicas=replicas,
    )
    return dataclasses.replace(compute, lines=(*compute.lines, storage, _traffic(spec, requests_per_year)))


def serverless_cost(spec: Serverless, *, requests_per_year: Number) -> Costing:
    """Return the yearly cost of calls: N · memory · seconds · price, plus provisioned capacity and traffic."""
    seconds = HOURS_PER_YEAR * 3_600
    calls = line_of(
        spec,
        "calls",
        requests_per_year * spec.memory_gb * spec.duration_s * spec.usd_per_gb_s,
        "requests_per_year · memory_gb · duration_s · usd_per_gb_s",
        requests_per_year=requests_per_year,
    )
    warm = line_of(
        spec,
        "kept warm",
        spec.provisioned * spec.memory_gb * spec.provisioned_usd_per_gb_s * seconds,
        "provisioned · memory_gb · provisioned_usd_per_gb_s · 8760 · 3600",
    )
    return Costing((calls, warm, _traffic(spec, requests_per_year)))


def _traffic(spec: EndpointServing | Serverless, requests_per_year: Number) -> CostLine:
    return line_of(
        spec,
        "traffic",
        requests_per_year * spec.kb_per_request / KB_PER_GB * spec.usd_per_gb,
        "requests_per_year · kb_per_request / 1e6 · usd_per_gb",
        requests_per_year=requests_per_year,
    )
