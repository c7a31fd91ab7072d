"""KPI map: the business KPIs that a model should change, and the technical metrics that drive them.

Each entry links a business KPI to a technical metric with its target, owner, data source, and the estimation method of
the effect. The map is stored with a request; the quarterly review compares it with the actual values.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from weighbridge.core.converter import to_document
from weighbridge.core.documents import Reader, check_unique
from weighbridge.core.errors import Invalid


class EffectMethod(StrEnum):
    """How the effect of the technical metric on the business KPI was estimated, strongest method first."""

    EXPERIMENT = "experiment"
    REGRESSION = "regression"
    CALCULATION = "calculation"
    LITERATURE = "literature"
    JUDGMENT = "judgment"


class KpiBetter(StrEnum):
    """The better direction."""

    LOWER = "lower"
    HIGHER = "higher"


class TargetOutcome(StrEnum):
    """Whether a target was met."""

    MET = "met"
    MISSED = "missed"
    NO_METRIC_VALUE = "no_metric_value"


@dataclass(frozen=True, kw_only=True)
class KpiEffect:
    """The change of the KPI for one unit of the technical metric: a 90 % interval from `low` to `high`.

    Both are in `unit` (USD per year, contacts per month); `evidence` names the experiment, the data or the paper.
    """

    method: EffectMethod
    low: Decimal
    high: Decimal
    unit: str
    evidence: str
    estimated_on: date

    def __post_init__(self) -> None:
        """Raise Invalid if `low` is above `high`."""
        if self.low > self.high:
            raise Invalid("The low end of an effect must not be above its high end.", field="high")


@dataclass(frozen=True, kw_only=True)
class KpiLink:
    """One entry of the map; `target` is the value that the technical metric must reach, in `unit`."""

    kpi: str
    metric: str
    target: Decimal
    unit: str
    better: KpiBetter
    owner: str
    data_source: str
    effect: KpiEffect

    def outcome(self, actual: Decimal | None) -> TargetOutcome:
        """Return whether the actual metric value meets the target; None is an unknown value."""
        if actual is None:
            return TargetOutcome.NO_METRIC_VALUE
        is_met = actual <= self.target if self.better is KpiBetter.LOWER else actual >= self.target
        return TargetOutcome.MET if is_met else TargetOutcome.MISSED

    def move(self, change: Decimal) -> tuple[Decimal, Decimal]:
        """Return the lower and upper change of the KPI when the technical metric changes by `change` units."""
        ends = sorted((change * self.effect.low, change * self.effect.high))
        return ends[0], ends[1]


def read_kpis(reader: Reader, key: str = "kpis") -> tuple[KpiLink, ...]:
    """Read the list under `key`; raise Invalid with the invalid path. Each pair of KPI and metric must be unique."""
    links = reader.items(key, _link)
    check_unique(tuple(f"{link.kpi} <- {link.metric}" for link in links), path=reader.at(key), name="kpi")
    return links


def as_documents(links: tuple[KpiLink, ...]) -> list[dict[str, Any]]:
    """Return the map as plain values that `read_kpis` can read; numbers are text, exactly as written."""
    return [to_document(link) for link in links]


def _link(reader: Reader) -> KpiLink:
    return KpiLink(
        kpi=reader.text("kpi"),
        metric=reader.text("metric"),
        target=reader.number("target"),
        unit=reader.text("unit"),
        better=reader.choice("better", KpiBetter),
        owner=reader.text("owner"),
        data_source=reader.text("data_source"),
        effect=_effect(reader.mapping("effect")),
    )


def _effect(reader: Reader) -> KpiEffect:
    low, high = reader.number("low"), reader.number("high")
    if low > high:
        raise reader.fault("high", "is below `low`.")
    effect = KpiEffect(
        method=reader.choice("method", EffectMethod),
        low=low,
        high=high,
        unit=reader.text("unit"),
        evidence=reader.text("evidence"),
        estimated_on=reader.day("estimated_on"),
    )
    reader.close()
    return effect
