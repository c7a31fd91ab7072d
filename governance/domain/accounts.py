"""What can happen to the ways in of an account, in the words of the audit trail."""

from enum import StrEnum


class Happening(StrEnum):
    """One event each; who did it and to whom stands beside it."""

    FACTOR_ADDED = "second_factor.added"
    FACTOR_REMOVED = "second_factor.removed"
    CODES_GENERATED = "recovery_codes.generated"
    CODES_REMOVED = "recovery_codes.removed"
    CODE_USED = "recovery_codes.used"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 -- the name of an event
    PASSWORD_RESET = "password.reset"  # noqa: S105 -- the name of an event
    LOGIN_REFUSED = "login.refused"
