"""Costs: of a request and of an accepted answer, with a person who answers where the model fails; and B against A."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import weighbridge
from examples.support_assistant.settings import GOOD_SHARE, MEAN_PER_S, PEAK_PER_S, SupportSettings

Records = Mapping[str, Mapping[str, Any]]
# Below this goodput (1/s), no number of replicas is worth a price.
LEAST_GOODPUT_PER_S = 0.02
UTILIZATION_MAX = 0.99


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnReplicas:
    """The replicas of a candidate for the peak, spare ones included; each has `goodput_per_s`."""

    sku: str
    goodput_per_s: float
    replicas: int

    def inputs(self, settings: SupportSettings) -> dict[str, Any]:
        """Return the inputs of an own server at the mean demand, whose range is declared."""
        capacity = self.replicas * self.goodput_per_s
        shares = [min(UTILIZATION_MAX, MEAN_PER_S * end / capacity) for end in settings.declared.demand]
        return {"usd_per_replica_h": {"sku": self.sku}, "goodput_per_s": self.goodput_per_s, "utilization": shares}


def replicas_of(
    option: str, load: Mapping[str, Any], sizing: Mapping[str, Any], settings: SupportSettings
) -> OwnReplicas | None:
    """Return the replicas of B, C or D; None where a replica answers next to nothing within the limits.

    Those of B follow from its sizing. A replica of C or D that kept the limits is worth the rate of its test, which is
    all that is known of it; else it is worth its goodput there, less what uneven balancing takes.
    """
    declared = settings.declared
    if option == "b":
        rate, count = sizing["highest_rate_per_s"]["value"], sizing["replicas"]["value"]
        return None if not count else OwnReplicas(sku=declared.gpu_sku, goodput_per_s=rate, replicas=count)
    goodput = load["metrics"].get("goodput_per_s", {"value": 0.0})["value"]
    if goodput < LEAST_GOODPUT_PER_S:
        return None
    is_enough = load["metrics"]["good_share"]["value"] >= GOOD_SHARE
    worth = settings.rate_of(option) if is_enough else goodput * declared.balance
    needed = math.ceil(PEAK_PER_S / worth)
    return OwnReplicas(sku=declared.cpu_sku, goodput_per_s=goodput, replicas=needed + declared.spare)


def call_of(settings: SupportSettings, scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a call to the managed model, with the mean tokens of the double's answers."""
    tokens = {name: scores["metrics"][f"{name}_mean"]["value"] for name in ("input_tokens", "output_tokens")}
    return {"prices": {"sku": settings.declared.model_sku}, **tokens}


def accepted(
    settings: SupportSettings,
    scores: Records,
    replicas: Mapping[str, OwnReplicas | None],
    passes: Mapping[str, Path],
) -> dict[str, Any]:
    """Return `weighbridge.accepted/1` of the candidates that can serve; one try each, then a person."""
    options: dict[str, dict[str, Any]] = {}
    for option in scores:
        own = replicas.get(option)
        if option == "a":
            options[option] = {"call": call_of(settings, scores["a"])}
        elif own is not None:
            options[option] = {"own": own.inputs(settings)}
    person = {"tries": 1, "fallback_usd": settings.declared.fallback_usd}
    return weighbridge.accepted_answers(
        {"options": {option: {**inputs, **person} for option, inputs in options.items()}},
        runs={option: passes[option] for option in options},
        draws=settings.draws,
        seed=settings.seed,
        on=settings.declared.prices_on,
    ).to_dict()


def own_or_api(settings: SupportSettings, scores: Records, replicas: OwnReplicas) -> dict[str, Any]:
    """Return `weighbridge.own-or-api/1`: from which volume B costs less than A."""
    spare = {"least_replicas": replicas.replicas}
    inputs = {"own": {**replicas.inputs(settings), **spare}, "api": call_of(settings, scores["a"])}
    return weighbridge.own_or_api(
        inputs,
        volumes_per_h=[MEAN_PER_S * 3_600],
        draws=settings.draws,
        seed=settings.seed,
        on=settings.declared.prices_on,
    ).to_dict()
