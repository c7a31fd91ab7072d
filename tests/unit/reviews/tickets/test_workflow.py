from typing import Any

import pytest

from reviews.tickets.jira.workflow import Way, settled_status, way_to
from reviews.tickets.ports import FailureKind, TransitionUnavailable


def status(name: str, key: str, category: str) -> dict[str, Any]:
    return {"name": name, "statusCategory": {"key": key, "name": category}}


TO_DO = status("Backlog", "new", "To Do")
DOING = status("Doing", "indeterminate", "In Progress")
REVIEW = status("In Review", "indeterminate", "In Progress")
CLOSED = status("Closed", "done", "Done")
WAYS = [{"id": 21, "to": DOING}, {"id": "31", "to": REVIEW}, {"id": "41", "to": CLOSED}]


@pytest.mark.parametrize(
    ("current", "target", "way"),
    [
        (TO_DO, "In Review", Way("31", "In Review")),
        (TO_DO, " in review ", Way("31", "In Review")),
        (TO_DO, "In Progress", Way("21", "Doing")),
        (TO_DO, "indeterminate", Way("21", "Doing")),
        (TO_DO, "Done", Way("41", "Closed")),
        (REVIEW, "In Progress", Way(None, "In Review")),
        (CLOSED, "done", Way(None, "Closed")),
        (DOING, "in review", Way("31", "In Review")),
    ],
)
def test_name_first_then_category(current: dict[str, Any], target: str, way: Way) -> None:
    assert way_to(WAYS, current=current, target=target) == way


def test_being_there_by_name_needs_no_question() -> None:
    assert settled_status(CLOSED, "closed") == "Closed"
    assert settled_status(CLOSED, "Done") is None


def test_no_way_names_what_there_is() -> None:
    with pytest.raises(
        TransitionUnavailable, match="no way from Closed to Reopened; it offers Doing, In Review"
    ) as no_way:
        way_to(WAYS[:2], current=CLOSED, target="Reopened")
    assert no_way.value.kind is FailureKind.SOFT


def test_a_dead_end_is_said_to_be_one() -> None:
    with pytest.raises(TransitionUnavailable, match="it offers no other status"):
        way_to([], current={"name": "Closed"}, target="Done")
