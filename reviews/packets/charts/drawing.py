"""What hand-drawn charts are made of: SVG text, the same on every machine, with every word escaped and no script."""

import math
from collections.abc import Sequence
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

INK, SOFT, FAINT, MEASURED, WASH, LIMIT = "#17191b", "#4b5054", "#d8d5cc", "#0b5563", "#dcebed", "#9a211b"
FONT = "Inter, Liberation Sans, DejaVu Sans, sans-serif"


class Scale:
    """A linear scale from values to pixels; a range without extent is widened so that it can be drawn."""

    def __init__(self, values: Sequence[Decimal], *, left: float, right: float, from_zero: bool = False) -> None:
        low, high = float(min(values)), float(max(values))
        if from_zero:
            low = min(low, 0.0)
        padding = (high - low) * 0.06 or max(abs(high) * 0.06, 1e-9)
        self.low = low if from_zero and low == 0 else low - padding
        self.high = high + padding
        self.left, self.right = left, right

    def __call__(self, value: Decimal) -> float:
        """Where `value` lies, in pixels."""
        share = (float(value) - self.low) / (self.high - self.low)
        return self.left + share * (self.right - self.left)


def axis(scale: Scale, top: float, bottom: float, unit: str) -> list[str]:
    """The grid and the scale below it, named by `unit`."""
    parts = []
    for tick in ticks(scale):
        x = scale(tick)
        parts.append(line(x, top, x, bottom, FAINT, 1.0))
        parts.append(text(x, bottom + 14, f"{tick.normalize():,f}", anchor="middle", size=9, fill=SOFT))
    parts.append(line(scale.left, bottom, scale.right, bottom, SOFT, 1.0))
    parts.append(text(scale.right, bottom + 28, unit, anchor="end", size=9, fill=SOFT))
    return parts


def ticks(scale: Scale) -> list[Decimal]:
    """Round values, four to nine of them, inside the scale."""
    span = Decimal(repr(scale.high - scale.low))
    step = Decimal(1).scaleb(span.adjusted())
    for part in (Decimal("0.5"), Decimal("0.2")):
        if span / step < 4:
            step = Decimal(1).scaleb(span.adjusted()) * part
    first, last = math.ceil(Decimal(repr(scale.low)) / step), math.floor(Decimal(repr(scale.high)) / step)
    return [step * index for index in range(first, last + 1)]


def svg(width: float, height: float, spoken: str, parts: Sequence[str]) -> str:
    """The whole picture, with what it shows in words."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{px(width)}" height="{px(height)}" '
        f'viewBox="0 0 {px(width)} {px(height)}" role="img" '
        f"aria-label={quoteattr(printable(spoken))}>{''.join(parts)}</svg>"
    )


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float, *, dash: str = "") -> str:
    """A straight line."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{px(x1)}" y1="{px(y1)}" x2="{px(x2)}" y2="{px(y2)}" stroke="{stroke}" '
        f'stroke-width="{px(width)}"{dashes}/>'
    )


def rect(x: float, y: float, width: float, height: float, fill: str, *, stroke: str = "") -> str:
    """A rectangle."""
    outline = f' stroke="{stroke}" stroke-width="0.8"' if stroke else ""
    return f'<rect x="{px(x)}" y="{px(y)}" width="{px(width)}" height="{px(height)}" fill="{fill}"{outline}/>'


def diamond(x: float, y: float, size: float) -> str:
    """An open diamond."""
    points = f"{px(x)},{px(y - size)} {px(x + size)},{px(y)} {px(x)},{px(y + size)} {px(x - size)},{px(y)}"
    return f'<polygon points="{points}" fill="#ffffff" stroke="{INK}" stroke-width="1.3"/>'


def text(
    x: float, y: float, words: str, *, anchor: str = "start", size: float = 10.5, fill: str = INK, weight: int = 400
) -> str:
    """Words at a place, escaped."""
    return (
        f'<text x="{px(x)}" y="{px(y)}" font-family="{FONT}" font-size="{px(size)}" font-weight="{weight}" '
        f'fill="{fill}" text-anchor="{anchor}">{escape(printable(words))}</text>'
    )


def printable(words: str) -> str:
    """The words without control characters: XML has no way to write them."""
    return "".join(character if character.isprintable() else " " for character in words)


def px(value: float) -> str:
    """Two places are finer than any printer, and the same on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
