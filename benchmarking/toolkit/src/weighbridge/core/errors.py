"""The errors of the toolkit and the platform, each with a reason that tells a person what to do.

The outer layers translate them into an HTTP status, a form error or an exit code.
"""

from typing import ClassVar


class Refused(Exception):  # noqa: N818 -- a refusal is an answer, not a malfunction
    """The base class of all expected errors.

    `reason` is a sentence for a person, `code` a stable slug for programs, `field` the name of the invalid input.
    """

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "refused"

    def __init__(self, reason: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code or self.default_code
        self.field = field


class Invalid(Refused):
    """The input is invalid; `field` names it."""

    default_code = "invalid"


class NotAllowed(Refused):
    """The person is not allowed to do this."""

    status = 403
    default_code = "not_allowed"


class NotFound(Refused):
    """The object does not exist, or the person may not see it."""

    status = 404
    default_code = "not_found"


class WrongState(Refused):
    """The state of the object does not allow this step."""

    status = 409
    default_code = "wrong_state"


class TooLarge(Refused):
    """The input is larger than allowed."""

    status = 413
    default_code = "too_large"
