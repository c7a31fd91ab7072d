"""What can go wrong at a ticket tracker: each with a reason for people, and how far it reaches."""

from enum import StrEnum

from reviews.tickets.ports.values import REASON_CHARS_MAX, RemoteTicket
from weighbridge.core.documents import cleaned
from weighbridge.core.masking import mask


class FailureReach(StrEnum):
    """The scope of a failure: which other calls would fail in the same way now."""

    TICKET = "ticket"  # only calls for this ticket
    ALIKE = "alike"  # the same call for any ticket
    TRACKER = "tracker"  # every call: wrong address, account or project, or the tracker is down


class TrackerError(Exception):
    """The tracker did not execute a call. `reason` is a sentence for people."""

    def __init__(self, reason: str, *, reach: FailureReach = FailureReach.TICKET) -> None:
        super().__init__(mask(reason))
        self.reason = cleaned(mask(reason), chars_max=REASON_CHARS_MAX)  # a server may repeat what it was sent
        self.reach = reach


class TrackerUnreachable(TrackerError):  # noqa: N818 -- named after what happened, like all errors of the port
    """No usable response, and nothing was done in the tracker: try again later."""

    def __init__(
        self, reason: str, *, retry_after_s: float | None = None, reach: FailureReach = FailureReach.TRACKER
    ) -> None:
        super().__init__(reason, reach=reach)
        self.retry_after_s = retry_after_s


class RateLimited(TrackerUnreachable):
    """The tracker limited the request rate. If `retry_after_s` is None, the caller must choose the wait."""


class TooLate(TrackerUnreachable):
    """This process was delayed so long that another one may send the same creation; it sent nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, reach=FailureReach.TICKET)


class OutcomeUnknown(TrackerError):  # noqa: N818 -- named after what happened, like all errors of the port
    """A write was sent and its response lost. Wait `settle_s` seconds before a search, because search lags behind."""

    def __init__(self, reason: str, *, settle_s: float) -> None:
        super().__init__(reason)
        self.settle_s = settle_s


class Misconfigured(TrackerError):  # noqa: N818 -- named after what happened, like all errors of the port
    """Refused until a person changes a setting, here or in the tracker. `fields` are the refused fields."""

    def __init__(
        self, reason: str, *, fields: tuple[str, ...] = (), reach: FailureReach = FailureReach.TRACKER
    ) -> None:
        super().__init__(reason, reach=reach)
        self.fields = fields


class CredentialRefused(Misconfigured):
    """The tracker does not accept the credential."""


class LabelLost(Misconfigured):
    """The ticket exists without its label. Store `ticket`: a search cannot find it, and a retry would duplicate it."""

    def __init__(self, reason: str, *, ticket: RemoteTicket) -> None:
        super().__init__(reason, fields=("labels",), reach=FailureReach.ALIKE)
        self.ticket = ticket


class TicketGone(TrackerError):  # noqa: N818 -- named after what happened, like all errors of the port
    """The ticket was deleted or is hidden from our account. Never re-create it silently."""


class TransitionUnavailable(TrackerError):  # noqa: N818 -- named after what happened, like all errors of the port
    """The workflow has no transition to the wanted status. The change in Weighbridge is still valid."""
