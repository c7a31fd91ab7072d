from collections.abc import Callable
from dataclasses import replace

import pytest

from reviews.tickets.jira.tracker import JiraTracker
from reviews.tickets.ports import LabelLost, Misconfigured, Paragraph, TicketGone, TransitionUnavailable
from tests.standins.jira_cloud import JiraCloud
from tests.unit.reviews.tickets.conftest import DRAFT, body_of

Make = Callable[..., JiraTracker]
SAYS = (Paragraph("The policy evaluation: review is required."),)


def test_a_ticket_is_opened_as_the_settings_say(jira: JiraCloud, tracker_for: Make) -> None:
    tracker = tracker_for(issue_type="Model Review", fields={"customfield_10020": "4711", "summary": "never"})
    ticket = tracker.open(DRAFT)
    assert (ticket.id, ticket.key, ticket.status, ticket.duplicates) == ("10001", "MR-1", "To Do", ())
    assert ticket.url == f"{jira.url}/browse/MR-1"
    (issue,) = jira.issues.issues
    assert issue["fields"]["issuetype"] == {"name": "Model Review"}
    assert issue["fields"]["customfield_10020"] == "4711"
    assert issue["fields"]["summary"] == DRAFT.summary
    assert issue["fields"]["labels"] == [DRAFT.label]
    assert issue["properties"] == {"weighbridge": {"label": DRAFT.label}}


def test_one_call_is_one_post(jira: JiraCloud, tracker: JiraTracker) -> None:
    tracker.open(DRAFT)
    assert jira.requests(f"POST {jira.root}/issue ") == [f"POST {jira.root}/issue 201"]


def test_the_label_finds_the_ticket_and_nothing_else(tracker: JiraTracker) -> None:
    opened = tracker.open(DRAFT)
    tracker.open(replace(DRAFT, label=f"{DRAFT.label}0"))
    assert tracker.find(DRAFT.label) == opened
    assert tracker.find("weighbridge-test-mrr-2026-9999") is None


def test_a_find_that_only_resembles_the_label_is_none(jira: JiraCloud, tracker: JiraTracker) -> None:
    near = {"id": "10001", "key": "MR-1", "fields": {"labels": [DRAFT.label.upper()], "status": {"name": "To Do"}}}
    jira.order("POST .*/search/jql", status=200, body={"issues": [near], "isLast": True})
    assert tracker.find(DRAFT.label) is None


def test_a_label_is_quoted(tracker: JiraTracker) -> None:
    tracker.open(DRAFT)
    assert tracker.find(f'x" OR labels = "{DRAFT.label}') is None
    assert tracker.find("back\\slash") is None


def test_the_oldest_of_several_wins_and_the_rest_are_named(tracker: JiraTracker) -> None:
    oldest, *younger = [tracker.open(DRAFT) for _ in range(3)]
    assert tracker.find(DRAFT.label) == replace(oldest, duplicates=tuple(ticket.key for ticket in younger))


def test_search_lags_behind_as_jiras_does(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.config.index_lag_s = 60
    tracker.open(DRAFT)
    assert tracker.find(DRAFT.label) is None
    jira.config.index_lag_s = 0
    assert tracker.find(DRAFT.label) is not None


def test_a_label_that_was_not_kept_is_told_with_the_ticket(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order("POST .*/issue$", strip_labels=True)
    with pytest.raises(LabelLost, match="Jira opened MR-1 but did not store its label") as lost:
        tracker.open(DRAFT)
    assert (lost.value.ticket.key, lost.value.fields) == ("MR-1", ("labels",))


def test_a_look_that_fails_does_not_unmake_the_ticket(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order("GET .*/issue/10001", status=503)
    assert (tracker.open(DRAFT).key, len(jira.issues.issues)) == ("MR-1", 1)


def test_a_comment_is_written_once(jira: JiraCloud, tracker: JiraTracker) -> None:
    ticket = tracker.open(DRAFT)
    first = tracker.comment(ticket.id, SAYS, marker="event-1")
    assert tracker.comment(ticket.id, SAYS, marker="event-1") == first
    assert tracker.comment(ticket.id, SAYS, marker="event-12") != first
    assert len(jira.issues.issues[0]["comments"]) == 2


def test_a_first_attempt_need_not_look(jira: JiraCloud, tracker: JiraTracker) -> None:
    ticket = tracker.open(DRAFT)
    tracker.comment(ticket.id, SAYS, marker="event-1", may_exist=False)
    assert jira.requests(f"GET {jira.root}/issue/10001/comment") == []


def test_our_marker_in_the_words_of_another_does_not_count(jira: JiraCloud, tracker: JiraTracker) -> None:
    ticket = tracker.open(DRAFT)
    jira.issues.add_comment("MR-1", {"body": body_of(jira, "you wrote [event-1]")}, author="somebody")
    tracker.comment(ticket.id, SAYS, marker="event-1")
    assert [comment["author"]["displayName"] for comment in jira.issues.issues[0]["comments"]] == [
        "Somebody Else",
        "Weighbridge",
    ]


@pytest.mark.parametrize("text", ["[event-2]", "See [event-2]", "[event-2]\n\n[event-2] and {{[event-2]}}"])
def test_a_marker_in_a_text_that_we_pass_on_does_not_count(tracker: JiraTracker, text: str) -> None:
    """Markers are easy to guess, and our own account writes what people wrote, also several texts at once."""
    ticket = tracker.open(DRAFT)
    planted = tracker.comment(ticket.id, (*SAYS, *[Paragraph(text)] * 19), marker="event-1")
    real = tracker.comment(ticket.id, SAYS, marker="event-2")
    assert real != planted
    assert tracker.comment(ticket.id, SAYS, marker="event-1") == planted
    assert tracker.comment(ticket.id, SAYS, marker="event-2") == real


def test_an_old_comment_is_found_behind_many_pages(jira: JiraCloud, tracker: JiraTracker) -> None:
    ticket = tracker.open(DRAFT)
    first = tracker.comment(ticket.id, SAYS, marker="event-1")
    for _ in range(250):
        jira.issues.add_comment("MR-1", {"body": body_of(jira, "more")}, author="somebody")
    assert tracker.comment(ticket.id, SAYS, marker="event-1") == first


def test_the_ticket_moves_by_name_and_by_category(jira: JiraCloud, tracker: JiraTracker) -> None:
    ticket = tracker.open(DRAFT)
    assert tracker.transition(ticket.id, "In Review") == "In Review"
    assert tracker.transition(ticket.id, "indeterminate") == "In Review"
    assert tracker.transition(ticket.id, "Done") == "Done"
    assert tracker.transition(ticket.id, "Done") == "Done"
    assert len(jira.requests(f"POST {jira.root}/issue/10001/transitions")) == 2
    assert tracker.find(DRAFT.label).status == "Done"


def test_a_workflow_without_that_way_is_told_and_nothing_moves(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.config.ways = {"To Do": ["In Progress"]}
    ticket = tracker.open(DRAFT)
    with pytest.raises(TransitionUnavailable, match="no transition from To Do to Done; it offers In Progress"):
        tracker.transition(ticket.id, "Done")
    assert tracker.find(DRAFT.label).status == "To Do"


def test_a_screen_that_asks_for_more_is_told(jira: JiraCloud, tracker: JiraTracker) -> None:
    ticket = tracker.open(DRAFT)
    jira.order("POST .*/transitions", status=400, body={"errors": {"resolution": "Resolution is required."}})
    with pytest.raises(TransitionUnavailable, match="resolution: Resolution is required"):
        tracker.transition(ticket.id, "Done")


def test_a_move_we_may_not_make_is_a_matter_of_settings(jira: JiraCloud, tracker: JiraTracker) -> None:
    ticket = tracker.open(DRAFT)
    jira.order("POST .*/transitions", status=403)
    with pytest.raises(Misconfigured, match="may not move the ticket to Done"):
        tracker.transition(ticket.id, "Done")


def test_the_link_back_is_set_once_and_overwritten(jira: JiraCloud, tracker: JiraTracker) -> None:
    ticket = tracker.open(DRAFT)
    tracker.link(ticket.id, url="http://localhost/1", title="MRR-2026-0042", global_id="weighbridge:MRR-2026-0042")
    tracker.link(ticket.id, url="http://localhost/2", title="MRR-2026-0042", global_id="weighbridge:MRR-2026-0042")
    (link,) = jira.issues.issues[0]["links"].values()
    assert link["object"] == {"url": "http://localhost/2", "title": "MRR-2026-0042"}


def test_a_deleted_ticket_is_gone_and_not_made_again(jira: JiraCloud, tracker: JiraTracker) -> None:
    ticket = tracker.open(DRAFT)
    jira.issues.delete(ticket.key)
    for attempt in (
        lambda: tracker.comment(ticket.id, SAYS, marker="event-1"),
        lambda: tracker.transition(ticket.id, "Done"),
        lambda: tracker.link(ticket.id, url="http://localhost/", title="x", global_id="y"),
    ):
        with pytest.raises(TicketGone, match="does not show ticket 10001"):
            attempt()
    assert len(jira.issues.issues) == 1


def test_a_strange_ticket_id_stays_one_part_of_the_path(jira: JiraCloud, tracker: JiraTracker) -> None:
    with pytest.raises(TicketGone):
        tracker.link("../myself?x=", url="http://localhost/", title="x", global_id="y")
    assert jira.requests("POST")[0].startswith(f"POST {jira.root}/issue/..%2Fmyself%3Fx%3D/remotelink")
