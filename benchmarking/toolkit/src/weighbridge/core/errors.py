"""Refusals: every way the system says no, each with a reason a person can read and act on.

Edges translate them (HTTP status, form error, exit code) and decide nothing themselves.
"""

from typing import ClassVar


class Refused(Exception):  # noqa: N818 -- a refusal is an answer, not a malfunction
    """Something was refused.

    `reason` is a whole sentence for a person; `code` a stable slug for programs; `field` names the input at fault.
    """

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "refused"

    def __init__(self, reason: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code or self.default_code
        self.field = field


class Invalid(Refused):
    """The input itself is wrong; `field` says where."""

    default_code = "invalid"


class NotAllowed(Refused):
    """This person may not do this."""

    status = 403
    default_code = "not_allowed"


class NotFound(Refused):
    """There is no such thing, or this person may not know of it."""

    status = 404
    default_code = "not_found"


class WrongState(Refused):
    """The thing exists, but its state does not allow this now."""

    status = 409
    default_code = "wrong_state"


class TooLarge(Refused):
    """More was sent than is accepted."""

    status = 413
    default_code = "too_large"
