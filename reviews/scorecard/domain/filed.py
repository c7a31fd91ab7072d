"""Convert the KPI links of a request to KPIs of the scorecard."""

import re
from dataclasses import dataclass
from decimal import Decimal

from reviews.scorecard.domain.scorecard import KpiDirection
from weighbridge.core.kpis import KpiLink

NOT_OF_A_SLUG = re.compile(r"[^a-z0-9]+")
SLUG_CHARS_MAX, NAME_CHARS_MAX, UNIT_CHARS_MAX, SOURCE_CHARS_MAX, TEXT_CHARS_MAX = 60, 120, 60, 200, 4_000


@dataclass(frozen=True, kw_only=True)
class FiledKpi:
    """A business KPI, its technical metric, and its data source. `target` is the target of the metric, in `unit`."""

    slug: str
    name: str
    metric: str
    unit: str
    better: KpiDirection
    target: Decimal
    data_source: str
    how_estimated: str


def filed_kpi(link: KpiLink, *, ref: str) -> FiledKpi:
    """The KPI filed with request `ref`, with each text shortened to the limit of the scorecard."""
    effect = link.effect
    how = (
        f"{effect.method.value.capitalize()} of {effect.estimated_on:%Y-%m-%d}: one unit of {link.metric} moves it by "
        f"{effect.low} to {effect.high} {effect.unit} ({effect.evidence}). Filed with {ref}; its owner there: "
        f"{link.owner}."
    )
    return FiledKpi(
        slug=_slug(f"{link.kpi} {link.metric}"),
        name=link.kpi[:NAME_CHARS_MAX],
        metric=link.metric[:NAME_CHARS_MAX],
        unit=link.unit[:UNIT_CHARS_MAX],
        better=KpiDirection(link.better.value),
        target=link.target,
        data_source=link.data_source[:SOURCE_CHARS_MAX],
        how_estimated=how[:TEXT_CHARS_MAX],
    )


def _slug(text: str) -> str:
    return NOT_OF_A_SLUG.sub("-", text.lower())[:SLUG_CHARS_MAX].strip("-") or "kpi"
