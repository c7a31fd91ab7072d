"""A packet cut into sections that are drawn by themselves: each has a digest of all that decides how it looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.domain.canonical import digest_of
from reviews.domain.packet_document import plain_of
from reviews.domain.quarterly import charts
from reviews.domain.quarterly.packet import QuarterlyPacket, frontier


@dataclass(frozen=True, slots=True)
class Section:
    """One section: `template` draws `content`, with `charts` as assets by name; `digest` covers all of it and the sheet."""

    key: str
    title: str
    template: str
    content: Mapping[str, Any]
    digest: str
    charts: Mapping[str, str] = field(default_factory=dict)


def sections_of(packet: QuarterlyPacket, *, sheet: str) -> tuple[Section, ...]:
    """Every section in the order of the packet; `sheet` is the digest of templates and styles they are drawn with.

    Parts that are empty are left out, but for the summary, and the method with its sources.
    """
    found = [
        _section(packet, sheet, "spend", "Spend against budget and forecast", {"spend": packet.spend}, _spend(packet)),
        _section(
            packet, sheet, "portfolio", "Portfolio: value, cost, latency", _portfolio(packet), _portfolio_chart(packet)
        ),
        _section(
            packet, sheet, "variance", "Bills against projections", {"variances": packet.variances}, _variance(packet)
        ),
        _section(packet, sheet, "scorecard", "Scorecard", {"scores": packet.scores}),
        _section(packet, sheet, "followed", "Decided before, and what became of it", {"followed": packet.followed}),
        _section(packet, sheet, "agenda", "Agenda", {"agenda": packet.agenda}),
        _section(packet, sheet, "changes", "Different from the quarter before", {"changes": packet.changes}),
        *(
            _section(packet, sheet, f"model:{page.model}", page.name, {"page": page}, template="model")
            for page in packet.models
        ),
        _section(packet, sheet, "rejected", "Rejected, and options not taken", {"rejected": packet.rejected}),
        _section(packet, sheet, "method", "Method and sources", {"sources": packet.sources}),
    ]
    kept = [section for section in found if any(section.content.values())]
    summary = _summary(packet, sheet)
    listed = tuple((section.title, section.digest) for section in (summary, *kept))
    return (summary, _section(packet, sheet, "contents", "Sections and their digests", {"contents": listed}), *kept)


def _section(
    packet: QuarterlyPacket, sheet: str, key: str, title: str, content: Mapping[str, Any],
    drawn: Mapping[str, str] | None = None, *, template: str = "",
) -> Section:  # fmt: skip
    said = {name: plain_of(value) for name, value in content.items()}
    whole = {
        "quarter": packet.quarter,
        "key": key,
        "title": title,
        "content": said,
        "charts": drawn or {},
        "sheet": sheet,
    }
    return Section(key, title, template or key, content, digest_of(whole), drawn or {})


def _summary(packet: QuarterlyPacket, sheet: str) -> Section:
    """The page for leadership."""
    content = {
        "cut_off_at": packet.cut_off_at, "generated_at": packet.generated_at, "generator": packet.generator,
        "allocated_usd": packet.allocated_usd, "spent_usd": packet.spent_usd, "forecast_usd": packet.forecast_usd,
        "over": packet.over, "totals": packet.totals, "unfinished": packet.unfinished,
        "agenda": packet.agenda[:5], "agenda_count": len(packet.agenda), "model_count": len(packet.models),
    }  # fmt: skip
    return _section(packet, sheet, "summary", f"Performance & Cost Review {packet.quarter}", content)


def _portfolio(packet: QuarterlyPacket) -> Mapping[str, Any]:
    return {"points": packet.points, "frontier": tuple(sorted(frontier(packet.points)))}


def _spend(packet: QuarterlyPacket) -> Mapping[str, str]:
    return {"spend.svg": charts.spend_chart(packet.money)} if packet.money else {}


def _portfolio_chart(packet: QuarterlyPacket) -> Mapping[str, str]:
    drawn = charts.portfolio_chart(packet.points, best=frontier(packet.points))
    return {"portfolio.svg": drawn} if drawn else {}


def _variance(packet: QuarterlyPacket) -> Mapping[str, str]:
    return {"variance.svg": charts.waterfall(packet.variances)} if packet.variances else {}
