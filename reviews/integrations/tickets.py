"""One request, one ticket: the order of look and leap that keeps a repeated attempt from opening a second."""

from reviews.ports import RemoteTicket, TicketDraft, TicketTracker


def open_once(tracker: TicketTracker, draft: TicketDraft, *, may_exist: bool) -> RemoteTicket:
    """Open the ticket, or adopt the one an earlier attempt left.

    `may_exist` is true whenever any attempt went before, whatever became of it. After OutcomeUnknown call no earlier than
    its `settle_s`: search lags behind writes, and looking too early finds nothing. An adopted ticket may name
    `duplicates`. Raises TrackerError; on LabelLost keep the error's ticket, for no search will ever find it.
    """
    if may_exist and (found := tracker.find(draft.label)) is not None:
        return found
    return tracker.open(draft)
