"""The parts of a request that a reviewer can mark as viewed."""

from enum import StrEnum

from weighbridge.core.errors import Invalid, WrongState

DIGEST_CHARS_MAX = 71


class PartName(StrEnum):
    """A part of a request."""

    METRIC_VALUES = "metric_values"
    COSTS = "costs"
    POLICY = "policy"
    CHECKLIST = "checklist"
    BENCHMARKS = "benchmarks"
    ALTERNATIVES = "alternatives"
    PACKET = "packet"

    @property
    def words(self) -> str:
        """The name as shown on pages."""
        return self.value.replace("_", " ").capitalize()


def check_seen(*, seen: str, present: str) -> None:
    """Raise unless the part was seen as it is now: `seen` and `present` are digests of what it showed and shows.

    Invalid if it is not said what was seen, WrongState if the part has changed since.
    """
    if not seen:
        raise Invalid("State the digest of the part as you read it.", field="digest")
    if seen != present:
        raise WrongState("This part has changed since you opened it. Read it again, then mark it.", code="part_changed")
