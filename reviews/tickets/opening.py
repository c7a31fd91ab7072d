"""Open a ticket only once: search before each creation, so that a retry does not open a second ticket."""

from collections.abc import Callable
from datetime import datetime

from reviews.tickets.ports import RemoteTicket, TicketDraft, TicketTracker


def open_once(
    tracker: TicketTracker,
    draft: TicketDraft,
    *,
    may_exist: bool,
    before_open: Callable[[], datetime | None] = lambda: None,
) -> RemoteTicket:
    """Open the ticket, or adopt the one an earlier attempt left.

    `may_exist` is true if there was any earlier attempt, whatever its outcome. An adopted ticket may have
    `duplicates`. Search lags behind writes, so an empty result proves nothing for a while: `before_open` is called
    right before the creation is sent. It returns the time until which the creation may be sent, or raises to prevent
    it. Raises TrackerError. On LabelLost, store the ticket of the error, because no search will find it.
    """
    if may_exist and (found := tracker.find(draft.label)) is not None:
        return found
    return tracker.open(draft, not_after=before_open())
