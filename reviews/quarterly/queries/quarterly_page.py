"""The printed pages of a frozen quarterly packet, section by section, and the digest of their style."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable
from reviews.packets.ports import PrintedPages
from reviews.packets.queries.packet import style_sheets
from reviews.quarterly.domain.packet import BudgetRowOfQuarter, QuarterlyPacket, Variance, read_quarterly_packet
from reviews.quarterly.domain.printed.leadership import leadership_of
from reviews.quarterly.domain.printed.sections import PacketPart, Section, front_charts, sections_of
from reviews.quarterly.models import CyclePacket

TEMPLATE, FRONT = "reviews/quarterly/packet/sheet.html", "reviews/quarterly/packet/front.html"
LEAVES = "reviews/quarterly/packet/leaves.html"
QUARTERLY_SHEETS = ("quarterly.css", "counted.css")
LEAVES_MAX = 100
"""Pages whose headers and footers are drawn at once, so that each drawing takes a second or two."""
CONTENTS_IN_COLUMNS_FROM = 24
COLUMNS = (
    "Quarter",
    "Part",
    "Model or account",
    "Name",
    "Projected or target",
    "Measured or actual",
    "Billed or spent",
    "Note",
)


def sections(row: CyclePacket) -> tuple[Section, ...]:
    """The sections of a frozen packet, built only from its document."""
    return sections_of(read_quarterly_packet(row.document), sheet=sheet_digest())


def context_of(section: Section) -> Mapping[str, Any]:
    """The template context of a section."""
    return {"section": section, "parts": [(_template(part), part) for part in section.parts]}


@dataclass(frozen=True)
class PlacedPart:
    """A part of the contents: its title, and on which page of the sections (from 0) it begins."""

    title: str
    place: int


@dataclass(frozen=True)
class Frame:
    """What the pages of the sections are put into: the contents, and for each page the part at its top."""

    packet: QuarterlyPacket
    digest: str
    parts: Sequence[PlacedPart]
    running: Sequence[str]

    def front(self, pages: int) -> Mapping[str, Any]:
        """The template context of the leadership page and the contents, which take so many pages."""
        return {
            **self._named(pages),
            "topics": leadership_of(self.packet),
            "charts": front_charts(self.packet),
            "parts": [(number, pages + part.place + 1, part.title) for number, part in enumerate(self.parts)],
            "has_columns": len(self.parts) >= CONTENTS_IN_COLUMNS_FROM,
        }

    def leaves(self, front: int) -> Iterator[Mapping[str, Any]]:
        """The template contexts of the headers and footers of the pages after so many, `LEAVES_MAX` at a time."""
        for start in range(0, len(self.running), LEAVES_MAX):
            some = self.running[start : start + LEAVES_MAX]
            yield {**self._named(front), "leaves": some, "first": front + start + 1}

    def _named(self, front: int) -> Mapping[str, Any]:
        return {"packet": self.packet, "digest": self.digest, "page_count": front + len(self.running)}


def frame_of(packet: QuarterlyPacket, *, digest: str, printed: Iterable[tuple[Section, PrintedPages]]) -> Frame:
    """The frame of the sections, each with where its parts stand."""
    parts: list[PlacedPart] = []
    running: list[str] = []
    for section, pages in printed:
        placed = [(pages.places[f"part-{index}"], part.title) for index, part in enumerate(section.parts)]
        parts.extend(PlacedPart(title, len(running) + place) for place, title in placed)
        for page in range(pages.count):
            begun = [title for place, title in placed if place == page]
            running.append(begun[0] if begun else [title for place, title in placed if place <= page][-1])
    return Frame(packet, digest, tuple(parts), tuple(running))


def _template(part: PacketPart) -> str:
    return f"reviews/quarterly/packet/{part.template}.html"


def shared_assets() -> dict[str, bytes]:
    """The style sheets that all sections and the frame use."""
    return {**style_sheets(), **{name: (_folder() / name).read_bytes() for name in QUARTERLY_SHEETS}}


@cache
def sheet_digest() -> str:
    """The digest of all templates and style sheets of sections. A change to any of them re-renders all sections."""
    templates = {path.name: path.read_bytes() for path in _folder().glob("*.html")}
    hashed = hashlib.sha256()
    for name, body in (*sorted(shared_assets().items()), *sorted(templates.items())):
        hashed.update(name.encode() + b"\0" + body)
    return f"sha256:{hashed.hexdigest()}"


def _folder() -> Path:
    return Path(settings.BASE_DIR) / "templates/reviews/quarterly/packet"


def appendix(row: CyclePacket) -> ExportTable:
    """Every value of the packet as one table, for further calculations."""
    packet = read_quarterly_packet(row.document)
    rows = [(packet.quarter, *cells) for cells in _cells(packet)]
    return ExportTable(f"packet-{packet.quarter}-{row.number}", COLUMNS, rows, len(rows))


def _cells(packet: QuarterlyPacket) -> Iterator[tuple[Cell, ...]]:
    """The cells of each row after the quarter."""
    for row in packet.spend:
        note = f"forecast {row.forecast}{_mark(row)}"
        yield "spend", row.account, row.unit, row.allocated, None, row.spent, note
    for bill in packet.variances:
        note = _causes(bill) + _mark(bill)
        yield "variance", bill.model, "USD", bill.projected_usd, None, bill.billed_usd, note
    for words in packet.not_compared:
        yield "variance", "", "USD", None, None, None, f"not compared; missing data: {words}"
    for score in packet.scores:
        note = f"{score.unit}, {score.better} is better"
        yield "scorecard", score.model, score.kpi, score.target, score.actual, None, note
    for page in packet.models:
        for metric in page.metrics:
            amounts = (metric.projected, metric.measured, metric.billed)
            yield "metric", page.model, metric.name, *amounts, page.version
    for decided in packet.followed:
        yield "decision", decided.ref, decided.decision, None, None, None, f"{decided.state}: {decided.outcome}"


def _mark(row: BudgetRowOfQuarter | Variance) -> str:
    return "; generated" if row.is_generated else ""


def _causes(row: Variance) -> str:
    rest = [("unexplained", row.unexplained_usd)] if row.unexplained_usd else []
    parts = [f"{name} {usd}" for name, usd in (*row.parts, *rest)]
    return "; ".join([*parts, *(f"missing data: {words}" for words in row.missing_inputs)])
