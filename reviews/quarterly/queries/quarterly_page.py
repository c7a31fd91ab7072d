"""The printed pages of a frozen quarterly packet, section by section, and the digest of their style."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from governance.exports.domain.tables import ExportTable
from reviews.packets.queries.packet import style_sheets
from reviews.quarterly.domain.document import read_quarterly_packet
from reviews.quarterly.domain.packet import BudgetRowOfQuarter, QuarterlyPacket, Variance
from reviews.quarterly.domain.sections import Section, sections_of
from reviews.quarterly.models import CyclePacket

TEMPLATE = "reviews/quarterly/packet/sheet.html"
QUARTERLY_SHEET = "quarterly.css"
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


def context_of(section: Section, *, quarter: str) -> Mapping[str, Any]:
    """The template context of a section."""
    return {
        "section": section,
        "quarter": quarter,
        "body": f"reviews/quarterly/packet/{section.template}.html",
        **section.content,
    }


def shared_assets() -> dict[str, bytes]:
    """The style sheets that all sections use."""
    own = Path(settings.BASE_DIR) / "templates/reviews/quarterly/packet" / QUARTERLY_SHEET
    return {**style_sheets(), QUARTERLY_SHEET: own.read_bytes()}


@cache
def sheet_digest() -> str:
    """The digest of all templates and style sheets of sections. A change to any of them re-renders all sections."""
    folder = Path(settings.BASE_DIR) / "templates/reviews/quarterly/packet"
    hashed = hashlib.sha256()
    for name, body in sorted(shared_assets().items()):
        hashed.update(name.encode() + b"\0" + body)
    for path in sorted(folder.glob("*.html")):
        hashed.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"sha256:{hashed.hexdigest()}"


def appendix(row: CyclePacket) -> ExportTable:
    """Every value of the packet as one table, for further calculations."""
    packet = read_quarterly_packet(row.document)
    rows = _rows(packet)
    return ExportTable(f"packet-{packet.quarter}-{row.number}", COLUMNS, iter(rows), len(rows))


def _rows(packet: QuarterlyPacket) -> list[tuple[Any, ...]]:
    quarter = packet.quarter
    spend = [
        (
            quarter,
            "spend",
            each.account,
            each.unit,
            each.allocated,
            None,
            each.spent,
            f"forecast {each.forecast}{_mark(each)}",
        )
        for each in packet.spend
    ]
    bills = [
        (
            quarter,
            "variance",
            each.model,
            "USD",
            each.projected_usd,
            None,
            each.billed_usd,
            _causes(each) + _mark(each),
        )
        for each in packet.variances
    ]
    scores = [
        (
            quarter,
            "scorecard",
            each.model,
            each.kpi,
            each.target,
            each.actual,
            None,
            f"{each.unit}, {each.better} is better",
        )
        for each in packet.scores
    ]
    metrics = [
        (quarter, "metric", page.model, each.name, each.projected, each.measured, each.billed, page.version)
        for page in packet.models
        for each in page.metrics
    ]
    followed = [
        (quarter, "decision", each.ref, each.decision, None, None, None, f"{each.state}: {each.outcome}")
        for each in packet.followed
    ]
    return [*spend, *bills, *scores, *metrics, *followed]


def _mark(row: BudgetRowOfQuarter | Variance) -> str:
    return "; generated" if row.is_generated else ""


def _causes(row: Variance) -> str:
    parts = [
        f"{name} {usd}"
        for name, usd in (*row.parts, *((("unexplained", row.unexplained_usd),) if row.unexplained_usd else ()))
    ]
    return "; ".join([*parts, *(f"missing data: {words}" for words in row.lacking)])
