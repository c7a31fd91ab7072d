"""Split a packet into sections that are rendered separately. The digest of a section covers content and style."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reviews.quarterly.domain import charts
from reviews.quarterly.domain.packet import QuarterlyPacket, frontier
from weighbridge.charts.drawing import Chart
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document

ROWS_MAX = 30
"""Rows of a table per section. Longer tables are split, so that a changed row re-renders only one section."""

SUMMARY = (
    "cut_off_at",
    "generated_at",
    "generator",
    "allocated_usd",
    "spent_usd",
    "forecast_usd",
    "over",
    "is_generated",
    "totals",
    "unfinished",
)


@dataclass(frozen=True, slots=True)
class Section:
    """One section: `template` renders `content` and the named `charts`. `digest` covers all of it and the style."""

    key: str
    title: str
    template: str
    content: Mapping[str, Any]
    digest: str
    charts: Mapping[str, Chart] = field(default_factory=dict)


def sections_of(packet: QuarterlyPacket, *, sheet: str) -> tuple[Section, ...]:
    """All sections in order. `sheet` is the digest of the templates and style sheets.

    Empty parts are left out, except the summary and the method with its sources.
    """
    cut, best = _Cutter(packet.quarter, sheet), frontier(packet.points)
    body = [
        *cut.table("spend", "Spend against budget and forecast", packet.spend, drawn=_spend(packet)),
        *cut.table(
            "portfolio",
            "Portfolio: value, cost, latency",
            packet.points,
            name="points",
            drawn=_portfolio(packet, best),
            frontier=tuple(sorted(best)),
        ),
        *cut.table("variance", "Bills against projections", packet.variances, name="variances", drawn=_bills(packet)),
        *cut.table("scorecard", "Scorecard", packet.scores, name="scores"),
        *cut.table("followed", "Earlier decisions and their outcomes", packet.followed),
        *cut.table("agenda", "Agenda", packet.agenda),
        *cut.table("changes", "Changes since the previous quarter", packet.changes),
        *(cut.section(f"model:{page.model}", page.name, {"page": page}, template="model") for page in packet.models),
        *cut.table("rejected", "Rejected requests", packet.rejected),
        cut.section("method", "Method and sources", {"sources": packet.sources}),
    ]
    summary = cut.section("summary", f"Performance & Cost Review {packet.quarter}", _summary(packet))
    listed = tuple((section.title, section.digest) for section in (summary, *body))
    return (summary, *cut.table("contents", "Sections and their digests", listed), *body)


@dataclass(frozen=True)
class _Cutter:
    """Cuts the sections of one quarter; `sheet` is the digest of their style."""

    quarter: str
    sheet: str

    def table(
        self,
        key: str,
        title: str,
        rows: Sequence[object],
        *,
        name: str = "",
        drawn: Mapping[str, Chart] | None = None,
        **more: object,
    ) -> list[Section]:
        """A table as sections of `ROWS_MAX` rows each.

        The chart is part of a single-section table; before a longer table it is a section of its own.
        """
        starts = range(0, len(rows), ROWS_MAX)
        contents = [{name or key: tuple(rows[start : start + ROWS_MAX]), **more} for start in starts]
        if len(contents) == 1:
            return [self.section(key, title, contents[0], drawn)]
        chart = [self.section(f"{key}:chart", f"{title}: chart", {}, drawn, template=key)] if drawn else []
        keys = [key, *(f"{key}:{number}" for number in range(2, len(contents) + 1))]
        return chart + [
            self.section(keys[index], f"{title} ({index + 1} of {len(contents)})", content, template=key)
            for index, content in enumerate(contents)
        ]

    def section(
        self,
        key: str,
        title: str,
        content: Mapping[str, Any],
        drawn: Mapping[str, Chart] | None = None,
        *,
        template: str = "",
    ) -> Section:
        """One section with its digest."""
        hashed = {
            "quarter": self.quarter,
            "key": key,
            "title": title,
            "content": to_document(content),
            "charts": {name: chart.digest for name, chart in (drawn or {}).items()},
            "sheet": self.sheet,
        }
        return Section(key, title, template or key, content, digest_of(hashed), drawn or {})


def _summary(packet: QuarterlyPacket) -> Mapping[str, Any]:
    """The content of the summary page for leadership."""
    return {
        **{name: getattr(packet, name) for name in SUMMARY},
        "agenda": packet.agenda[:5],
        "agenda_count": len(packet.agenda),
        "model_count": len(packet.models),
    }


def _spend(packet: QuarterlyPacket) -> Mapping[str, Chart]:
    return {"spend.svg": charts.spend_chart(packet.money)} if packet.money else {}


def _portfolio(packet: QuarterlyPacket, best: frozenset[str]) -> Mapping[str, Chart]:
    drawn = charts.portfolio_chart(packet.points, best=best)
    return {"portfolio.svg": drawn} if drawn else {}


def _bills(packet: QuarterlyPacket) -> Mapping[str, Chart]:
    if not packet.variances:
        return {}
    by_cause = charts.causes_chart(packet.variances)
    return {"variance.svg": charts.variance_chart(packet.variances)} | ({"causes.svg": by_cause} if by_cause else {})
