"""The charts of a packet, drawn with the chart package of the toolkit.

Shapes carry the meaning and color repeats it: a measured value is a bar or a stroke in its interval, a claim an open
diamond, a limit a dashed line.
"""

from collections.abc import Sequence
from decimal import Decimal

from reviews.packets.domain.packet import PacketDocument
from reviews.packets.domain.packet_evidence import ClaimComparison, CostRow
from reviews.requests.domain import wording
from weighbridge.charts.bars import Bar, bars, strip
from weighbridge.charts.drawing import Chart, svg

LATENCY_ROW_PX = 42
TOTAL = "total_cost_1y_usd"


def draw_charts(packet: PacketDocument) -> dict[str, bytes]:
    """All charts of the packet template, by asset name, as UTF-8 SVG."""
    return {name: svg(chart).encode() for name, chart in charts_of(packet).items()}


def charts_of(packet: PacketDocument) -> dict[str, Chart]:
    """All charts of the packet template, by asset name."""
    charts = {
        row.chart: strip(_bar(row, row.title), alt=row.spoken)
        for row in packet.comparisons
        if row.is_stated or row.measured
    }
    if packet.latency:
        charts["latency.svg"] = latency_chart(packet.latency)
    if packet.costs:
        charts["costs.svg"] = cost_chart(packet.costs, limit=_limit_of_total(packet))
    if packet.projection and packet.projection.bars:
        charts["options.svg"] = cost_chart(packet.projection.bars)
    return charts


def latency_chart(rows: Sequence[ClaimComparison]) -> Chart:
    """Latency percentiles from zero, in ms: bar to the measured value, whiskers at its bounds, claim and limit."""
    latency_bars = [_bar(row, row.name.removeprefix("latency_").removesuffix("_ms")) for row in rows]
    return bars(
        latency_bars,
        title="Latency percentiles",
        unit="ms",
        alt=f"Latency in milliseconds. {'; '.join(row.spoken for row in rows)}",
        row_px=LATENCY_ROW_PX,
    )


def _limit_of_total(packet: PacketDocument) -> Decimal | None:
    return next((row.limit for row in packet.comparisons if row.name == TOTAL), None)


def cost_chart(rows: Sequence[CostRow], *, limit: Decimal | None = None) -> Chart:
    """Costs from zero, in USD: bar to the amount, whiskers at P10 and P90; a total is filled and has its limit."""
    cost_bars = [
        Bar(
            row.label,
            float(row.value_usd),
            filled=float(row.value_usd) if row.is_total else None,
            lower=_number(row.lower_usd),
            upper=_number(row.upper_usd),
            limit=_number(limit) if row.is_total else None,
            words=row.value_words,
            note=_limit_note(row, limit) if row.is_total else "",
            is_strong=row.is_total,
        )
        for row in rows
    ]
    said = [f"{row.label} {row.value_words}" for row in rows]
    said += [f"{row.label}: {_limit_note(row, limit)}" for row in rows if row.is_total and limit is not None]
    alt = f"Costs in USD. {'; '.join(said)}"
    return bars(cost_bars, title="Costs", unit="USD", alt=alt)


def _limit_note(row: CostRow, limit: Decimal | None) -> str:
    if limit is None:
        return ""
    return f"{'over the ' if row.value_usd > limit else ''}limit {wording.number_text(limit, unit='USD')}"


def _bar(row: ClaimComparison, label: str) -> Bar:
    stated, limit = row.on_record or row.claimed or row.derived, row.limit
    claim = stated.value if stated else None
    if row.measured is None:
        return Bar(label, claim=_number(claim), limit=_number(limit))
    note = f"limit {wording.number_text(limit, unit='')}" if limit is not None else ""
    return Bar(
        label,
        float(row.measured.value),
        lower=_number(row.measured.lower),
        upper=_number(row.measured.upper),
        claim=_number(claim),
        limit=_number(limit),
        words=wording.value_words(row.measured.value, unit=row.unit),
        note="; ".join(words for words in (row.interval_text, note) if words),
        is_strong=True,
    )


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
