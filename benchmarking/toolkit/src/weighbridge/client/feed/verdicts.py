"""The answer of a gate: allowed, refused, or cannot tell. Anything that cannot be checked is never allowed."""

from dataclasses import dataclass
from enum import StrEnum

REASONS_MAX, REASON_CHARS_MAX = 10, 500


class GateVerdict(StrEnum):
    """The answer of the gate."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class GateReply:
    """The answer with its reasons and the end of the permission."""

    answer: GateVerdict
    reasons: tuple[str, ...]
    expires_at: str | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether the artifact may run."""
        return self.answer is GateVerdict.ALLOWED


def cannot_tell(reason: str) -> GateReply:
    """Return the answer of a gate that could not check."""
    return GateReply(GateVerdict.UNKNOWN, (plain_text(reason),))


def plain_text(text: str) -> str:
    """Return the text without control characters, terminal codes and invisible characters, on one line."""
    shown = "".join(character if character.isprintable() else " " for character in text[:REASON_CHARS_MAX])
    return " ".join(shown.split())
