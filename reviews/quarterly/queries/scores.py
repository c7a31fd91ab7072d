"""The scorecard of a quarter, and the KPIs that a person may supply values for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery

from governance.budgets.domain.quarters import Quarter
from governance.exports.domain.tables import ExportTable
from governance.inventory.models import ModelAsset
from governance.inventory.queries import visible_to
from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.people.queries.people import name_of
from governance.site.queries import ShownRows
from reviews.scorecard.domain.scorecard import KpiDirection, KpiScore, Totals
from reviews.scorecard.models import Kpi, KpiActual
from reviews.scorecard.rules import may_edit_scorecard
from weighbridge.core.errors import NotFound

QUARTERS_SHOWN = 8
BY_MODEL = ("asset__team__slug", "asset__slug", "slug")
COLUMNS = {
    "Model": "score.model",
    "KPI": "score.kpi",
    "Technical metric": "score.metric",
    "Unit": "score.unit",
    "Better": "score.better",
    "Target": "score.target",
    "Actual": "score.actual",
    "Quarter before": "score.before",
    "Status": "score.status",
    "Trend": "score.trend",
    "Supplied by": "score.supplied_by",
    "Channel": "score.channel",
    "Owner": "owner",
    "Data source": "data_source",
    "How estimated": "how_estimated",
}
"""The columns of the exported scorecard, each with the attribute of a line."""


@dataclass(frozen=True, kw_only=True)
class ScorecardLine:
    """A line of the scorecard with the additional data for pages."""

    score: KpiScore
    team: str
    slug: str
    kpi: str
    owner: str
    data_source: str
    how_estimated: str
    supplied_at: datetime | None
    # The quarter, its number and the value of the latest quarters with one, earliest first.
    history: tuple[tuple[str, int, Decimal], ...] = ()


def on_scorecard(quarter: str, *, person: Person) -> QuerySet[Kpi]:
    """Every KPI of the visible models that is not retired, or has an actual of the quarter; by model and KPI."""
    has_actual = Exists(KpiActual.objects.filter(kpi=OuterRef("pk"), quarter=quarter))
    rows = Kpi.objects.filter(Q(retired_at=None) | has_actual, asset__in=visible_to(person))
    return rows.select_related("asset__team", "owner").order_by(*BY_MODEL)


def shown_lines(rows: QuerySet[Kpi], *, quarter: str, count: int) -> Sequence[ScorecardLine]:
    """The scorecard of these KPIs, of which only the parts that are asked for are read; there are `count`."""
    return ShownRows(rows, lambda kpis, _: _lines(kpis, quarter=quarter), count=count)


def totals_of(rows: QuerySet[Kpi], *, quarter: str) -> Totals:
    """How many of these KPIs met their target in the quarter, missed it, or have no actual: as `KpiScore.status`."""
    latest = KpiActual.objects.filter(kpi=OuterRef("pk"), quarter=quarter).order_by("-pk")
    # How far the actual is from the target; none without an actual.
    above = latest.annotate(above=F("value") - F("target")).values("above")[:1]
    is_met = Q(better=KpiDirection.HIGHER, above__gte=0) | Q(better=KpiDirection.LOWER, above__lte=0)
    known = Q(above__isnull=False)
    return Totals(
        **rows.order_by()
        .annotate(above=Subquery(above))
        .aggregate(
            met=Count("pk", filter=is_met),
            missed=Count("pk", filter=known & ~is_met),
            unknown=Count("pk", filter=~known),
        )
    )


def lines_of(rows: QuerySet[Kpi], *, quarter: str) -> tuple[ScorecardLine, ...]:
    """The scorecard of these KPIs, by model and KPI."""
    return _lines(rows.order_by(*BY_MODEL), quarter=quarter)


def _lines(rows: Iterable[Kpi], *, quarter: str) -> tuple[ScorecardLine, ...]:
    """The lines of these KPIs, with the actual of this and the previous quarter and its supplier."""
    kpis = list(rows)
    actuals = _latest(kpis, [str(Quarter.parse(quarter).moved(-back)) for back in range(QUARTERS_SHOWN)])
    return tuple(_line(kpi, actuals[kpi.pk], quarter) for kpi in kpis)


def active_kpis(asset: ModelAsset) -> list[Kpi]:
    """The active KPIs of a model."""
    return list(Kpi.objects.filter(asset=asset, retired_at=None).select_related("owner", "asset__team"))


def find_kpi(*, asset: ModelAsset, slug: str) -> Kpi:
    """A KPI of the model. Raises NotFound."""
    kpi = Kpi.objects.select_related("asset__team").filter(asset=asset, slug=slug).first()
    if kpi is None:
        raise NotFound(f"{asset.name} has no KPI {slug!r}.", field="kpi")
    return kpi


def editable_lines(*, person: Person, quarter: str) -> tuple[ScorecardLine, ...]:
    """The lines that the person may supply values for."""
    teams = Team.objects.values_list("slug", flat=True)
    editable = [team for team in teams if may_edit_scorecard(person, team=team)]
    return _lines(on_scorecard(quarter, person=person).filter(asset__team__slug__in=editable), quarter=quarter)


def scorecard_table(quarter: str, *, person: Person) -> ExportTable:
    """The scorecard as a table."""
    lines = _lines(on_scorecard(quarter, person=person), quarter=quarter)
    cells = attrgetter(*COLUMNS.values())
    return ExportTable(f"scorecard-{quarter}", [*COLUMNS], map(cells, lines), len(lines))


def _latest(kpis: Iterable[Kpi], quarters: list[str]) -> dict[int, dict[str, KpiActual]]:
    """The actuals that count, by KPI and quarter, earliest quarter first."""
    rows = KpiActual.objects.filter(kpi__in=list(kpis), quarter__in=quarters).select_related("supplied_by")
    found: dict[int, dict[str, KpiActual]] = defaultdict(dict)
    for row in rows.order_by("quarter", "pk"):
        found[row.kpi_id][row.quarter] = row
    return found


def _line(kpi: Kpi, actuals: Mapping[str, KpiActual], quarter: str) -> ScorecardLine:
    team, slug = kpi.asset.team.slug, kpi.asset.slug
    actual, before = actuals.get(quarter), actuals.get(str(Quarter.parse(quarter).previous))
    return ScorecardLine(
        score=KpiScore(
            model=f"{team}/{slug}",
            kpi=kpi.name,
            metric=kpi.metric,
            unit=kpi.unit,
            better=KpiDirection(kpi.better),
            target=_plain(actual.target if actual else kpi.target),
            actual=_plain(actual.value) if actual else None,
            before=_plain(before.value) if before else None,
            supplied_by=name_of(actual.supplied_by) if actual else "",
            channel=actual.get_channel_display() if actual else "",
        ),
        team=team,
        slug=slug,
        kpi=kpi.slug,
        owner=name_of(kpi.owner),
        data_source=kpi.data_source,
        how_estimated=kpi.how_estimated,
        supplied_at=actual.supplied_at if actual else None,
        history=tuple((name, _number_of(name), _plain(row.value)) for name, row in actuals.items()),
    )


def _number_of(quarter: str) -> int:
    found = Quarter.parse(quarter)
    return found.year * 4 + found.number


def _plain(number: Decimal) -> Decimal:
    return Decimal(format(number.normalize(), "f"))
