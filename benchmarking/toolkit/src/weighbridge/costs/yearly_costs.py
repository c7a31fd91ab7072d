"""Evaluate the costs of one option from numbers or draws, with all calculators combined."""

import dataclasses
from collections.abc import Mapping

from weighbridge.costs.lines import Costing, Number
from weighbridge.costs.parts.endpoint import EndpointServing, Serverless, endpoint_cost, serverless_cost
from weighbridge.costs.parts.load_curve import MONTHS, LoadCurve
from weighbridge.costs.parts.lock_in import LockIn, exit_cost
from weighbridge.costs.parts.managed import ManagedApi, managed_cost, provisioned_cost
from weighbridge.costs.parts.options import CostOption, Serving, Shared
from weighbridge.costs.parts.ownership import Ownership, total_cost, upkeep_of_first_year
from weighbridge.costs.parts.serving import SelfHosted, cost_per_1k_usd, serving_cost
from weighbridge.costs.parts.training import Training, training_cost
from weighbridge.costs.uncertainty import Amount


@dataclasses.dataclass(frozen=True)
class Evaluated:
    """The costs of an option by part; `ownership` has the inputs of the years, completed from the other parts."""

    training: Costing
    serving: Costing
    upkeep: Costing
    exit: Costing
    tco: Costing
    ownership: Ownership
    requests_per_year: Number

    @property
    def parts(self) -> dict[str, Costing]:
        """Return the costings by name."""
        return {name: getattr(self, name) for name in ("training", "serving", "upkeep", "exit", "tco")}

    @property
    def metrics(self) -> Mapping[str, Number]:
        """Return all metrics by name."""
        training, serving, upkeep = self.training.total_usd, self.serving.total_usd, self.upkeep.total_usd
        tco = self.tco.total_usd
        return {
            "training_gpu_hours": self.training.quantities["gpu_hours"],
            "training_cost_usd": training,
            "inference_cost_1y_usd": serving,
            "upkeep_1y_usd": upkeep,
            "total_cost_1y_usd": training + serving + upkeep,
            "cost_per_1k_usd": cost_per_1k_usd(serving, self.requests_per_year),
            "cost_per_1k_loaded_usd": cost_per_1k_usd(serving + upkeep, self.requests_per_year),
            "tco_usd": tco,
            "equivalent_annual_usd": self.ownership.annual_usd(tco),
            "exit_cost_usd": self.exit.total_usd,
        }


def evaluate(curve: LoadCurve, shared: Shared, option: CostOption, *, requests_median: float) -> Evaluated:
    """Return the costs of an option. The curve has `requests_median` requests and is scaled to those of the inputs."""
    requests = shared.requests_per_year
    training = _training(shared, option)
    serving = _serving(curve, option.serving, requests, requests / requests_median)
    lock_in = _lock_in(option.lock_in, shared, serving.total_usd)
    leaving = exit_cost(lock_in)
    # Retraining without an amount of its own repeats the compute and labeling costs of the training.
    again = training.usd.get("compute", 0.0) + training.usd.get("labeling", 0.0)
    ownership = dataclasses.replace(
        option.ownership,
        serving_usd=serving.total_usd,
        training_usd=training.total_usd,
        later_serving_usd=_later_serving(curve, shared, option.serving, requests_median),
        **shared.time,
        fte_usd=shared.fte_usd,
        retraining_usd=_stated(option.ownership.retraining_usd, again),
        exit_usd=leaving.total_usd,
        switch_probability=lock_in.switch_probability,
    )
    return Evaluated(
        training, serving, upkeep_of_first_year(ownership), leaving, total_cost(ownership), ownership, requests
    )


def _training(shared: Shared, option: CostOption) -> Costing:
    if option.training is None:
        return Costing((), {"gpu_hours": 0.0})
    changes: dict[str, Number] = {"engineer_usd_per_h": shared.engineer_usd_per_h}
    if option.work is not None:
        changes["gpu_hours"] = option.work.gpu_hours
    if option.owned_hardware is not None:
        changes["usd_per_gpu_h"] = option.owned_hardware.usd_per_gpu_h
    training: Training = dataclasses.replace(option.training, **changes)
    return training_cost(training)


def _serving(curve: LoadCurve, serving: Serving, requests: Number, volume: Number) -> Costing:
    match serving:
        case SelfHosted():
            return serving_cost(curve, dataclasses.replace(serving, volume=volume))
        case EndpointServing():
            replicas = dataclasses.replace(serving.replicas, volume=volume)
            return endpoint_cost(curve, dataclasses.replace(serving, replicas=replicas), requests_per_year=requests)
        case Serverless():
            return serverless_cost(serving, requests_per_year=requests)
        case ManagedApi():
            return managed_cost(dataclasses.replace(serving, requests_per_year=requests))
    return provisioned_cost(curve, dataclasses.replace(serving, volume=volume))


def _later_serving(curve: LoadCurve, shared: Shared, serving: Serving, requests_median: float) -> tuple[Number, ...]:
    """Return the serving cost of the second and later years, sized for their volumes.

    Empty where the cost is in proportion to the volume, or the volume does not grow.
    """
    if isinstance(serving, ManagedApi | Serverless) or _is_zero(shared.volume_growth):
        return ()
    later = shared.rising(shared.requests_per_year, shared.volume_rise)[1:]
    return tuple(_serving(curve, serving, requests, requests / requests_median).total_usd for requests in later)


def _is_zero(amount: Amount) -> bool:
    return isinstance(amount, int | float) and amount == 0


def _lock_in(spec: LockIn | None, shared: Shared, serving_usd: Number) -> LockIn:
    """Return the exit cost. A parallel run without a bill of its own costs the serving of those months."""
    lock_in = LockIn() if spec is None else spec
    monthly = _stated(lock_in.parallel_usd_per_month, serving_usd / MONTHS)
    return dataclasses.replace(lock_in, engineer_usd_per_h=shared.engineer_usd_per_h, parallel_usd_per_month=monthly)


def _stated(usd: Amount, otherwise: Number) -> Number:
    """Return a stated amount; 0 means that it is not stated."""
    return otherwise if isinstance(usd, int | float) and usd <= 0 else usd
