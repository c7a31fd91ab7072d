"""Ownership: the total cost over several years, discounted by the time model."""

import dataclasses
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weighbridge.costs.lines import Costing, CostLine, Number, line_of, part
from weighbridge.costs.parts.load_curve import MONTHS
from weighbridge.costs.parts.time_model import TimeModel
from weighbridge.costs.parts.traffic import TrafficTier, check_traffic, tiered_usd
from weighbridge.costs.uncertainty import Amount, Change, Share, check_amounts, check_share

MONITORING = "serving_usd · monitoring_share"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ownership(TimeModel):
    """What owning a model costs: `development_usd` and `training_usd` once, the rest each year in service.

    Serving and traffic grow with the volume; the price of serving drifts by `price_drift` a year; monitoring is a share
    of serving. The other amounts stay the same, at today's prices. `later_serving_usd` is the serving of the second and
    later years at today's prices, where it is not in proportion to the volume.
    Traffic out is an amount a year, or gigabytes a month at `egress_tiers`: a list, or `{sku:
    aws/us-east-1/egress-internet}`.
    `switch_probability` is that of leaving within the years, at `exit_usd`, taken to fall into the last one.
    """

    development_usd: Amount
    serving_usd: Amount
    training_usd: Amount = 0.0
    price_drift: Change = 0.0
    maintenance_fte: Amount = 0.0
    fte_usd: Amount = 0.0
    monitoring_share: Share = 0.0
    retrainings_per_year: Amount = 0.0
    retraining_usd: Amount = 0.0
    egress_usd: Amount = 0.0
    egress_gb_per_month: Amount = 0.0
    egress_tiers: tuple[TrafficTier, ...] = ()
    license_usd: Amount = 0.0
    audit_usd: Amount = 0.0
    exit_usd: Amount = 0.0
    switch_probability: float = 0.0
    later_serving_usd: tuple[Amount, ...] = ()

    def __post_init__(self) -> None:
        """Validate the amounts, the years and the rates."""
        self.check_time()
        check_amounts(self)
        check_traffic(self.egress_gb_per_month, self.egress_tiers)
        check_share(self, "switch_probability")


class _Flow(NamedTuple):
    """One kind of cost: the line of its first full year, and its amounts in all years."""

    line: CostLine
    yearly: list[Number]


def total_cost(spec: Ownership) -> Costing:
    """Return the present value of each kind of cost over the years; `spec` has numbers or draws, no ranges."""
    lines = (
        line_of(spec, "development", spec.development_usd, "development_usd"),
        line_of(spec, "training", spec.training_usd, "training_usd"),
        *(_present(spec, flow) for flow in _flows(spec)),
        _exit(spec),
    )
    return Costing(lines)


def cost_by_month(spec: Ownership) -> NDArray[np.float64]:
    """Return the present value of all costs up to the end of each month, (..., months); the last is the total cost.

    Development and training are paid at the start; the expected exit cost is spread over the last year.
    """
    last_year = np.clip(np.arange(1, spec.years * MONTHS + 1) / MONTHS - spec.years + 1, 0, 1)
    once = np.asarray(spec.development_usd + spec.training_usd)[..., None]
    with np.errstate(invalid="ignore"):
        leaving = np.where(last_year > 0, np.asarray(_exit(spec).usd)[..., None] * last_year, 0.0)
    return sum((spec.present_by_month(flow.yearly) for flow in _flows(spec)), once + leaving)


def _flows(spec: Ownership) -> tuple[_Flow, ...]:
    """Return the costs of the years."""
    serving = _serving(spec)
    monitoring = [part(usd, spec.monitoring_share) for usd in serving]
    return (
        _Flow(line_of(spec, "serving", spec.serving_usd, "serving_usd"), serving),
        _Flow(_monitoring(spec), monitoring),
        _Flow(_egress(spec), [_egress(spec, volume).usd for volume in spec.rising(1.0, spec.volume_rise)]),
        *(_Flow(line, spec.rising(line.usd, 1.0)) for line in _constant(spec)),
    )


def _serving(spec: Ownership) -> list[Number]:
    """Return the serving cost of each year: stated for its volume, or in proportion to the volume; prices drift."""
    drift = 1 + spec.price_drift
    if not spec.later_serving_usd:
        return spec.rising(spec.serving_usd, spec.volume_rise * drift)
    sized = (spec.serving_usd, *spec.later_serving_usd)
    return [usd * drift**year for year, usd in enumerate(sized)]


def _exit(spec: Ownership) -> CostLine:
    """Return the expected exit cost, in the last year."""
    last = float(spec.discounts[-1])
    usd = part(spec.exit_usd, spec.switch_probability) * last
    return line_of(spec, "exit", usd, "switch_probability · exit_usd · last_year_factor", last_year_factor=last)


def _monitoring(spec: Ownership) -> CostLine:
    return line_of(spec, "monitoring", part(spec.serving_usd, spec.monitoring_share), MONITORING)


def upkeep_of_first_year(spec: Ownership) -> Costing:
    """Return the undiscounted first year without serving: monitoring, people, retraining, traffic, licenses, audit."""
    return Costing((_monitoring(spec), _egress(spec), *_constant(spec)))


def _constant(spec: Ownership) -> tuple[CostLine, ...]:
    """Return the yearly costs that do not depend on the volume, at today's prices."""
    retraining_usd = spec.retrainings_per_year * spec.retraining_usd
    return (
        line_of(spec, "maintenance", spec.maintenance_fte * spec.fte_usd, "maintenance_fte · fte_usd"),
        line_of(spec, "retraining", retraining_usd, "retrainings_per_year · retraining_usd"),
        line_of(spec, "licenses", spec.license_usd, "license_usd"),
        line_of(spec, "audit", spec.audit_usd, "audit_usd"),
    )


def _egress(spec: Ownership, volume: Number = 1.0) -> CostLine:
    """Return the yearly cost of `volume` times the stated traffic: the amount, plus gigabytes at their tiers."""
    if not spec.egress_tiers:
        return line_of(spec, "egress", spec.egress_usd * volume, "egress_usd")
    usd = spec.egress_usd * volume + MONTHS * tiered_usd(spec.egress_gb_per_month * volume, spec.egress_tiers)
    return line_of(spec, "egress", usd, "egress_usd + 12 · egress_gb_per_month at the price of each tier")


def _present(spec: Ownership, flow: _Flow) -> CostLine:
    """Return the present value of a cost, with its amounts in the first and in the last year."""
    line, yearly = flow
    terms = {f"{line.name}_in_year_{year}": yearly[year - 1] for year in (1, spec.years)}
    formula = f"present value of {line.formula} in each year"
    return CostLine(line.name, spec.present_usd(yearly), formula, {**terms, "discount_rate": spec.discount_rate})
