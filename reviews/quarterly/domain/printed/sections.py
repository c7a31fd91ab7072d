"""Cut a packet into sections that are printed separately. The digest of a section covers content and style.

Parts that are short share a section, so that no page stays nearly empty.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reviews.quarterly.domain.packet import QuarterlyPacket
from reviews.quarterly.domain.portfolio.frontier import frontier
from reviews.quarterly.domain.printed import charts
from weighbridge.charts.drawing import Chart
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document

ROWS_MAX = 30
"""Rows of a table per part. Longer tables are split, so that a changed row prints only one section anew."""
LINES_MIN = 110
"""Lines of a section, about two pages: fewer pages end early, and a change prints little anew."""
LINES_FEW = 40
"""Lines of tables from which the models begin a section of their own, so that a changed table prints no model anew."""
HEADING_LINES, ROW_LINES, CHART_LINES, MODEL_LINES = 4, 2, 22, 28

MODEL = "model"
FRONT_ROWS = 6


@dataclass(frozen=True, slots=True)
class PacketPart:
    """A title with its content: `template` prints `content` and the named `charts`; `lines` estimates its length."""

    title: str
    template: str
    content: Mapping[str, Any]
    lines: int
    charts: Mapping[str, Chart] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """Parts that are printed together. `digest` covers all of them and the style."""

    parts: tuple[PacketPart, ...]
    digest: str

    @property
    def title(self) -> str:
        """The titles of its first and its last part."""
        titles = list(dict.fromkeys((self.parts[0].title, self.parts[-1].title)))
        return " to ".join(titles)

    @property
    def charts(self) -> Mapping[str, Chart]:
        """The charts of all parts by name."""
        return {name: chart for part in self.parts for name, chart in part.charts.items()}


def sections_of(packet: QuarterlyPacket, *, sheet: str) -> tuple[Section, ...]:
    """All sections in order. `sheet` is the digest of the templates and style sheets."""
    return tuple(_section(parts, quarter=packet.quarter, sheet=sheet) for parts in packed(parts_of(packet)))


def parts_of(packet: QuarterlyPacket) -> tuple[PacketPart, ...]:
    """All parts in order. Empty ones are left out, except the method with its sources."""
    best = frontier(packet.points)
    return (
        *_table("agenda", "Agenda", packet.agenda),
        *_table("spend", "Spend against budget and forecast", packet.spend, drawn=_spend(packet)),
        *_table(
            "portfolio",
            "Portfolio: value, cost, latency",
            packet.points,
            name="points",
            drawn=_portfolio(packet, best),
            frontier=tuple(sorted(best)),
        ),
        *_table("variance", "Bills against projections", packet.variances, name="variances", drawn=_bills(packet)),
        *_table("scorecard", "Scorecard", packet.scores, name="scores"),
        *_table("followed", "Earlier decisions and their outcomes", packet.followed),
        *_table("changes", "Changes since the previous quarter", packet.changes),
        *_table("rejected", "Rejected requests", packet.rejected),
        *(PacketPart(page.name, MODEL, {"page": page}, MODEL_LINES) for page in packet.models),
        PacketPart("Method and sources", "method", {"sources": packet.sources}, _lines(packet.sources)),
    )


def front_charts(packet: QuarterlyPacket) -> Mapping[str, Chart]:
    """The chart of the leadership page: the accounts in US dollars that are furthest over their budget."""
    rows = sorted(packet.money, key=lambda row: (row.allocated - max(row.spent, row.forecast), row.account))
    return {"front.svg": charts.spend_chart(rows[:FRONT_ROWS])} if rows else {}


def packed(parts: Iterable[PacketPart]) -> list[tuple[PacketPart, ...]]:
    """Neighboring parts together until they have `LINES_MIN` lines; a rest of few lines joins what is before it.

    Models begin a section of their own, if there are tables enough before them.
    """
    groups: list[list[PacketPart]] = [[]]
    for part in parts:
        begins_models = part.template == MODEL and not any(each.template == MODEL for each in groups[-1])
        if begins_models:
            groups = _without_rest(groups)
        if _lines_of(groups[-1]) >= (LINES_FEW if begins_models else LINES_MIN):
            groups.append([])
        groups[-1].append(part)
    return [tuple(group) for group in _without_rest(groups)]


def _without_rest(groups: list[list[PacketPart]]) -> list[list[PacketPart]]:
    if len(groups) == 1 or _lines_of(groups[-1]) >= LINES_FEW:
        return groups
    return [*groups[:-2], groups[-2] + groups[-1]]


def _lines_of(parts: Iterable[PacketPart]) -> int:
    return sum(part.lines for part in parts)


def _section(parts: tuple[PacketPart, ...], *, quarter: str, sheet: str) -> Section:
    hashed = {
        "quarter": quarter,
        "parts": [
            {
                "title": part.title,
                "template": part.template,
                "content": to_document(part.content),
                "charts": {name: chart.digest for name, chart in part.charts.items()},
            }
            for part in parts
        ],
        "sheet": sheet,
    }
    return Section(parts, digest_of(hashed))


def _table(
    key: str,
    title: str,
    rows: Sequence[object],
    *,
    name: str = "",
    drawn: Mapping[str, Chart] | None = None,
    **more: object,
) -> list[PacketPart]:
    """A table as parts of `ROWS_MAX` rows each; the charts are in the first of them."""
    found = []
    starts = range(0, len(rows), ROWS_MAX)
    for number, start in enumerate(starts, start=1):
        some, pictures = tuple(rows[start : start + ROWS_MAX]), (drawn or {}) if number == 1 else {}
        place = f" ({number} of {len(starts)})" if len(starts) > 1 else ""
        content = {name or key: some, **more}
        found.append(PacketPart(f"{title}{place}", key, content, _lines(some, len(pictures)), pictures))
    return found


def _lines(rows: Sequence[object], pictures: int = 0) -> int:
    return HEADING_LINES + ROW_LINES * len(rows) + CHART_LINES * pictures


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
