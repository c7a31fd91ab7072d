from collections.abc import Callable

import pytest

from reviews.tickets.jira.tracker import JiraTracker
from tests.standins.jira_cloud import JiraCloud

Make = Callable[..., JiraTracker]


def test_good_news_says_as_whom_and_where(jira: JiraCloud, tracker: JiraTracker) -> None:
    health = tracker.check()
    assert (health.ok, health.account) == (True, "Weighbridge")
    assert health.sentence == "Connected as Weighbridge: tickets open in Model Reviews (MR) as Task."
    assert jira.requests("POST") == []


@pytest.mark.parametrize(
    ("settings", "site", "words"),
    [
        ({"token": "wrong"}, {}, "does not accept the account bot@example.com"),
        ({"project": "NONE"}, {}, "no project NONE"),
        ({"issue_type": "Epic"}, {}, "no issue type Epic: set JIRA_ISSUE_TYPE to one of Task, Bug, Model Review."),
        ({"fields": {"customfield_1": 1}}, {}, "JIRA_FIELDS sets customfield_1, which the create screen of Task lacks"),
        ({}, {"denied": ["ADD_COMMENTS", "LINK_ISSUES"]}, "may not add comments, link issues in project MR"),
        ({}, {"screen": {"summary": "Summary"}}, "lacks the field Labels"),
        (
            {},
            {"required": ["summary", "customfield_10020"]},
            "requires Cost center (customfield_10020) in every ticket",
        ),
        ({}, {"deployment": "Server"}, "not Jira Cloud"),
    ],
)
def test_the_first_thing_wrong_is_said(
    jira: JiraCloud, tracker_for: Make, settings: dict[str, object], site: dict[str, object], words: str
) -> None:
    for name, value in site.items():
        setattr(jira.config, name, value)
    health = tracker_for(**settings).check()
    assert not health.ok
    assert words in health.sentence
    assert health.sentence.endswith(".")


def test_a_required_field_with_a_value_in_the_settings_is_fine(jira: JiraCloud, tracker_for: Make) -> None:
    jira.config.required.append("customfield_10020")
    assert tracker_for(fields={"customfield_10020": "4711"}).check().ok


def test_no_answer_is_a_sentence_too(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order("GET .*/project/MR", drop_before_commit=True)
    assert not tracker.check().ok


def test_an_answer_of_another_shape_is_a_sentence_too(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order("GET .*/mypermissions", status=200, body={})
    assert "did not answer like Jira" in tracker.check().sentence


def test_a_mended_site_is_seen_at_once(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.config.deployment = "Server"
    assert not tracker.check().ok
    jira.config.deployment = "Cloud"
    assert tracker.check().ok
