"""Find the transition to a status by name or category at run time, because ids differ between projects."""

from dataclasses import dataclass

from reviews.tickets.jira.client import Json, identifier, label
from reviews.tickets.ports import TransitionUnavailable, category_key

_OFFERED_MAX = 20


@dataclass(frozen=True, slots=True)
class TransitionChoice:
    """The transition to use (None: no move) and the resulting status."""

    transition_id: str | None
    status: str


def status_if_reached(current: Json, target: str) -> str | None:
    """The current status if its name is the target, else None."""
    name = label(current["name"])
    return name if _same(name, target) else None


def find_transition(transitions: list[Json], *, current: Json, target: str) -> TransitionChoice:
    """Prefer a status of that name; then no move if the category already matches; then any status of that category.

    Raises TransitionUnavailable with the statuses that the workflow offers.
    """
    for transition in transitions:
        if _same(transition["to"]["name"], target):
            return TransitionChoice(identifier(transition["id"]), label(transition["to"]["name"]))
    if _in_category(current, target):
        return TransitionChoice(None, label(current["name"]))
    for transition in transitions:
        if _in_category(transition["to"], target):
            return TransitionChoice(identifier(transition["id"]), label(transition["to"]["name"]))
    names = sorted({label(transition["to"]["name"]) for transition in transitions})
    offered = ", ".join(names[:_OFFERED_MAX]) or "no other status"
    raise TransitionUnavailable(
        f"Jira's workflow has no transition from {label(current['name'])} to {target}; it offers {offered}. "
        "The ticket keeps its status: move it manually, or correct the statuses of the route."
    )


def _in_category(status: Json, target: str) -> bool:
    category = status.get("statusCategory", {})
    return _same(category.get("name", ""), target) or _same(category.get("key", ""), category_key(target))


def _same(left: str, right: str) -> bool:
    return left.strip().casefold() == right.strip().casefold()
