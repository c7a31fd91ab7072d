"""A packet's charts as SVG text, drawn by hand: no dependency, no script, legible in black and white.

Shapes carry the meaning: a measured value is a filled bar end or a tick with whiskers, a claim is an open diamond, a
limit is a dashed line. Colour only repeats what the shape says. All text is escaped.
"""

from collections.abc import Sequence
from decimal import Decimal

from reviews.packets.charts.drawing import (
    FAINT,
    INK,
    LIMIT,
    MEASURED,
    SOFT,
    WASH,
    Scale,
    axis,
    diamond,
    line,
    rect,
    svg,
    text,
)
from reviews.packets.domain.packet import Packet
from reviews.packets.domain.packet_evidence import Comparison, CostRow
from reviews.requests.domain import wording

BAR_WIDTH, BAR_HEIGHT, BAR_MARGIN = 150.0, 18.0, 7.0
CHART_WIDTH, CHART_LEFT, CHART_RIGHT, CHART_ROW, CHART_TOP, CHART_FOOT = 640.0, 52.0, 142.0, 42.0, 26.0, 40.0


def draw_charts(packet: Packet) -> dict[str, bytes]:
    """Every chart the packet's template names, by asset name, as UTF-8 SVG."""
    charts = {row.chart: interval_bar(row) for row in packet.comparisons if row.claimed or row.measured}
    if packet.latency:
        charts["latency.svg"] = latency_chart(packet.latency)
    if packet.costs:
        charts["costs.svg"] = cost_chart(packet.costs)
    if packet.projection and packet.projection.bars:
        charts["options.svg"] = cost_chart(packet.projection.bars)
    return {name: svg.encode() for name, svg in charts.items()}


def interval_bar(row: Comparison) -> str:
    """One fact on its own scale: measured tick in its interval, claim as open diamond, limit as dashed line."""
    values = _values_of(row)
    if not values:
        return svg(BAR_WIDTH, BAR_HEIGHT, f"{row.title}: no figure", [])
    scale = Scale(values, left=BAR_MARGIN, right=BAR_WIDTH - BAR_MARGIN)
    middle = BAR_HEIGHT / 2
    parts = [line(BAR_MARGIN, middle, BAR_WIDTH - BAR_MARGIN, middle, FAINT, 1.0)]
    if row.measured:
        parts += _interval(scale, row.measured.lower, row.measured.upper, middle, 7.0)
        parts.append(rect(scale(row.measured.value) - 1.1, middle - 6.5, 2.2, 13.0, MEASURED))
    if row.limit is not None:
        parts.append(line(scale(row.limit), 0.5, scale(row.limit), BAR_HEIGHT - 0.5, LIMIT, 1.2, dash="2.5 1.8"))
    if row.claimed:
        parts.append(diamond(scale(row.claimed.value), middle, 4.2))
    return svg(BAR_WIDTH, BAR_HEIGHT, row.spoken, parts)


def latency_chart(rows: Sequence[Comparison]) -> str:
    """Latency percentiles from zero, in ms: bar to the measured value, whiskers at its bounds, claim and limit."""
    values = [value for row in rows for value in _values_of(row)]
    height = CHART_TOP + CHART_ROW * len(rows) + CHART_FOOT
    bottom = CHART_TOP + CHART_ROW * len(rows)
    scale = Scale(values, left=CHART_LEFT, right=CHART_WIDTH - CHART_RIGHT, from_zero=True)
    parts = axis(scale, CHART_TOP - 8, bottom, "ms")
    for index, row in enumerate(rows):
        parts += _latency_row(scale, row, CHART_TOP + CHART_ROW * index + CHART_ROW / 2)
    spoken = "; ".join(row.spoken for row in rows)
    return svg(CHART_WIDTH, height, f"Latency in milliseconds. {spoken}", parts)


def _latency_row(scale: Scale, row: Comparison, y: float) -> list[str]:
    label = row.name.removeprefix("latency_").removesuffix("_ms")
    parts = [text(CHART_LEFT - 10, y + 4, label, anchor="end", weight=700)]
    if row.measured is None:
        return parts
    end = scale(row.measured.value)
    parts.append(rect(scale(Decimal(0)), y - 8, end - scale(Decimal(0)), 16, WASH, stroke=MEASURED))
    parts += _whiskers(scale, row.measured.lower, row.measured.upper, y)
    parts.append(rect(end - 1.4, y - 8, 2.8, 16, MEASURED))
    if row.limit is not None:
        parts.append(line(scale(row.limit), y - 17, scale(row.limit), y + 17, LIMIT, 1.6, dash="4 2.6"))
        parts.append(_limit_label(scale(row.limit), y - 11, f"limit {_words(row.limit)}"))
    if row.claimed:
        parts.append(diamond(scale(row.claimed.value), y, 5.6))
    right = CHART_WIDTH - CHART_RIGHT + 14
    parts.append(text(right, y, wording.value_words(row.measured.value, unit=row.unit), weight=700))
    parts.append(text(right, y + 12, row.interval_words, size=9, fill=SOFT))
    return parts


def _limit_label(x: float, y: float, words: str) -> str:
    is_near_edge = x > (CHART_WIDTH - CHART_RIGHT) * 0.85
    return text(
        x - 4 if is_near_edge else x + 4, y, words, anchor="end" if is_near_edge else "start", size=8.5, fill=LIMIT
    )


def cost_chart(rows: Sequence[CostRow]) -> str:
    """Costs from zero, in USD: bar to the amount, whiskers at P10 and P90."""
    left, row_height = 190.0, 26.0
    values = [v for row in rows for v in (row.value_usd, row.lower_usd, row.upper_usd) if v is not None]
    bottom = 8 + row_height * len(rows)
    scale = Scale([*values, Decimal(0)], left=left, right=CHART_WIDTH - CHART_RIGHT, from_zero=True)
    parts = axis(scale, 4, bottom, "USD")
    for index, row in enumerate(rows):
        y = 8 + row_height * index + row_height / 2
        weight = 700 if row.is_total else 400
        start, end = sorted((scale(Decimal(0)), scale(row.value_usd)))
        parts.append(text(left - 10, y + 4, row.label, anchor="end", weight=weight))
        parts.append(rect(start, y - 7, end - start, 14, MEASURED if row.is_total else WASH, stroke=MEASURED))
        parts += _whiskers(scale, row.lower_usd, row.upper_usd, y)
        parts.append(text(CHART_WIDTH - CHART_RIGHT + 14, y + 4, row.value_words, weight=weight))
    spoken = "; ".join(f"{row.label} {row.value_words}" for row in rows)
    return svg(CHART_WIDTH, bottom + CHART_FOOT, f"Costs in USD. {spoken}", parts)


def _values_of(row: Comparison) -> list[Decimal]:
    measured = (row.measured.value, row.measured.lower, row.measured.upper) if row.measured else ()
    claimed = (row.claimed.value,) if row.claimed else ()
    return [value for value in (*claimed, *measured, row.limit) if value is not None]


def _words(value: Decimal) -> str:
    return wording.number_words(value, unit="")


def _interval(scale: Scale, lower: Decimal | None, upper: Decimal | None, y: float, height: float) -> list[str]:
    """The interval as a band; an open side runs to the edge of the chart."""
    if lower is None and upper is None:
        return []
    left = scale(lower) if lower is not None else scale.left
    right = scale(upper) if upper is not None else scale.right
    return [rect(left, y - height / 2, max(right - left, 1.5), height, WASH, stroke=MEASURED)]


def _whiskers(scale: Scale, lower: Decimal | None, upper: Decimal | None, y: float) -> list[str]:
    if lower is None or upper is None:
        return []
    left, right = scale(lower), scale(upper)
    ends = [line(x, y - 4.5, x, y + 4.5, INK, 1.3) for x in (left, right)]
    return [line(left, y, right, y, INK, 1.3), *ends]
