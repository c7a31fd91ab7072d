from collections.abc import Callable

import pytest

from reviews.tickets.domain.field_values import FieldKind, FieldTarget
from reviews.tickets.jira.flavors.adf import prose
from reviews.tickets.jira.settings import STATUSES as USUAL
from reviews.tickets.jira.tracker import JiraTracker
from reviews.tickets.ports import Misconfigured
from tests.standins.jira.about import CATEGORIES, STATUSES
from tests.standins.jira_cloud import JiraCloud
from tests.standins.jira_data_center import JiraDataCenter
from tests.unit.reviews.tickets.conftest import DRAFT

Make = Callable[..., JiraTracker]


def test_good_news_says_as_whom_and_where(jira: JiraCloud, tracker: JiraTracker) -> None:
    health = tracker.check()
    assert (health.ok, health.account) == (True, "Weighbridge")
    assert health.sentence == "Connected as Weighbridge: tickets open in Model Reviews (MR) as Task."
    assert jira.requests("POST") == []


@pytest.mark.parametrize(
    ("settings", "site", "words"),
    [
        ({"token": "wrong"}, {}, "does not accept the"),
        ({"project": "NONE"}, {}, "no project NONE"),
        ({"issue_type": "Epic"}, {}, "no issue type Epic: choose one of Task, Bug, Model Review for the route."),
        ({"fields": {"customfield_1": 1}}, {}, "The route sets customfield_1, which the create screen of Task lacks"),
        ({}, {"denied": ["ADD_COMMENTS", "LINK_ISSUES"]}, "may not add comments, link issues in project MR"),
        ({}, {"denied": ["CREATE_ATTACHMENTS"]}, "may not attach files in project MR"),
        (
            {"field_map": {"tier": FieldTarget("customfield_10033", FieldKind.TEXT)}},
            {"denied": ["EDIT_ISSUES"]},
            "may not edit issues",
        ),
        ({}, {"screen": {"summary": "Summary"}}, "lacks the field Labels"),
        (
            {},
            {"required": ["summary", "customfield_10020"]},
            "requires Cost center (customfield_10020) in every ticket",
        ),
        (
            {},
            {"required": ["summary", "attachment"], "types": {"attachment": "array"}}
            | {"screen": {"summary": "Summary", "labels": "Labels", "attachment": "Attachment"}}
            | {"items": {"attachment": "attachment"}},
            "cannot fill Attachment (attachment), a field of the type list of attachment",
        ),
        (
            {"field_map": {"reference": FieldTarget("customfield_10034", FieldKind.OPTION)}},
            {},
            "fills customfield_10034 with Reference of the request or action item, which does not fit",
        ),
        (
            {"field_map": {"tier": FieldTarget("customfield_10034", FieldKind.OPTION)}},
            {},
            "The list Decision (customfield_10034), in which the route puts Risk tier, lacks T1, T2, T3: add",
        ),
        (
            {"field_map": {"decision": FieldTarget("customfield_10034", FieldKind.OPTION)}},
            {"options": {"customfield_10034": [{"id": "1", "value": "Approved"}, {"id": "2", "value": "Rejected"}]}},
            "puts Decision, lacks Approved with conditions: add",
        ),
        ({}, {"deployment": "Other"}, "Weighbridge supports Jira Cloud and Jira Data Center"),
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


def test_a_list_with_every_option_is_fine(jira: JiraCloud, tracker_for: Make) -> None:
    jira.config.types["customfield_10033"] = "option"
    jira.config.options["customfield_10033"] = [{"id": tier, "value": tier} for tier in ("T1", "T2", "T3")]
    targets = {"tier": "customfield_10033", "decision": "customfield_10034"}
    tracker = tracker_for(field_map={name: FieldTarget(field, FieldKind.OPTION) for name, field in targets.items()})
    assert tracker.check().ok
    opened = tracker.open(DRAFT.with_values({"tier": "T2"}))
    with pytest.raises(Misconfigured, match="customfield_10033"):
        tracker.fill(opened.id, {"tier": "T4"})
    assert jira.issues.issues[0]["fields"]["customfield_10033"] == {"value": "T2"}


def test_a_required_field_with_a_value_in_the_settings_is_fine(jira: JiraCloud, tracker_for: Make) -> None:
    jira.config.required += ["customfield_10020", "reporter"]
    jira.config.screen["reporter"] = "Reporter"
    assert tracker_for(fields={"customfield_10020": "4711"}).check().ok


@pytest.mark.parametrize("work", ["review", "action_item", ""])
@pytest.mark.parametrize(
    ("value", "field", "kind", "works"),
    [
        ("tier", "customfield_10033", FieldKind.TEXT, {"review"}),
        ("cost_of_year", "customfield_10031", FieldKind.NUMBER, {"review"}),
        ("gpu_hours", "customfield_10032", FieldKind.NUMBER, {"review"}),
        ("reference", "customfield_10036", FieldKind.TEXT, {"review", "action_item", ""}),
        ("link", "customfield_10036", FieldKind.TEXT, {"review", "action_item", ""}),
        ("authorized_until", "customfield_10035", FieldKind.DATE, set()),
    ],
)
def test_a_required_field_is_filled_only_by_a_value_of_every_ticket(
    jira: JiraCloud, tracker_for: Make, work: str, value: str, field: str, kind: FieldKind, works: set[str]
) -> None:
    jira.config.required.append(field)
    health = tracker_for(work=work, field_map={value: FieldTarget(field, kind)}).check()
    assert health.ok is (work in works)
    if not health.ok and works:
        advice = "enter a value that is the same in every ticket" if work else "a route of its own for action items"
        assert f"({field}) in every ticket, and the value that the route puts there" in health.sentence
        assert advice in health.sentence
    elif not health.ok:
        assert f"({field}) in every ticket: set a value in the route." in health.sentence


def test_the_usual_statuses_are_categories_in_any_language(
    jira: JiraCloud, tracker_for: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, name in (("new", "Zu erledigen"), ("indeterminate", "In Arbeit"), ("done", "Fertig")):
        monkeypatch.setitem(CATEGORIES[key], "name", name)
    for number, name in (("10000", "Zu erledigen"), ("10001", "In Arbeit"), ("10003", "Fertig")):
        monkeypatch.setitem(STATUSES, number, (name, STATUSES[number][1]))
    assert tracker_for(statuses=tuple(USUAL.values())).check().ok
    health = tracker_for(statuses=("To Do", "Nirvana")).check()
    assert (health.ok, "has no status Nirvana: choose one of" in health.sentence) == (False, True)


def test_a_paragraph_is_no_line(jira: JiraCloud, tracker_for: Make) -> None:
    """Jira Cloud takes the text of such a field as a document only, although its type is "string" too."""
    jira.config.screen |= {"environment": "Environment", "customfield_10037": "Notes"}
    jira.config.paragraphs.append("customfield_10037")
    is_cloud = not isinstance(jira, JiraDataCenter)
    as_line = FieldTarget("customfield_10037", FieldKind.TEXT)
    health = tracker_for(field_map={"tier": as_line}).check()
    assert (health.ok, "as string, but Jira says that it is paragraph" in health.sentence) == (not is_cloud, is_cloud)
    health = tracker_for(fields={"environment": "x"}).check()
    assert (health.ok, "sets environment as one line" in health.sentence) == (not is_cloud, is_cloud)
    kind = FieldKind.PARAGRAPH if is_cloud else FieldKind.TEXT
    fixed = {"environment": {"paragraph": "x\ny"} if is_cloud else "x\ny"}
    good = tracker_for(field_map={"tier": FieldTarget("customfield_10037", kind)}, fields=fixed)
    assert good.check().ok
    opened = good.open(DRAFT.with_values({"tier": "T2"}))
    good.fill(opened.id, {"tier": "T1"})
    (issue,) = jira.issues.issues
    texts = [issue["fields"][name] for name in ("environment", "customfield_10037")]
    assert [prose(text).strip() if is_cloud else text for text in texts] == ["x\ny", "T1"]
    wrong = tracker_for(field_map={"tier": FieldTarget(as_line.id, FieldKind.TEXT if is_cloud else FieldKind.OPTION)})
    with pytest.raises(Misconfigured, match="customfield_10037"):
        wrong.fill(opened.id, {"tier": "T3"})
    with pytest.raises(Misconfigured, match="customfield_10037"):
        wrong.open(DRAFT.with_values({"tier": "T3"}))
    assert [issue["fields"]["customfield_10037"] for issue in jira.issues.issues] == texts[1:]


@pytest.mark.parametrize("path", ["myself", "project/MR", "mypermissions", "issue/createmeta/MR/issuetypes"])
def test_a_refused_credential_fails_the_account_at_whatever_step(
    jira: JiraCloud, tracker: JiraTracker, path: str
) -> None:
    jira.order(f"GET .*/{path}$", status=401, body={})
    health = tracker.check()
    assert (health.ok, health.is_signed_in, health.steps[-1].name) == (False, False, "Account")
    assert health.sentence.endswith("token. Create a new token and store it in the settings of the site.")


def test_a_broken_project_fails_no_account(jira: JiraCloud, tracker_for: Make) -> None:
    health = tracker_for(project="NONE").check()
    assert (health.ok, health.is_signed_in, health.steps[-1].name) == (False, True, "Project")
    jira.config.deployment = "Other"
    assert not tracker_for().check().is_signed_in


def test_no_answer_is_a_sentence_too(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order("GET .*/project/MR", drop_before_commit=True)
    assert not tracker.check().ok


def test_an_answer_of_another_shape_is_a_sentence_too(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order("GET .*/mypermissions", status=200, body={})
    assert "did not answer like Jira" in tracker.check().sentence


def test_a_mended_site_is_seen_at_once(jira: JiraCloud, tracker: JiraTracker) -> None:
    right, jira.config.deployment = jira.config.deployment, "Other"
    assert not tracker.check().ok
    jira.config.deployment = right
    assert tracker.check().ok
