"""Differences: what moved between two projections of the same options, figure by figure and price by price.

Takes documents (`weighbridge.projection/1`), so that what was kept a year ago can be set beside what is made today.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

Document = Mapping[str, Any]
LEVELS = ("p10", "p50", "p90")


@dataclass(frozen=True)
class Move:
    """One figure of an option, before and after: P10, P50 and P90 as decimal text; None where there is no end."""

    option: str
    figure: str
    unit: str
    before: Mapping[str, str | None]
    after: Mapping[str, str | None]

    @property
    def share(self) -> Decimal | None:
        """How far the P50 moved, as a share of what it was; None where there is nothing to divide by."""
        was, now = self.before["p50"], self.after["p50"]
        if was is None or now is None or not Decimal(was):
            return None
        return (Decimal(now) - Decimal(was)) / Decimal(was)

    def as_document(self) -> dict[str, Any]:
        """Return the move as plain values."""
        share = self.share
        return {**asdict(self), "share": None if share is None else f"{share:.6f}"}


@dataclass(frozen=True)
class PriceMove:
    """One price by the path it is used at, before and after; None on a side that has none there."""

    path: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def share(self) -> Decimal | None:
        """How far it moved, as a share of what it was."""
        if self.before is None or self.after is None or not Decimal(self.before["usd"]):
            return None
        was = Decimal(self.before["usd"])
        return (Decimal(self.after["usd"]) - was) / was


def moves(before: Document, after: Document) -> tuple[Move, ...]:
    """Return every figure of the options both name whose P10, P50 or P90 is another one now, in the order of `after`."""
    known = {option["id"]: option["figures"] for option in before["options"]}
    found = [
        Move(option["id"], name, figure["unit"], _levels(known[option["id"]][name]), _levels(figure))
        for option in after["options"]
        if option["id"] in known
        for name, figure in option["figures"].items()
        if name in known[option["id"]]
    ]
    return tuple(move for move in found if move.before != move.after)


def price_moves(before: Document, after: Document) -> tuple[PriceMove, ...]:
    """Return every price that is another one now, or stands on one side alone, in the order of `before`."""
    was = {pin["path"]: pin for pin in before["prices"]}
    now = {pin["path"]: pin for pin in after["prices"]}
    paths = [*was, *(path for path in now if path not in was)]
    found = (PriceMove(path, was.get(path), now.get(path)) for path in paths)
    return tuple(move for move in found if _usd(move.before) != _usd(move.after))


def _levels(figure: Mapping[str, Any]) -> dict[str, str | None]:
    return {level: figure[level] for level in LEVELS}


def _usd(pin: Mapping[str, Any] | None) -> Decimal | None:
    return None if pin is None else Decimal(pin["usd"])
