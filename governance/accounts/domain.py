"""Security events of an account, named as in the audit trail, and the limits of a session."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

DEMO_PASSWORD = "weighbridge-demo"  # noqa: S105 -- everybody knows it, so that production refuses it
DEMO_PEOPLE = (
    "requester",
    "owner",
    "reviewer1",
    "reviewer2",
    "lead",
    "steward",
    "product",
    "finance",
    "admin",
    "admin2",
    "auditor",
)
"""The user names of `examples/company`."""


class SecurityEvent(StrEnum):
    """The kind of a security event. The audit event also records the actor and the account."""

    FACTOR_ADDED = "second_factor.added"
    FACTOR_REMOVED = "second_factor.removed"
    CODES_GENERATED = "recovery_codes.generated"
    CODES_REMOVED = "recovery_codes.removed"
    CODE_USED = "recovery_codes.used"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 -- the name of an event
    PASSWORD_RESET = "password.reset"  # noqa: S105 -- the name of an event
    ADMIN_ACCESS_GIVEN = "admin_access.given"
    ADMIN_ACCESS_REMOVED = "admin_access.removed"
    LOGIN_REFUSED = "login.refused"


MAIL_TEXTS: Mapping[SecurityEvent, str] = MappingProxyType(
    {
        SecurityEvent.FACTOR_ADDED: "A second factor was added to your account.",
        SecurityEvent.FACTOR_REMOVED: "A second factor of your account was removed.",
        SecurityEvent.CODES_GENERATED: "New recovery codes were generated for your account. The old ones are void.",
        SecurityEvent.CODES_REMOVED: "The recovery codes of your account were deleted.",
        SecurityEvent.CODE_USED: "A recovery code of your account was used to log in.",
        SecurityEvent.PASSWORD_CHANGED: "The password of your account was changed. Its API tokens are void.",
        SecurityEvent.PASSWORD_RESET: "The password of your account was reset. Its API tokens are void.",
        SecurityEvent.ADMIN_ACCESS_GIVEN: "Your account was given access to the administration pages.",
        SecurityEvent.ADMIN_ACCESS_REMOVED: "Your account lost its access to the administration pages.",
    }
)
"""The text of the mail to the owner. Refused logins send no mail, because anyone could use them to flood a mailbox."""


def is_session_over(*, began_s: float, seen_s: float, now_s: float, idle_s: float, longest_s: float) -> bool:
    """Whether a session was idle for `idle_s` since `seen_s`, or is older than `longest_s`, at `now_s`."""
    return now_s - seen_s >= idle_s or now_s - began_s >= longest_s
