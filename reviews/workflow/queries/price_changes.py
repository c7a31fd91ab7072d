"""Price changes of managed models since they were authorized, with the effect on the projection that was accepted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from benchmarking.prices.queries import PriceMove, managed_sku, price_book, price_book_at, price_moves
from benchmarking.projections.queries import replay
from governance.inventory.queries import managed_within
from reviews.authorizations.models import Authorization
from reviews.evidence.queries import projections
from reviews.requests.models import ReviewRequest
from weighbridge.core.errors import Invalid
from weighbridge.core.money import format_usd

YEARLY = "inference_cost_1y_usd"
NO_PROJECTION = "The request has no cost projection with this price, so its effect on a year is not known."


@dataclass(frozen=True)
class PriceChange:
    """Changed prices of one managed model; `effect` is what they do to the costs of a year, as a sentence.

    `step` is the largest change in whole limits, negative if that price fell: 2 for a rise of 25 % at a limit of 10 %.
    """

    sku: str
    moves: tuple[PriceMove, ...]
    step: int
    effect: str

    @property
    def words(self) -> str:
        """The changes as text."""
        return "; ".join(move.words for move in self.moves)


def changes_of(row: Authorization, *, limit: Decimal, now: datetime) -> Iterator[PriceChange]:
    """The managed models of an authorization whose prices moved by more than the limit (a share) since its issue.

    A model without a price, then or now, has no change.
    """
    request = row.decision.request
    for model in managed_within(request.model_version):
        before, after = price_book_at(row.issued_at), price_book(now.date())
        sku = managed_sku(after, subject=model)
        moves = price_moves(before=before, after=after, sku=sku)
        largest = max(moves, key=lambda move: abs(move.share), default=None)
        if largest is not None and abs(largest.share) > limit:
            # Without a limit, every change is one step.
            steps = int(abs(largest.share) / limit) if limit else 1
            step = steps if largest.share > 0 else -steps
            yield PriceChange(sku, moves, step, _effect(request, sku=sku, now=now))


def _effect(request: ReviewRequest, *, sku: str, now: datetime) -> str:
    """What the costs of a year become by the latest projection of the request, recalculated at today's prices."""
    stated = projections.latest(request)
    if stated is None or all(price.get("sku") != sku for price in stated.projection.document["prices"]):
        return NO_PROJECTION
    try:
        moved = replay(stated.projection, now=now).changes["metrics"][stated.option][YEARLY]["p50"]
    except (Invalid, KeyError) as error:
        return f"The projection cannot be calculated again at the new price ({error})."
    before, after = (Decimal(moved[name]) for name in ("before", "after"))
    return (
        f"By the accepted projection, one year of inference costs {format_usd(after)} (P50) instead of "
        f"{format_usd(before)}: {format_usd(after - before)} more."
        if after > before
        else f"By the accepted projection, one year of inference costs {format_usd(after)} (P50) instead of "
        f"{format_usd(before)}: {format_usd(before - after)} less."
    )
