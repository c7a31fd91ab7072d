"""What can happen to the ways in of an account, in the words of the audit trail; and how long somebody
stays logged in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


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


TOLD: Mapping[Happening, str] = MappingProxyType(
    {
        Happening.FACTOR_ADDED: "A second factor was added to your account.",
        Happening.FACTOR_REMOVED: "A second factor of your account was removed.",
        Happening.CODES_GENERATED: "New recovery codes were made for your account; older ones are void.",
        Happening.CODES_REMOVED: "The recovery codes of your account were removed.",
        Happening.CODE_USED: "A recovery code of your account was used to log in.",
        Happening.PASSWORD_CHANGED: "The password of your account was changed.",
        Happening.PASSWORD_RESET: "The password of your account was reset.",
    }
)
"""What its owner is told by mail. Refused log-ins are not: anybody could fill a stranger's mailbox with them."""


@dataclass(frozen=True)
class Sitting:
    """A session: when it began and when its owner was last seen, in seconds since the epoch."""

    began_s: float
    seen_s: float

    def is_over(self, *, now_s: float, idle_s: float, longest_s: float) -> bool:
        """Whether its owner was away for `idle_s`, or it has lasted `longest_s`."""
        return now_s - self.seen_s >= idle_s or now_s - self.began_s >= longest_s
