"""KPI map: which business value a model is to move, by which technical metric, how far, and who says so from what.

Business KPI <- technical metric <- target, owner, data source, and how the mapping between the two was estimated. A
document kept with a request; the quarterly review sets what came of it beside it.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from weighbridge.core.documents import Reader, check_unique
from weighbridge.core.errors import Invalid


class EffectMethod(StrEnum):
    """How the effect of the technical metric on the business KPI was estimated, strongest first."""

    EXPERIMENT = "experiment"
    REGRESSION = "regression"
    CALCULATION = "calculation"
    LITERATURE = "literature"
    JUDGMENT = "judgment"


class KpiBetter(StrEnum):
    """Which way is better."""

    LOWER = "lower"
    HIGHER = "higher"


class TargetOutcome(StrEnum):
    """How a target stands beside what was seen."""

    MET = "met"
    MISSED = "missed"
    NO_METRIC_VALUE = "no_metric_value"


@dataclass(frozen=True, kw_only=True)
class KpiEffect:
    """How far the KPI moves when the technical metric moves by one unit, nine times in ten between `low` and `high`.

    Both are in `unit` (USD a year, contacts a month); `evidence` names the experiment, the data or the paper.
    """

    method: EffectMethod
    low: Decimal
    high: Decimal
    unit: str
    evidence: str
    estimated_on: date

    def __post_init__(self) -> None:
        """Refuse a range the wrong way round."""
        if self.low > self.high:
            raise Invalid("The low end of an effect is not above its high end.", field="high")


@dataclass(frozen=True, kw_only=True)
class KpiLink:
    """One line of the map; `target` is what the technical metric has to reach, in `unit`."""

    kpi: str
    metric: str
    target: Decimal
    unit: str
    better: KpiBetter
    owner: str
    data_source: str
    effect: KpiEffect

    def outcome(self, seen: Decimal | None) -> TargetOutcome:
        """Return how the target stands beside the metric value that was seen; None where nobody looked."""
        if seen is None:
            return TargetOutcome.NO_METRIC_VALUE
        is_met = seen <= self.target if self.better is KpiBetter.LOWER else seen >= self.target
        return TargetOutcome.MET if is_met else TargetOutcome.MISSED

    def move(self, change: Decimal) -> tuple[Decimal, Decimal]:
        """Return how far the KPI moves, from and to, when the technical metric changes by `change` of its units."""
        ends = sorted((change * self.effect.low, change * self.effect.high))
        return ends[0], ends[1]


def read_kpis(reader: Reader, key: str = "kpis") -> tuple[KpiLink, ...]:
    """Read the list under `key`; raise Invalid with the path at fault. Each pair of KPI and metric stands once."""
    links = reader.items(key, _link)
    check_unique(tuple(f"{link.kpi} <- {link.metric}" for link in links), path=reader.at(key), name="kpi")
    return links


def as_documents(links: tuple[KpiLink, ...]) -> list[dict[str, Any]]:
    """Return the map as plain values that `read_kpis` reads again; numbers are text, exactly as they were written."""
    return [_document(link) for link in links]


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


def _document(link: KpiLink) -> dict[str, Any]:
    effect = link.effect
    return {
        "kpi": link.kpi,
        "metric": link.metric,
        "target": str(link.target),
        "unit": link.unit,
        "better": link.better.value,
        "owner": link.owner,
        "data_source": link.data_source,
        "effect": {
            "method": effect.method.value,
            "low": str(effect.low),
            "high": str(effect.high),
            "unit": effect.unit,
            "evidence": effect.evidence,
            "estimated_on": effect.estimated_on.isoformat(),
        },
    }
