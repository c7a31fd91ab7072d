"""Ownership: the total cost over several years, discounted.

Cash flows of a year count at mid-year: TCO = sum of CF_t / (1 + r)^(t - 0.5); year 0 is not discounted.
"""

import dataclasses
import math

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Costing, CostLine, Number, line_of, part
from weighbridge.costs.parts.load_curve import MONTHS
from weighbridge.costs.parts.traffic import TrafficTier, check_traffic, tiered_usd
from weighbridge.costs.uncertainty import Amount, check_amounts

YEARS_MAX = 30
MONITORING = "serving_usd · monitoring_share"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ownership:
    """What owning a model costs: `development_usd` and `training_usd` once, the rest each year at today's prices.

    Serving grows by `volume_growth` and its price drifts by `price_drift` a year; monitoring is a share of serving.
    Traffic out is an amount a year, or gigabytes a month at `egress_tiers`: a list, or `{sku:
    aws/us-east-1/egress-internet}`.
    `switch_probability` is that of leaving within the years, at `exit_usd`, taken to fall into the last one.
    """

    development_usd: Amount
    serving_usd: Amount
    training_usd: Amount = 0.0
    years: int = 3
    discount_rate: float = 0.08
    volume_growth: Amount = 0.0
    price_drift: Amount = 0.0
    maintenance_fte: Amount = 0.0
    fte_usd: Amount = 0.0
    monitoring_share: Amount = 0.0
    retrainings_per_year: Amount = 0.0
    retraining_usd: Amount = 0.0
    egress_usd: Amount = 0.0
    egress_gb_per_month: Amount = 0.0
    egress_tiers: tuple[TrafficTier, ...] = ()
    license_usd: Amount = 0.0
    audit_usd: Amount = 0.0
    exit_usd: Amount = 0.0
    switch_probability: float = 0.0

    def __post_init__(self) -> None:
        """Validate the amounts, the years and the rates."""
        may_fall = ("volume_growth", "price_drift")
        check_amounts(self, but=(*may_fall, "years", "discount_rate", "switch_probability", "egress_tiers"))
        check_traffic(self.egress_gb_per_month, self.egress_tiers)
        check_horizon(self.years, self.discount_rate)
        if not 0 <= self.switch_probability <= 1:
            raise Invalid("The switch probability must be between 0 and 1.", field="switch_probability")


def check_horizon(years: int, discount_rate: float) -> None:
    """Raise Invalid for years or a discount rate out of range."""
    if not 1 <= years <= YEARS_MAX:
        raise Invalid(f"The horizon must be 1 to {YEARS_MAX} years.", field="years")
    if not -0.5 < discount_rate < 1:
        raise Invalid("A discount rate must be a share such as 0.08, between -0.5 and 1.", field="discount_rate")


def total_cost(spec: Ownership) -> Costing:
    """Return the present value of each kind of cost over the years; `spec` has numbers or draws, no ranges."""
    flat = _factors(spec, growth=1.0)
    rising = _factors(spec, growth=(1 + spec.volume_growth) * (1 + spec.price_drift))
    last = (1 + spec.discount_rate) ** -(spec.years - 0.5)
    lines = (
        line_of(spec, "development", spec.development_usd, "development_usd"),
        line_of(spec, "training", spec.training_usd, "training_usd"),
        _present("serving", spec.serving_usd, "serving_usd", rising),
        _present("monitoring", part(spec.serving_usd, spec.monitoring_share), MONITORING, rising),
        *(_present(line.name, line.usd, line.formula, flat) for line in _upkeep(spec)),
        line_of(
            spec,
            "exit",
            part(spec.exit_usd, spec.switch_probability) * last,
            "switch_probability · exit_usd · last_year_factor",
            last_year_factor=last,
        ),
    )
    return Costing(lines)


def upkeep_of_first_year(spec: Ownership) -> Costing:
    """Return the undiscounted first year without serving: monitoring, people, retraining, traffic, licenses, audit."""
    monitoring = line_of(spec, "monitoring", part(spec.serving_usd, spec.monitoring_share), MONITORING)
    return Costing((monitoring, *_upkeep(spec)))


def _upkeep(spec: Ownership) -> tuple[CostLine, ...]:
    """Return the yearly costs that do not depend on serving, at today's prices."""
    retraining_usd = spec.retrainings_per_year * spec.retraining_usd
    return (
        line_of(spec, "maintenance", spec.maintenance_fte * spec.fte_usd, "maintenance_fte · fte_usd"),
        line_of(spec, "retraining", retraining_usd, "retrainings_per_year · retraining_usd"),
        _egress(spec),
        line_of(spec, "licenses", spec.license_usd, "license_usd"),
        line_of(spec, "audit", spec.audit_usd, "audit_usd"),
    )


def _egress(spec: Ownership) -> CostLine:
    """Return the yearly traffic cost: the stated amount, plus monthly gigabytes at their tier prices."""
    if not spec.egress_tiers:
        return line_of(spec, "egress", spec.egress_usd, "egress_usd")
    usd = spec.egress_usd + MONTHS * tiered_usd(spec.egress_gb_per_month, spec.egress_tiers)
    return line_of(spec, "egress", usd, "egress_usd + 12 · egress_gb_per_month at the price of each tier")


def equivalent_annual_usd(total_usd: Number, years: int, discount_rate: float) -> Number:
    """Return the constant yearly payment with the same present value: TCO · r / (1 - (1 + r)^-N)."""
    if discount_rate == 0:
        return total_usd / years
    return total_usd * discount_rate / -math.expm1(-years * math.log1p(discount_rate))


def present_value_factor(years: int, discount_rate: float) -> float:
    """Return the present value of 1 US dollar at the end of each year: the sum of (1 + r)^-t."""
    return sum((1 + discount_rate) ** -year for year in range(1, years + 1))


def _factors(spec: Ownership, growth: Number) -> Number:
    """Return the sum of growth^(t-1) / (1 + r)^(t - 0.5) over the years."""
    return sum(
        (growth ** (year - 1) / (1 + spec.discount_rate) ** (year - 0.5) for year in range(1, spec.years + 1)), 0.0
    )


def _present(name: str, usd: Number, formula: str, factor: Number) -> CostLine:
    return CostLine(
        name, usd * factor, f"{formula} · present_value_factor", {name: usd, "present_value_factor": factor}
    )
