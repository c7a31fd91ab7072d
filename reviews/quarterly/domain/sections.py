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


@dataclass(frozen=True, slots=True)
class Section:
    """One section: `template` renders `content`, with `charts` as assets by name. `digest` covers all of it and the
    style sheet.
    """

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
    best = tuple(sorted(frontier(packet.points)))
    body = [
        *_cut(packet, sheet, "spend", "Spend against budget and forecast", packet.spend, drawn=_spend(packet)),
        *_cut(
            packet,
            sheet,
            "portfolio",
            "Portfolio: value, cost, latency",
            packet.points,
            name="points",
            drawn=_portfolio(packet),
            frontier=best,
        ),
        *_cut(
            packet,
            sheet,
            "variance",
            "Bills against projections",
            packet.variances,
            name="variances",
            drawn=_bills(packet),
        ),
        *_cut(packet, sheet, "scorecard", "Scorecard", packet.scores, name="scores"),
        *_cut(packet, sheet, "followed", "Earlier decisions and their outcomes", packet.followed),
        *_cut(packet, sheet, "agenda", "Agenda", packet.agenda),
        *_cut(packet, sheet, "changes", "Changes since the previous quarter", packet.changes),
        *(
            _section(packet, sheet, f"model:{page.model}", page.name, {"page": page}, template="model")
            for page in packet.models
        ),
        *_cut(packet, sheet, "rejected", "Rejected requests", packet.rejected),
        _section(packet, sheet, "method", "Method and sources", {"sources": packet.sources}),
    ]
    summary = _summary(packet, sheet)
    listed = tuple((section.title, section.digest) for section in (summary, *body))
    return (summary, *_cut(packet, sheet, "contents", "Sections and their digests", listed), *body)


def _cut(
    packet: QuarterlyPacket,
    sheet: str,
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
    chunks = [tuple(rows[start : start + ROWS_MAX]) for start in range(0, len(rows), ROWS_MAX)]
    if len(chunks) == 1:
        return [_section(packet, sheet, key, title, {name or key: chunks[0], **more}, drawn, template=key)]
    chart = [_section(packet, sheet, f"{key}:chart", f"{title}: chart", {}, drawn, template=key)] if drawn else []
    titles = [f"{title} ({number} of {len(chunks)})" for number in range(1, len(chunks) + 1)]
    return chart + [
        _section(
            packet,
            sheet,
            key if number == 1 else f"{key}:{number}",
            titles[number - 1],
            {name or key: chunk, **more},
            template=key,
        )
        for number, chunk in enumerate(chunks, start=1)
    ]


def _section(
    packet: QuarterlyPacket,
    sheet: str,
    key: str,
    title: str,
    content: Mapping[str, Any],
    drawn: Mapping[str, Chart] | None = None,
    *,
    template: str = "",
) -> Section:
    documents = {name: to_document(value) for name, value in content.items()}
    hashed = {
        "quarter": packet.quarter,
        "key": key,
        "title": title,
        "content": documents,
        "charts": {name: chart.digest for name, chart in (drawn or {}).items()},
        "sheet": sheet,
    }
    return Section(key, title, template or key, content, digest_of(hashed), drawn or {})


def _summary(packet: QuarterlyPacket, sheet: str) -> Section:
    """The summary page for leadership."""
    content = {
        "cut_off_at": packet.cut_off_at,
        "generated_at": packet.generated_at,
        "generator": packet.generator,
        "allocated_usd": packet.allocated_usd,
        "spent_usd": packet.spent_usd,
        "forecast_usd": packet.forecast_usd,
        "over": packet.over,
        "is_generated": packet.is_generated,
        "totals": packet.totals,
        "unfinished": packet.unfinished,
        "agenda": packet.agenda[:5],
        "agenda_count": len(packet.agenda),
        "model_count": len(packet.models),
    }
    return _section(packet, sheet, "summary", f"Performance & Cost Review {packet.quarter}", content)


def _spend(packet: QuarterlyPacket) -> Mapping[str, Chart]:
    return {"spend.svg": charts.spend_chart(packet.money)} if packet.money else {}


def _portfolio(packet: QuarterlyPacket) -> Mapping[str, Chart]:
    drawn = charts.portfolio_chart(packet.points, best=frontier(packet.points))
    return {"portfolio.svg": drawn} if drawn else {}


def _bills(packet: QuarterlyPacket) -> Mapping[str, Chart]:
    if not packet.variances:
        return {}
    by_cause = charts.causes_chart(packet.variances)
    return {"variance.svg": charts.variance_chart(packet.variances)} | ({"causes.svg": by_cause} if by_cause else {})
