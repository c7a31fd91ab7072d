"""The picture of a transition table: states in a column, every kind of step a line of its own beside them.

Drawn here, because a picture that a browser has to compute would need a script from another site.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

BOX_WIDTH = 190
PORT_HEIGHT = 20
GAP = 22
LABEL_WIDTH = 150
LANE_WIDTH = 18
MARGIN = 16
PALETTE = ("#1f5f8b", "#8a4b08", "#2e6b34", "#7a2d6b", "#5a5a5a", "#a12d2d", "#0b6e6e", "#4b4fa8")


@dataclass(frozen=True)
class Step:
    """One row of the table to draw."""

    source: str
    target: str
    action: str


@dataclass(frozen=True)
class Lane:
    """All steps of one name into one state: they share a line."""

    action: str
    target: str
    sources: tuple[str, ...]


def lanes_of(steps: Sequence[Step]) -> tuple[Lane, ...]:
    """Steps gathered by name and target, in table order."""
    keys = dict.fromkeys((step.action, step.target) for step in steps)
    return tuple(
        Lane(action, target, tuple(s.source for s in steps if (s.action, s.target) == (action, target)))
        for action, target in keys
    )


def svg(states: Sequence[str], steps: Sequence[Step]) -> str:
    """The whole picture; black on white, so that it reads in both themes and on paper."""
    lanes = _by_reach(states, lanes_of(steps))
    tops, height = _rows(states, lanes)
    width = MARGIN * 2 + BOX_WIDTH + LABEL_WIDTH + LANE_WIDTH * (len(lanes) + 1)
    parts = [_box(state, tops[state], _ports(state, lanes)) for state in states]
    for number, lane in enumerate(lanes):
        parts += _lane(number, lane, lanes, tops)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="system-ui, DejaVu Sans, sans-serif" font-size="13">'
    )
    paper = f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>'
    return "\n".join((head, paper, *parts, "</svg>\n"))


def _by_reach(states: Sequence[str], lanes: Sequence[Lane]) -> tuple[Lane, ...]:
    """Short lines nearest to the states, so that lines cross as little as they can."""

    def reach(lane: Lane) -> int:
        rows = [states.index(state) for state in (*lane.sources, lane.target)]
        return max(rows) - min(rows)

    return tuple(sorted(lanes, key=reach))


def _ports(state: str, lanes: Sequence[Lane]) -> list[tuple[Lane, bool]]:
    """Where lines meet a state, from top to bottom: arriving ones first."""
    arriving = [(lane, True) for lane in lanes if lane.target == state]
    return arriving + [(lane, False) for lane in lanes if state in lane.sources]


def _rows(states: Sequence[str], lanes: Sequence[Lane]) -> tuple[dict[str, int], int]:
    tops, y = {}, MARGIN
    for state in states:
        tops[state] = y
        y += max(1, len(_ports(state, lanes))) * PORT_HEIGHT + 12 + GAP
    return tops, y - GAP + MARGIN


def _box(state: str, top: int, ports: Sequence[tuple[Lane, bool]]) -> str:
    height = max(1, len(ports)) * PORT_HEIGHT + 12
    is_final = not any(not arrives for _, arrives in ports)
    stroke = "3" if is_final else "1.2"
    return (
        f'<rect x="{MARGIN}" y="{top}" width="{BOX_WIDTH}" height="{height}" rx="5" fill="#f4f5f7" stroke="#30363d"'
        f' stroke-width="{stroke}"/><text x="{MARGIN + 14}" y="{top + height / 2 + 5:g}" fill="#16191d"'
        f' font-weight="600">{escape(state.replace("_", " "))}</text>'
    )


def _lane(number: int, lane: Lane, lanes: Sequence[Lane], tops: dict[str, int]) -> list[str]:
    colour = PALETTE[number % len(PALETTE)]
    edge = MARGIN + BOX_WIDTH
    x = edge + LABEL_WIDTH + LANE_WIDTH * (number + 1)
    end = _port_y(lane, lane.target, True, lanes, tops)
    starts = [_port_y(lane, source, False, lanes, tops) for source in lane.sources]
    label = escape(lane.action.replace("_", " "))
    paths = [f"M{edge} {y}H{x}" for y in starts] + [
        f"M{x} {min(*starts, end)}V{max(*starts, end)}",
        f"M{x} {end}H{edge + 9}",
    ]
    return [
        f'<path d="{"".join(paths)}" fill="none" stroke="{colour}" stroke-width="1.3"/>',
        f'<path d="M{edge + 1} {end}l10 -4.5v9z" fill="{colour}"/>',
        *(f'<text x="{edge + 16}" y="{y - 4}" fill="{colour}">{label}</text>' for y in starts),
        *(f'<circle cx="{edge}" cy="{y}" r="3" fill="{colour}"/>' for y in starts),
    ]


def _port_y(lane: Lane, state: str, arrives: bool, lanes: Sequence[Lane], tops: dict[str, int]) -> int:
    return tops[state] + 6 + PORT_HEIGHT * _ports(state, lanes).index((lane, arrives)) + PORT_HEIGHT // 2 + 3
