"""Conditions on the metrics of a result, like `latency_p95_ms.upper > 100`, alone or against a kept baseline."""

import dataclasses
import math
import operator
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import is_quality_metric

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
ENDS = ("value", "lower", "upper")
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
FORM = re.compile(
    rf"\s*(?P<metric>[^<>\s][^<>]*?)(?:\.(?P<end>value|lower|upper))?\s*(?P<operator>>=|<=|>|<)\s*"
    rf"(?:(?P<number>{NUMBER})"
    rf"|(?:(?P<factor>{NUMBER})\s*\*\s*)?baseline(?:\.(?P<base>value|lower|upper))?"
    rf"(?:\s*(?P<sign>[+-])\s*(?P<offset>{NUMBER}))?)\s*"
)
# With quality, what no card changes; times, rates, memory and energy are also the card's.
SIZES = frozenset(("model_size_mb", "parameters", "flops"))
NAMED = 12
METHOD = "write METRIC, METRIC.lower or METRIC.upper, then >, >=, < or <=, then a number or 1.1 * baseline.upper"


class Answer(StrEnum):
    """Whether a condition is true of a result."""

    TRUE = "true"
    FALSE = "false"
    CANNOT_TELL = "cannot_tell"


@dataclasses.dataclass(frozen=True)
class Condition:
    """A comparison of one end of a metric with a number, or with `factor` times an end of the baseline plus `offset`.

    `base` is None for a comparison with `offset` alone.
    """

    text: str
    metric: str
    end: str
    operator: str
    base: str | None
    factor: float
    offset: float

    def check(
        self, metrics: Mapping[str, Any], baseline: Mapping[str, Any] | None, *, other_card: str = ""
    ) -> "Checked":
        """Compare the metrics of a result; it cannot be told if one of the numbers is missing.

        `other_card` says why the baseline is of another card; then only metrics that no card changes are compared.
        """
        left = _end(metrics, self.metric, self.end)
        if left is None:
            has = f"it has {', '.join(list(metrics)[:NAMED])}{', …' if len(metrics) > NAMED else ''}"
            reason = f"The result has no {self.metric}.{self.end}; {has}."
            return Checked(self.text, Answer.CANNOT_TELL, None, None, reason)
        right = self.offset
        if self.base is not None:
            if baseline is None:
                reason = "No kept result was given as the baseline."
                return Checked(self.text, Answer.CANNOT_TELL, left, None, reason)
            if other_card and self.metric not in SIZES and not is_quality_metric(self.metric):
                return Checked(self.text, Answer.CANNOT_TELL, left, None, other_card)
            kept = _end(baseline, self.metric, self.base)
            if kept is None:
                reason = f"The baseline has no {self.metric}.{self.base}."
                return Checked(self.text, Answer.CANNOT_TELL, left, None, reason)
            right += self.factor * kept
        is_true = OPERATORS[self.operator](left, right)
        return Checked(self.text, Answer.TRUE if is_true else Answer.FALSE, left, right, "")


@dataclasses.dataclass(frozen=True)
class Checked:
    """A condition with its answer and the compared numbers; `reason` says why it cannot be told."""

    condition: str
    answer: Answer
    left: float | None
    right: float | None
    reason: str


def read_condition(text: str) -> Condition:
    """Parse a condition; raise Invalid, with the form, for anything else."""
    match = FORM.fullmatch(text)
    if match is None or any(math.isinf(float(match[name] or 0)) for name in ("number", "factor", "offset")):
        raise Invalid(f"{text!r} is no condition: {METHOD}.", code="condition", field="fail_if")
    is_number = match["number"] is not None
    sign = -1 if match["sign"] == "-" else 1
    return Condition(
        text=text.strip(),
        metric=match["metric"],
        end=match["end"] or "value",
        operator=match["operator"],
        base=None if is_number else match["base"] or "value",
        factor=float(match["factor"] or 1),
        offset=float(match["number"]) if is_number else sign * float(match["offset"] or 0),
    )


def metrics_in(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the metrics of a result by name; those of candidates and slices have them in front.

    They are `candidate:accuracy`, or `country=New Zealand:accuracy` for a slice.

    Drops of quality are `accuracy_drop`, the speed-ups of a comparison `candidate:speed_up`, and the savings of
    alternatives to a language model `candidate:cost_saving`. Raises Invalid for a
    document without metrics.
    """
    found: dict[str, Mapping[str, Any]] = {}
    has_metrics = isinstance(document.get("metrics"), Mapping)
    if has_metrics:
        found = dict(document["metrics"]) | _drops(document)
        for each in document.get("slices") or ():
            rows = ",".join(f"{column}={value}" for column, value in each["slice"].items())
            found |= {f"{rows}:{name}": value for name, value in (each["metrics"] | _drops(each)).items()}
    for candidate in document.get("candidates") or ():
        found |= _of_candidate(candidate)
    if not found and not has_metrics:
        raise Invalid("This document has no metrics to compare.", code="result_form", field="result")
    return found


def _of_candidate(candidate: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    name = candidate["name"]
    found = {f"{name}:{metric}": value for metric, value in candidate.get("metrics", {}).items()}
    found |= {f"{name}:{key}": candidate[key] for key in ("speed_up", "cost_saving") if candidate.get(key)}
    return found | {f"{name}:{drop['metric']}_drop": drop for drop in candidate.get("quality_drops") or ()}


def _drops(scored: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {f"{drop['metric']}_drop": drop for drop in scored.get("drops") or ()}


def _end(metrics: Mapping[str, Any], name: str, end: str) -> float | None:
    metric = metrics.get(name)
    number = metric.get(end) if isinstance(metric, Mapping) else None
    return float(number) if isinstance(number, int | float) and not isinstance(number, bool) else None
