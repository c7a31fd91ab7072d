from typing import Any

import pytest

from reviews.tickets.jira.workflow import TransitionChoice, find_transition, status_if_reached
from reviews.tickets.ports import TransitionUnavailable


def status(name: str, key: str, category: str) -> dict[str, Any]:
    return {"name": name, "statusCategory": {"key": key, "name": category}}


TO_DO = status("Backlog", "new", "To Do")
DOING = status("Doing", "indeterminate", "In Progress")
REVIEW = status("In Review", "indeterminate", "In Progress")
CLOSED = status("Closed", "done", "Done")
OPEN_IN_GERMAN = status("Zu erledigen", "new", "Zu erledigen")
BEGUN_IN_GERMAN = status("In Arbeit", "indeterminate", "In Arbeit")
WAYS = [{"id": 21, "to": DOING}, {"id": "31", "to": REVIEW}, {"id": "41", "to": CLOSED}]


@pytest.mark.parametrize(
    ("current", "target", "way"),
    [
        (TO_DO, "In Review", TransitionChoice("31", "In Review")),
        (TO_DO, " in review ", TransitionChoice("31", "In Review")),
        (TO_DO, "In Progress", TransitionChoice("21", "Doing")),
        (TO_DO, "indeterminate", TransitionChoice("21", "Doing")),
        (TO_DO, "Done", TransitionChoice("41", "Closed")),
        (REVIEW, "In Progress", TransitionChoice(None, "In Review")),
        (CLOSED, "done", TransitionChoice(None, "Closed")),
        (DOING, "in review", TransitionChoice("31", "In Review")),
    ],
)
def test_name_first_then_category(current: dict[str, Any], target: str, way: TransitionChoice) -> None:
    assert find_transition(WAYS, current=current, target=target) == way


def test_a_category_is_found_in_any_language() -> None:
    """A tracker names a category in the language of our account; only its key is the same everywhere."""
    ways = [{"id": "7", "to": BEGUN_IN_GERMAN}, {"id": "8", "to": OPEN_IN_GERMAN}]
    assert find_transition(ways, current=OPEN_IN_GERMAN, target="In Progress") == TransitionChoice("7", "In Arbeit")
    assert find_transition(ways, current=BEGUN_IN_GERMAN, target="to do") == TransitionChoice("8", "Zu erledigen")
    assert find_transition(ways, current=OPEN_IN_GERMAN, target="To Do") == TransitionChoice(None, "Zu erledigen")


def test_being_there_by_name_needs_no_question() -> None:
    assert status_if_reached(CLOSED, "closed") == "Closed"
    assert status_if_reached(CLOSED, "Done") is None


def test_no_way_names_what_there_is() -> None:
    with pytest.raises(
        TransitionUnavailable, match="no transition from Closed to Reopened; it offers Doing, In Review"
    ):
        find_transition(WAYS[:2], current=CLOSED, target="Reopened")


def test_a_dead_end_is_said_to_be_one() -> None:
    with pytest.raises(TransitionUnavailable, match="it offers no other status"):
        find_transition([], current={"name": "Closed"}, target="Done")
