"""Remarks: what a reader of costs must know beside the numbers: models that end, components left out, doubtful sizing.

Every page, table and document shows them.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from weighbridge.costs.lines import Costing
from weighbridge.costs.prices.price import DEPRECATED, UNCOUNTED
from weighbridge.costs.spec.pins import Pin

ENDING, LEFT_OUT = "ending model", "left out"


@dataclasses.dataclass(frozen=True)
class Remark:
    """A sentence about an option (its ID; empty for a calculation on its own). `kind` names the subject."""

    option: str
    kind: str
    text: str


def remarks(option: str, costings: Iterable[Costing], pins: Sequence[Pin], *, on: date) -> tuple[Remark, ...]:
    """Return the remarks on the costs of an option with these prices, seen on the day of the prices."""
    found = [(ENDING, text) for text in dict.fromkeys(_endings(pins, on))]
    found += [(LEFT_OUT, f"{text}.") for text in dict.fromkeys(_uncounted(pins))]
    for costing in costings:
        if costing.left_out:
            text = f"The prices include {', '.join(costing.left_out)}, of which no quantity is stated"
            found.append((LEFT_OUT, f"{text}; they are not in the costs."))
        found += costing.notes.items()
    return tuple(Remark(option, kind, text) for kind, text in found)


def _uncounted(pins: Sequence[Pin]) -> Iterator[str]:
    return (f"{pin.sku}: {note}" for pin in pins for note in pin.note.split("; ") if note.startswith(UNCOUNTED))


def _endings(pins: Iterable[Pin], on: date) -> Iterator[str]:
    for pin in pins:
        successor = f"; its successor is {pin.successor}" if pin.successor else "; no successor is named"
        if pin.migrate_by is not None and pin.migrate_by <= on:
            yield f"{pin.sku} was retired on {pin.migrate_by}{successor}. Nobody can use it at this price."
        elif pin.migrate_by is not None:
            yield f"{pin.sku} is served until {pin.migrate_by}{successor}. Switch to another model by then."
        elif DEPRECATED in pin.note:
            yield f"{pin.sku} is deprecated by its vendor; no last day is known. Plan to switch to another model."
