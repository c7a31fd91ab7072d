"""A vote that is not cast yet: only its author sees it, and it counts nowhere."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from governance.absences.actions.absences import end_absence
from governance.people.domain.roles import Role
from reviews.notes.api import DraftVoteInput
from reviews.notes.domain.draft_votes import CONDITIONS_MAX, DraftCondition, VoteDraft
from reviews.notes.models import DraftVote, LastLook, ViewedPart
from reviews.notes.queries.draft_votes import DraftVoteView
from reviews.notes.web import DraftVoteForm, vote_initial
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import readers_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.models import Vote
from reviews.workflow.actions import requests, review
from reviews.workflow.api.inputs import VoteInput
from reviews.workflow.queries.view_authorization import EarlierConditionView
from reviews.workflow.queries.view_course import VotingRightView
from reviews.workflow.web.page.vote_form import VoteForm
from tests.factories import requests as walks
from tests.factories.absences import make_absence
from tests.factories.people import Cast, make_person
from tests.factories.snapshots import snapshot
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.standstill import refused
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db
TEXT = "The interval of the accuracy is too wide."


def path_of(request: ReviewRequest) -> str:
    return f"{page_of(request)}votes/draft/"


def test_a_draft_is_saved_and_replaced(in_review: ReviewRequest, cast: Cast) -> None:
    client = enter(cast.reviewer_one)
    page = client.get(page_of(in_review))
    assert "What you fill in is saved as a draft by itself." in words(page)
    done = client.post(path_of(in_review), {"rationale": "Wide.", "revision": 1}, follow=True)
    assert "Your vote is saved as a draft. Only you see it." in words(done)
    client.post(path_of(in_review), {"rationale": TEXT, "choice": "reject", "revision": 1})
    row = DraftVote.objects.get()
    assert (row.person, row.choice, row.rationale, row.revision) == (cast.reviewer_one, "reject", TEXT, 1)
    form = client.get(page_of(in_review)).context["forms"]["vote"]
    assert (form["choice"].value(), form["rationale"].value()) == ("reject", TEXT)
    assert Vote.objects.count() == 0


def test_only_its_author_sees_it(in_review: ReviewRequest, cast: Cast) -> None:
    enter(cast.reviewer_one).post(path_of(in_review), {"rationale": TEXT})
    for user in (cast.reviewer_two, cast.author, cast.admin, cast.auditor):
        assert TEXT not in enter(user).get(page_of(in_review)).content.decode()
    assert not any(site.is_registered(model) for model in (DraftVote, LastLook, ViewedPart))


def test_the_form_saves_itself(in_review: ReviewRequest, cast: Cast) -> None:
    client, headers = enter(cast.reviewer_one), {"HX-Request": "true"}
    answer = client.post(path_of(in_review), {"rationale": TEXT, "revision": 1}, headers=headers)
    assert "Saved as a draft at" in words(answer)
    late = client.post(path_of(in_review), {"rationale": "Other.", "revision": 2}, headers=headers)
    assert "Not saved. You saw revision 2, and this is revision 1." in words(late)
    assert DraftVote.objects.get().rationale == TEXT
    answer = client.post(path_of(in_review), {"rationale": "Other.", "revision": 2}, follow=True)
    assert "You saw revision 2" in words(answer)


def test_an_empty_draft_is_discarded(in_review: ReviewRequest, cast: Cast) -> None:
    client = enter(cast.reviewer_one)
    client.post(path_of(in_review), {"rationale": TEXT})
    client.post(path_of(in_review), {"rationale": "", "choice": "", "text_1": ""})
    assert not DraftVote.objects.exists()


def test_a_vote_removes_its_draft(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    for user in (cast.reviewer_one, cast.reviewer_two):
        enter(user).post(path_of(in_review), {"rationale": TEXT})
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    assert DraftVote.objects.get().person == cast.reviewer_two


def test_a_new_revision_keeps_the_text_and_opens_the_choice(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    client = enter(cast.reviewer_one)
    given = {"rationale": TEXT, "choice": "reject", "text_1": "Measure it again."}
    client.post(path_of(in_review), given | {"owner_1": str(cast.author.pk)})
    requests.revise(request=in_review, reason="New weights.", by=cast.author, now=now)
    answer = client.post(path_of(in_review), {"rationale": "Other."}, follow=True)
    assert "a vote is drafted while it is in review" in words(answer)
    walks.explain_everything(request=in_review, by=cast.author, now=now)
    review.request_review(request=in_review, by=cast.author, now=now)
    page = client.get(page_of(in_review))
    assert "Your draft was about revision 1. Its text is kept; read what changed, and choose again." in words(page)
    form = page.context["forms"]["vote"]
    assert (form["choice"].value(), form["rationale"].value()) == ("", TEXT)
    assert (form.initial["text_1"], form.initial["owner_1"]) == ("Measure it again.", str(cast.author.pk))
    assert DraftVote.objects.get().conditions[0]["owner"] == "author"


def test_a_draft_has_every_field_of_a_vote(in_review: ReviewRequest) -> None:
    """What a person fills in and a draft does not know is lost when the form saves itself."""
    rights = [VotingRightView(stage="s", title="S", in_place_of="ada", name="Ada")]
    earlier = [
        EarlierConditionView(id=1, text="x", owner="o", due_on=date(2027, 1, 1), set_by="s", authorization="AUT-1")
    ]
    vote = VoteForm(rights=rights, people=readers_of(in_review), may_condition=True, earlier=earlier)
    assert set(DraftVoteForm(people=readers_of(in_review)).fields) == set(vote.fields) - {"stage"}
    assert set(DraftVoteInput().fields) == set(VoteInput().fields) - {"stage"}


@pytest.mark.parametrize("count", [0, 1, 3, 4, CONDITIONS_MAX])
def test_a_form_that_saves_itself_keeps_every_condition(in_review: ReviewRequest, cast: Cast, count: int) -> None:
    conditions = tuple(DraftCondition(text=f"Watch {n}.", owner="author", due_on="2027-01-01") for n in range(count))
    draft = VoteDraft(choice="approve", rationale=TEXT, conditions=conditions)
    view = DraftVoteView(
        revision=1, is_current=True, choice="approve", rationale=TEXT, conditions=conditions, saved_at=None
    )
    people = readers_of(in_review)
    form = VoteForm(initial=vote_initial(view, names=[""]), people=people, may_condition=True)
    assert len(form.conditions) == max(3, count)
    sent = {field.name: field.value() or "" for field in form} | {"stage": "final"}
    assert form.has_conditions is (count > 0)
    filled = DraftVoteForm(sent, people=people)
    assert filled.is_valid(), filled.errors
    again = filled.draft(kept=())
    assert replace(again, conditions=again.conditions[:count]) == draft
    assert set(again.conditions[count:]) <= {DraftCondition()}
    cast_vote = VoteForm(sent, people=people, may_condition=True)
    assert cast_vote.is_valid(), cast_vote.errors
    assert [each.text for each in cast_vote.new_conditions] == [each.text for each in conditions]


def fields_of(page: Any) -> dict[str, Any]:
    """The fields of the vote as the page shows them."""
    return {field.html_name: field.value() or "" for field in page.context["forms"]["vote"]}


def test_a_form_without_conditions_keeps_those_of_the_draft(
    in_review: ReviewRequest, cast: Cast, api: Callable[[User], APIClient]
) -> None:
    """Only the form of the last stage has fields for them, and that of a draft that has some."""
    conditions = [{"text": f"Watch {n}.", "owner": "author", "due_on": ""} for n in range(5)]
    client, path = enter(cast.reviewer_one), f"/api/v1/requests/{in_review.ref}/votes/draft/"
    opened_before = fields_of(client.get(page_of(in_review)))
    assert set(opened_before) == {"stage", "revision", "choice", "rationale"}
    api(cast.reviewer_one).post(path, {"conditions": conditions}, format="json")
    assert client.post(path_of(in_review), opened_before | {"rationale": TEXT}).status_code == 302
    row = DraftVote.objects.get()
    assert (row.rationale, row.conditions) == (TEXT, conditions)
    page = client.get(page_of(in_review))
    assert "<details open>\n      <summary>Approve with conditions</summary>" in page.content.decode()
    opened_after = fields_of(page)
    assert [opened_after[f"text_{n}"] for n in range(1, 6)] == [each["text"] for each in conditions]
    assert client.post(path_of(in_review), opened_after | {"rationale": "Changed."}).status_code == 302
    row = DraftVote.objects.get()
    assert (row.rationale, row.conditions) == ("Changed.", conditions)


@pytest.mark.parametrize("who", ["outsider", "closed", "nobody", "x"])
def test_an_owner_who_cannot_see_the_request_is_refused_without_their_name(
    in_review: ReviewRequest, cast: Cast, now: datetime, who: str
) -> None:
    make_person("closed", Role.REVIEWER, now=now)
    User.objects.filter(username="closed").update(is_active=False)
    found = User.objects.filter(username=who).first()
    owner = str(found.pk) if found else {"nobody": "999999", "x": "x"}[who]
    given = {"rationale": TEXT, "text_1": "Watch it.", "owner_1": owner, "due_on_1": "2027-01-31"}
    client = enter(cast.reviewer_one)
    answer = client.post(path_of(in_review), given)
    assert answer.status_code == 400
    assert f"There is no active user “#{owner}” who can see this request." in words(answer)
    bad_day = client.post(path_of(in_review), given | {"owner_1": str(cast.author.pk), "due_on_1": "tomorrow"})
    assert bad_day.status_code == 400
    assert not DraftVote.objects.exists()


@pytest.mark.parametrize(
    ("who", "given", "why"),
    [
        ("author", {"rationale": TEXT}, "Only"),
        ("outsider", {"rationale": TEXT}, "There is no request"),
        ("reviewer_one", {"rationale": "x" * 20_001}, "The draft is too long"),
        ("reviewer_one", {"text_1": "Watch it.", "owner_1": "999999"}, "There is no active user"),
    ],
)
def test_a_form_that_saves_itself_is_told_why_not_in_its_place(
    in_review: ReviewRequest, cast: Cast, who: str, given: dict[str, str], why: str
) -> None:
    """The answer is put into the form, so it is never a whole page."""
    before = snapshot()
    answer = enter(getattr(cast, who)).post(path_of(in_review), given, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert f"Not saved. {why}" in words(answer)
    assert "<html" not in answer.content.decode()
    assert snapshot() == before


def test_a_deputy_drafts_a_vote(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    three = make_person("reviewer_three", Role.REVIEWER, now=now)
    absence = make_absence(cast.reviewer_two, deputy=three, now=timezone.now())
    client = enter(three)
    given = {"rationale": TEXT, "choice": "reject", "revision": 1, "in_place_of": "reviewer_two", "lifted": ["4", "7"]}
    assert client.post(path_of(in_review), given).status_code == 302
    row = DraftVote.objects.get()
    assert (row.in_place_of, row.lifted_ids) == ("reviewer_two", [4, 7])
    form = client.get(page_of(in_review)).context["forms"]["vote"]
    assert (form["in_place_of"].value(), form["choice"].value(), form.initial["lifted"]) == (
        "reviewer_two",
        "reject",
        (4, 7),
    )
    end_absence(absence=absence, by=cast.reviewer_two, now=timezone.now())
    page = client.get(page_of(in_review))
    assert "Your draft was in the place of reviewer_two, whose deputy you are not any more." in words(page)
    form = page.context["forms"]["vote"]
    assert (form["choice"].value(), form["rationale"].value(), form.initial["in_place_of"]) == (None, TEXT, "")
    late = client.post(f"{page_of(in_review)}votes/", {**given, "stage": "technical", "rationale": "Typed since."})
    assert (late.status_code, "You are not the deputy of reviewer_two now" in words(late)) == (403, True)
    assert late.context["forms"]["vote"]["rationale"].value() == "Typed since."
    assert not Vote.objects.exists()


@pytest.mark.parametrize("lifted", [["x"], ["1" * 19], ["-1"], ["²"]])
def test_what_is_no_id_is_not_lifted(in_review: ReviewRequest, cast: Cast, lifted: list[str]) -> None:
    given = {"rationale": TEXT, "lifted": lifted}
    assert enter(cast.reviewer_one).post(path_of(in_review), given).status_code == 400
    assert not DraftVote.objects.exists()


def test_a_form_that_saves_itself_does_not_outlive_its_vote(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    client, headers = enter(cast.reviewer_one), {"HX-Request": "true"}
    client.post(path_of(in_review), {"rationale": TEXT, "revision": 1}, headers=headers)
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    late = client.post(path_of(in_review), {"rationale": TEXT, "revision": 1}, headers=headers)
    assert "Not saved. You have voted on this revision." in words(late)
    assert not DraftVote.objects.exists()
    review.take_back(request=in_review, reason="I misread it.", by=cast.reviewer_one, now=now)
    client.post(path_of(in_review), {"rationale": TEXT, "revision": 1}, headers=headers)
    assert DraftVote.objects.get().rationale == TEXT


def test_a_draft_is_checked_under_the_lock(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    """The request was read before it was withdrawn."""
    requests.withdraw(request=ReviewRequest.objects.get(), reason="Not needed.", by=cast.author, now=now)
    with refused(WrongState, match="The request is withdrawn; a vote is drafted while it is in review."):
        DraftVote.keep(request=in_review, person_id=cast.reviewer_one.pk, draft=VoteDraft(rationale=TEXT), now=now)


@pytest.mark.parametrize(
    ("who", "given", "status"),
    [
        ("author", {"rationale": TEXT}, 403),
        ("auditor", {"rationale": TEXT}, 403),
        ("outsider", {"rationale": TEXT}, 404),
        ("reviewer_one", {"rationale": "x" * 20_001}, 400),
        ("reviewer_one", {"choice": "abstain"}, 400),
        ("reviewer_one", {"in_place_of": "x" * 151}, 400),
    ],
)
def test_a_refused_draft_is_not_kept(
    in_review: ReviewRequest, cast: Cast, who: str, given: dict[str, str], status: int
) -> None:
    before = snapshot()
    assert enter(getattr(cast, who)).post(path_of(in_review), given).status_code == status
    assert snapshot() == before


def test_the_api_of_drafts(in_review: ReviewRequest, cast: Cast, api: Callable[[User], APIClient]) -> None:
    client, path = api(cast.reviewer_one), f"/api/v1/requests/{in_review.ref}/votes/draft/"
    assert client.get(path).data["saved_at"] is None
    condition = {"text": "Watch it.", "owner": "author", "due_on": "2027-01-01"}
    given = {"choice": "approve", "rationale": TEXT, "conditions": [condition], "revision": 1, "lifted_ids": [3]}
    saved = client.post(path, given, format="json")
    assert saved.status_code == 200, saved.data
    assert (saved.data["choice"], saved.data["rationale"], [dict(each) for each in saved.data["conditions"]]) == (
        "approve",
        TEXT,
        [condition],
    )
    assert (saved.data["in_place_of"], list(saved.data["lifted_ids"])) == ("", [3])
    assert client.get(path).data == saved.data
    assert api(cast.reviewer_two).get(path).data["rationale"] == ""
    assert client.post(path, {"revision": 2}, format="json").status_code == 409
    assert client.post(path, {"choice": "abstain"}, format="json").status_code == 400
    assert api(cast.author).post(path, {"choice": "abstain"}, format="json").status_code == 403
    assert api(cast.author).post(path, {"rationale": TEXT}, format="json").status_code == 403
    assert client.post(path, {}, format="json").data["saved_at"] is None
    assert not DraftVote.objects.exists()


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("owner", "nobody"),
        ("owner", "outsider"),
        ("owner", "AUTHOR"),
        ("owner", "closed"),
        ("due_on", "tomorrow"),
        ("due_on", "2027-02-30"),
        ("due_on", "01/31/2027"),
        ("due_on", "20270131"),
    ],
)
def test_a_draft_that_its_page_could_not_show_is_refused(
    in_review: ReviewRequest, cast: Cast, api: Callable[[User], APIClient], now: datetime, part: str, value: str
) -> None:
    make_person("closed", Role.REVIEWER, now=now)
    User.objects.filter(username="closed").update(is_active=False)
    client, path = api(cast.reviewer_one), f"/api/v1/requests/{in_review.ref}/votes/draft/"
    good = {"text": "Watch it.", "owner": "author", "due_on": "2027-01-31"}
    answer = client.post(path, {"rationale": TEXT, "conditions": [good, good | {part: value}]}, format="json")
    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == [f"conditions[1].{part}"]
    assert not DraftVote.objects.exists()
    empty = good | {part: ""}
    assert client.post(path, {"conditions": [good, empty]}, format="json").data["conditions"] == [good, empty]
