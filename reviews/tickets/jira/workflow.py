"""Which transition leads where. Resolved at run time by name or category: ids differ from project to project."""

from dataclasses import dataclass
from typing import Any

from reviews.tickets.ports import TransitionUnavailable

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """The transition to take (None: stay) and the status one has then."""

    transition_id: str | None
    status: str


def settled_status(current: Json, target: str) -> str | None:
    """The current status where it is the target by name, so that nothing has to be asked; else None."""
    name = str(current["name"])
    return name if _same(name, target) else None


def way_to(transitions: list[Json], *, current: Json, target: str) -> Way:
    """A status of that name first; then staying, where the category fits already; then any status of that category.

    Raises TransitionUnavailable, naming what the workflow does offer.
    """
    for transition in transitions:
        if _same(transition["to"]["name"], target):
            return Way(str(transition["id"]), str(transition["to"]["name"]))
    if _in_category(current, target):
        return Way(None, str(current["name"]))
    for transition in transitions:
        if _in_category(transition["to"], target):
            return Way(str(transition["id"]), str(transition["to"]["name"]))
    offered = ", ".join(sorted({str(transition["to"]["name"]) for transition in transitions})) or "no other status"
    raise TransitionUnavailable(
        f"Jira's workflow has no way from {current['name']} to {target}; it offers {offered}. "
        "The ticket stays where it is: move it by hand, or correct JIRA_STATUSES."
    )


def _in_category(status: Json, target: str) -> bool:
    category = status.get("statusCategory", {})
    return _same(category.get("name", ""), target) or _same(category.get("key", ""), target)


def _same(left: str, right: str) -> bool:
    return left.strip().casefold() == right.strip().casefold()
