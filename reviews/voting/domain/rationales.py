"""The reasons of votes."""

from reviews.voting.domain.electorate import VoteChoice
from weighbridge.core.errors import Invalid

RATIONALE_MIN_LENGTH = 3
RATIONALE_CHARS_MAX = 20_000


def check_rationale(*, choice: VoteChoice, rationale: str) -> None:
    """Raise `Invalid` if a rejection or a request for changes has no reason, or a reason is too long."""
    if len(rationale) > RATIONALE_CHARS_MAX:
        raise Invalid(f"A reason has at most {RATIONALE_CHARS_MAX:,} characters.", field="rationale")
    if choice != VoteChoice.APPROVE and len(rationale.strip()) < RATIONALE_MIN_LENGTH:
        action = choice.replace("_", " ")
        raise Invalid(
            f"A vote to {action} needs a reason of at least {RATIONALE_MIN_LENGTH} characters: "
            "describe the problem, so that the requester can act on it.",
            code="rationale_required",
            field="rationale",
        )
