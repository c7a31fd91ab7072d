"""The printed pages of a frozen quarterly packet, section by section, and the digest of their style."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import count
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

TEMPLATE, FRAME = "reviews/quarterly/packet/sheet.html", "reviews/quarterly/packet/frame.html"
QUARTERLY_SHEET = "quarterly.css"
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


def frame_of(
    packet: QuarterlyPacket, *, digest: str, printed: Sequence[tuple[Section, PrintedPages]]
) -> Mapping[str, Any]:
    """The template context of the frame: leadership page, contents, and an empty page for each page of a section."""
    return {
        "packet": packet,
        "digest": digest,
        "topics": leadership_of(packet),
        "charts": front_charts(packet),
        "leaves": _leaves(printed),
        "has_columns": sum(len(section.parts) for section, _ in printed) >= CONTENTS_IN_COLUMNS_FROM,
    }


def _leaves(printed: Sequence[tuple[Section, PrintedPages]]) -> list[Mapping[str, Any]]:
    """For each page of the sections, the parts that begin there, and the part that a reader finds at its top."""
    leaves: list[Mapping[str, Any]] = []
    numbers = count()
    for section, pages in printed:
        placed = [(pages.places[f"part-{index}"], part.title) for index, part in enumerate(section.parts)]
        for page in range(pages.count):
            begun = [(next(numbers), title) for place, title in placed if place == page]
            at_top = [title for place, title in placed if place <= page]
            leaves.append({"running": begun[0][1] if begun else at_top[-1], "parts": begun})
    return leaves


def _template(part: PacketPart) -> str:
    return f"reviews/quarterly/packet/{part.template}.html"


def shared_assets() -> dict[str, bytes]:
    """The style sheets that all sections and the frame use."""
    return {**style_sheets(), QUARTERLY_SHEET: (_folder() / QUARTERLY_SHEET).read_bytes()}


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
