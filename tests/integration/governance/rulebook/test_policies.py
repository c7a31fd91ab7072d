"""The rulebook's pages: reading, comparing, drafting, publishing."""

import pytest
import yaml

from governance.people.approvals.models import Change
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from governance.rulebook.queries.rulebook import changes
from tests.factories.changes import REASON, propose
from tests.factories.policies import LEAN
from tests.pages import html_of
from weighbridge.core.errors import NotFound

SOURCE = LEAN
LOOSER = SOURCE.replace("limit: 200", "limit: 500")


@pytest.fixture
def second(policy, approver, now):
    """A draft by the platform lead."""
    return rulebook.draft_policy(source=LOOSER, by=approver, now=now)


def test_the_list_shows_policies_and_checklists(as_, second, author):
    answer = as_(author).get("/rulebook/")
    rows = {kind: [(row.name, row.number, row.state) for row in rows] for kind, _, rows in answer.context["kinds"]}
    assert rows == {
        "policies": [("default", 2, "draft"), ("default", 1, "published")],
        "checklists": [("standard", 1, "published")],
        "catalogs": [],
    }
    assert "Draft a new version" not in html_of(answer)


def test_the_list_is_open_to_everybody_and_empty_before_preparation(as_, author):
    assert as_(author).get("/rulebook/").content.decode().count("No versions yet") == 3


def test_rules_are_readable(as_, policy, author):
    page = html_of(as_(author).get("/rulebook/policies/default/1/"))
    limit = '<span class="nowrap">100\N{NO-BREAK SPACE}ms</span>'
    assert f'Latency p95 <span class="soft">(upper bound)</span> at most {limit}' in page
    assert "Total cost 1 year above 250,000 USD" in page
    assert "n at least 2,000" in page
    assert "1. Technical review" in page
    assert "valid for 365 days" in page
    assert "kind: ReviewPolicy" in page


def test_items_of_a_checklist_are_readable(as_, checklist, author):
    page = html_of(as_(author).get("/rulebook/checklists/standard/1/"))
    assert "Cheaper alternatives considered" in page
    assert "text of at least 40 characters" in page


def test_a_draft_shows_what_it_would_change_and_who_may_propose_it(as_, second, approver, author):
    page = as_(author).get("/rulebook/policies/default/2/")
    assert [change.path for change in page.context["changes"]] == ["rules[training-gpu-hours].limit"]
    reason = "Only a platform lead or an administrator may propose a policy for publication."
    assert page.context["cannot_propose"] == reason
    assert "Propose for publication" not in html_of(page)
    assert "Propose for publication" in html_of(as_(approver).get("/rulebook/policies/default/2/"))


def test_a_draft_that_is_proposed_says_so(as_, second, approver, author, now):
    change = propose(version=second, by=approver, now=now)
    page = html_of(as_(approver).get("/rulebook/policies/default/2/"))
    assert f'href="/changes/{change.pk}/"' in page
    assert "Propose for publication" not in page
    page = html_of(as_(author).get("/rulebook/policies/default/2/"))
    assert "/changes/" not in page
    assert "A second person must confirm it" in page


def test_a_first_draft_has_nothing_to_be_compared_with(as_, approver, now):
    rulebook.draft_policy(source=SOURCE, by=approver, now=now)
    assert "No version of this name is in force yet" in html_of(as_(approver).get("/rulebook/policies/default/1/"))


def test_a_version_that_no_longer_reads_is_shown_as_source(as_, author, now):
    PolicyVersion.objects.create(
        name="old", number=1, source="kind: Other", digest="sha256:" + "0" * 64, written_at=now
    )
    page = html_of(as_(author).get("/rulebook/policies/old/1/"))
    assert "uses an old format that can no longer be parsed" in page
    assert "kind: Other" in page


def test_differences_between_versions(as_, second, author):
    answer = as_(author).get("/rulebook/policies/default/diff/?from=1&to=2")
    assert [(change.before, change.after) for change in answer.context["changes"]] == [("200 GPU h", "500 GPU h")]
    assert "limit, looser" in html_of(answer)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            "limit: 100\n",
            "limit: 80\n",
            [f"The rule “Latency p95{bound} at most 100 ms”: limit, stricter" for bound in (" (upper)", "")],
        ),
        ("quorum: 2", "quorum: 3", ["The stage “Technical review”: quorum"]),
        ("", "", []),
    ],
)
def test_a_difference_says_in_words_what_its_columns_do_not(as_, policy, approver, author, now, before, after, words):
    rulebook.draft_policy(source=SOURCE.replace(before, after) if before else SOURCE, by=approver, now=now)
    answer = as_(author).get("/rulebook/policies/default/diff/?from=1&to=2")
    assert [change.words for change in answer.context["changes"]] == words


def test_another_order_of_stages_is_told(as_, policy, approver, author, now):
    document = yaml.safe_load(SOURCE)
    document["stages"] = [document["stages"][place] for place in (1, 0, 2)]
    rulebook.draft_policy(source=yaml.safe_dump(document), by=approver, now=now)
    answer = as_(author).get("/rulebook/policies/default/diff/?from=1&to=2")
    assert [change.words for change in answer.context["changes"]] == ["The order of the stages"]


def test_differences_between_checklists(as_, checklist, approver, author, now):
    source = defaults.text_of(defaults.CHECKLIST).replace("min_length: 40", "min_length: 80", 1)
    rulebook.draft_checklist(source=source, by=approver, now=now)
    answer = as_(author).get("/rulebook/checklists/standard/diff/?from=1&to=2")
    assert [change.path for change in answer.context["changes"]] == ["items[quality].min_length"]


@pytest.mark.parametrize("query", ["", "?from=1", "?from=one&to=2", "?from=1&to=99999999999999999999", "?from=1&to=7"])
def test_a_comparison_of_what_is_not_there_is_refused(as_, policy, author, query):
    assert as_(author).get(f"/rulebook/policies/default/diff/{query}").status_code == 404


@pytest.mark.parametrize("path", ["/rulebook/laws/default/1/", "/rulebook/policies/other/1/", "/rulebook/laws/new/"])
def test_what_is_not_there_is_a_page_that_says_so(as_, policy, admin, path):
    answer = as_(admin).get(path)
    assert answer.status_code == 404
    assert "Page not found" in html_of(answer)


def test_drafting_starts_from_the_version_in_force_or_the_one_asked_for(as_, second, approver):
    client = as_(approver)
    assert client.get("/rulebook/policies/new/").context["form"].initial["source"] == SOURCE
    assert client.get("/rulebook/policies/new/?from=default:2").context["form"].initial["source"] == LOOSER
    assert client.get("/rulebook/checklists/new/").context["form"].initial["source"].startswith("# The checklist")


def test_drafting_starts_empty_where_there_is_nothing(as_, approver):
    assert as_(approver).get("/rulebook/policies/new/").context["form"].initial["source"] == ""


def test_a_draft_is_saved_as_the_next_number(as_, policy, approver):
    answer = as_(approver).post("/rulebook/policies/new/", {"source": LOOSER})
    assert answer.headers["Location"] == "/rulebook/policies/default/2/"
    saved = PolicyVersion.objects.get(number=2)
    assert (saved.state, saved.written_by, saved.source) == (DocumentState.DRAFT, approver, LOOSER)


def test_a_checklist_is_drafted_the_same_way(as_, checklist, approver):
    source = defaults.text_of(defaults.CHECKLIST)
    assert as_(approver).post("/rulebook/checklists/new/", {"source": source}).status_code == 302
    assert ChecklistVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (SOURCE.replace("metric: accuracy", "metric: beauty"), "rules[5].metric is not a metric of the catalog"),
        ("a: [", "The document is not valid YAML"),
        ("- just\n- a list", "The document must be a mapping"),
        ("", "This field is required."),
    ],
)
def test_a_faulty_draft_is_refused_beside_the_field_and_kept(as_, policy, approver, source, reason):
    answer = as_(approver).post("/rulebook/policies/new/", {"source": source})
    assert answer.status_code == 200
    assert reason in answer.context["form"].errors["source"][0]
    assert answer.context["form"]["source"].value() == source
    assert PolicyVersion.objects.count() == 1


def test_whoever_may_not_write_is_refused_and_nothing_is_written(as_, policy, author):
    assert as_(author).get("/rulebook/policies/new/").status_code == 403
    assert as_(author).post("/rulebook/policies/new/", {"source": LOOSER}).status_code == 403
    assert PolicyVersion.objects.count() == 1


def test_a_draft_is_proposed_from_its_page(as_, second, approver):
    answer = as_(approver).post("/rulebook/policies/default/2/propose/", {"reason": REASON}, follow=True)
    change = Change.objects.get()
    assert f"{change} is proposed" in html_of(answer)
    assert (change.kind, change.subject_id, change.gains) == ("policy", second.pk, second.written_by)
    assert (change.proposed_by, change.reason) == (approver, REASON)
    assert [row.state for row in PolicyVersion.objects.order_by("number")] == ["published", "draft"]


def test_a_checklist_is_proposed_too(as_, checklist, approver, now):
    source = defaults.text_of(defaults.CHECKLIST).replace("min_length: 40", "min_length: 80", 1)
    version = rulebook.draft_checklist(source=source, by=approver, now=now)
    as_(approver).post("/rulebook/checklists/standard/2/propose/", {"reason": REASON})
    change = Change.objects.get()
    assert (change.kind, change.subject_id) == ("checklist", version.pk)


def test_whoever_may_not_propose_is_told_why_and_nothing_moves(as_, second, author):
    answer = as_(author).post("/rulebook/policies/default/2/propose/", {"reason": REASON}, follow=True)
    assert "Only a platform lead or an administrator may propose" in html_of(answer)
    assert not Change.objects.exists()


def test_a_proposal_needs_a_post_and_a_reason(as_, second, admin):
    assert as_(admin).get("/rulebook/policies/default/2/propose/").status_code == 405
    answer = as_(admin).post("/rulebook/policies/default/2/propose/", follow=True)
    assert "Give a reason of 10 to 2,000 characters." in html_of(answer)
    assert not Change.objects.exists()


def test_a_policy_and_a_checklist_are_not_compared(policy, checklist):
    with pytest.raises(NotFound, match="cannot be compared"):
        changes(before=policy, after=checklist)
