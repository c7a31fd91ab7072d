"""One request, one ticket: the order of look and leap that keeps a repeated attempt from opening a second."""

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

    `may_exist` is true whenever any attempt went before, whatever became of it. An adopted ticket may name
    `duplicates`.
    Search lags behind writes, so that having found nothing proves nothing for a while: `before_open` is called right
    before the creation is sent, and what it raises keeps it from being sent; it answers until when it may be. Raises
    TrackerError; on LabelLost keep the
    error's ticket, for no search will ever find it.
    """
    if may_exist and (found := tracker.find(draft.label)) is not None:
        return found
    return tracker.open(draft, not_after=before_open())
