"""What can still be supplied after a submission: texts and data as a next revision, another file as a new request."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from benchmarking.runs.domain.evaluation_sets import DatasetStatus
from benchmarking.runs.models import Dataset, Run
from governance.rulebook.models import PolicyVersion
from reviews.authorizations.queries.standing import artifact_records, is_reviewed_before
from reviews.evidence.queries.attested import plan_of
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.evidence_bundle import changes_of
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import attestations, requests, review
from reviews.workflow.actions.drafting import amendments
from reviews.workflow.actions.drafting.amendments import Amendment
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.models import make_dataset, make_version
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.requests.reading import enter, page_of, said, words
from tests.standstill import refused
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

pytestmark = pytest.mark.django_db
WHY = "The reviewers asked for it."
Api = Callable[[User | None], APIClient]


def differences(request: ReviewRequest, now: datetime) -> dict[str, tuple[str | None, str | None]]:
    row = ReviewRequest.objects.get(pk=request.pk)
    return {each.words: (each.before, each.after) for each in changes_of(snapshot_of(row, now=now))}


def other_data(author: User, now: datetime) -> Dataset:
    return make_dataset(by=author, now=now, seed=8, name="easier photographs")


def amend(request: ReviewRequest, by: User, now: datetime, **given: object) -> ReviewRequest:
    return amendments.amend(request=request, amendment=Amendment(**given), reason=WHY, by=by, now=now)


def accuracy_of(request: ReviewRequest, now: datetime) -> list[Decimal]:
    values = EvidenceSnapshot(ReviewRequest.objects.get(pk=request.pk), now).metric_values
    return [value.value for value in values if value.name == "accuracy"]


def test_other_texts_are_the_next_revision_with_their_difference(
    submitted: ReviewRequest, author: User, now: datetime
) -> None:
    row = amend(submitted, author, now, title="A clearer title", business_case="Raises conversion by 2 %.")
    assert (row.state, row.revision, row.title) == ("evidence", 2, "A clearer title")
    assert [each.number for each in snapshot_of(row, now=now).revisions] == [1]
    assert differences(row, now) == {
        "Title": ("Visual search, autumn model", "A clearer title"),
        "Business case": ("Raises conversion of the search page by 1.5 %.", "Raises conversion by 2 %."),
    }
    assert row.data_since is None
    again = amend(row, author, now, title="A third title")
    assert again.revision == 3
    assert differences(again, now) == {"Title": ("A clearer title", "A third title")}


def test_easier_data_after_the_votes_void_them_and_show(cast: Cast, in_review: ReviewRequest, now: datetime) -> None:
    before = accuracy_of(in_review, now)
    assert before == [Decimal("0.91")]
    review.vote(
        request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, revision=1, by=cast.reviewer_one, now=now
    )
    easier = other_data(cast.author, now)
    row = amend(in_review, cast.author, now, dataset=easier)
    assert (row.state, row.revision, row.dataset, row.data_since) == ("evidence", 2, easier, now)
    assert [vote.revision for vote in row.votes.all()] == [1]
    assert accuracy_of(row, now) == [], "what was measured on other data counts no longer"
    shown = differences(row, now)
    assert shown["Evaluation data"] == (in_review.dataset.digest, easier.digest)
    assert shown["Accuracy, measured"][1] is None
    assert "latency_p95_ms, measured" not in shown, "speed does not depend on the data"
    with refused(WrongState, code="run_unfinished"):
        review.request_review(request=row, by=cast.author, now=now)
    run = Run.objects.filter(asked_for=row.ref).latest("pk")
    assert (run.key, run.dataset, run.state) == (f"{row.ref}/r2/SingleStream", easier, "queued")


def test_data_swapped_there_and_back_count_again(cast: Cast, in_review: ReviewRequest, now: datetime) -> None:
    first, author = in_review.dataset, cast.author
    row = amend(in_review, author, now, dataset=other_data(author, now))
    row = amend(row, author, now + timedelta(minutes=1), dataset=first)
    assert accuracy_of(row, now) == [Decimal("0.91")]
    states = Run.objects.filter(asked_for=row.ref).order_by("pk").values_list("key", "state")
    assert list(states) == [
        (f"{row.ref}/SingleStream", "done"),
        (f"{row.ref}/r2/SingleStream", "canceled"),
        (f"{row.ref}/r3/SingleStream", "queued"),
    ]


def test_data_can_be_supplied_after_a_submission_without(policy: PolicyVersion, author: User, now: datetime) -> None:
    row = walks.make_submitted(by=author, now=now, with_data=False)
    row = amend(row, author, now, dataset=make_dataset(by=author, now=now))
    walks.take_results(request=row, now=now)
    assert accuracy_of(row, now) == [Decimal("0.91")]


def test_an_attested_result_belongs_to_its_plan(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now)
    version = kinds.register(task="forecasting", subject=kinds.CONTAINER, by=cast.author, now=now)
    row = walks.make_submitted(by=cast.author, now=now, version=version)
    signed = kinds.envelope_of(kinds.result_for(row, kinds.Signed({"mae": "4.2"}), now=now))
    attestations.record_attested(request=row, envelope=signed, by=cast.author, now=now)
    plan, later = plan_of(row), now + timedelta(minutes=5)
    row = amend(row, cast.author, later, dataset=other_data(cast.author, now))
    assert plan_of(row).digest != plan.digest
    assert plan_of(row).issued_at == later
    values = EvidenceSnapshot(row, later).metric_values
    assert "mae" not in {value.name for value in values}
    assert {value.name for value in values} >= {"training_gpu_hours"}


def test_a_lowered_claim_voids_the_votes_and_shows(cast: Cast, in_review: ReviewRequest, now: datetime) -> None:
    row = requests.revise(request=in_review, reason="Returns are in.", by=cast.author, now=now)
    walks.state_metric_value(request=row, name="training_gpu_hours", value="1", by=cast.author, now=now)
    assert differences(row, now)["Training GPU hours, declared"] == ("320 GPU h", "1 GPU h")


def test_what_is_refused_moves_nothing(cast: Cast, submitted: ReviewRequest, now: datetime) -> None:
    author = cast.author
    with refused(Invalid, match="Nothing would change", field="title"):
        amend(submitted, author, now)
    with refused(Invalid, match="Nothing would change"):
        amend(submitted, author, now, title=submitted.title, dataset=submitted.dataset)
    with refused(Invalid, match="Enter the reason", field="reason"):
        amendments.amend(request=submitted, amendment=Amendment(title="Other"), reason=" ", by=author, now=now)
    with refused(Invalid, match="the limit is 160", field="title"):
        amend(submitted, author, now, title="t" * 161)
    with refused(NotAllowed):
        amend(submitted, cast.reviewer_one, now, title="Other")
    retired = other_data(author, now)
    Dataset.objects.filter(pk=retired.pk).update(status=DatasetStatus.RETIRED, retired_at=now)
    retired.refresh_from_db()
    with refused(Invalid, match="cannot be used|is retired", field="dataset"):
        amend(submitted, author, now, dataset=retired)


def test_a_draft_and_a_decided_request_are_not_amended(cast: Cast, decided: ReviewRequest, now: datetime) -> None:
    with refused(WrongState, match="Instead, file it again"):
        amend(decided, cast.author, now, title="Other")
    row = requests.file_again(request=decided, by=cast.author, now=now)
    with refused(WrongState, match="Instead, edit it"):
        amend(row, cast.author, now, title="Other")


def test_another_file_is_screened_from_zero(cast: Cast, in_review: ReviewRequest, now: datetime) -> None:
    author, old = cast.author, in_review.model_version
    review.vote(
        request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, revision=1, by=cast.reviewer_one, now=now
    )
    other = make_version(by=author, now=now, version="2.0.0", seed=2)
    row = amendments.exchange(request=in_review, version=other, reason=WHY, by=author, now=now)
    in_review.refresh_from_db()
    assert (in_review.state, row.state, row.replaces) == ("withdrawn", "draft", in_review)
    assert (row.title, row.purpose, row.dataset) == (in_review.title, in_review.purpose, in_review.dataset)
    assert (row.metric_records.count(), row.votes.count(), row.checklist_answers.count()) == (0, 0, 0)
    records = artifact_records(digest=old.digest, environment="prod", now=now)
    assert [record.standing for record in records.records] == ["review_lost"], "the file before stays denied"
    walks.state_metric_value(request=row, name="training_gpu_hours", value="1", by=author, now=now)
    row = requests.submit(request=row, by=author, now=now)
    shown = differences(row, now)
    assert shown["Artifact"] == (old.digest, other.digest)
    assert shown["Training GPU hours, declared"] == ("320 GPU h", "1 GPU h")
    assert shown["Accuracy, measured"][1] is None
    laundered = walks.make_draft(by=author, now=now, version=old, purpose="Another", declared={})
    assert is_reviewed_before(laundered, now=now), "a review of the first file stays mandatory"


def test_an_exchange_is_refused_whole(cast: Cast, in_review: ReviewRequest, now: datetime) -> None:
    author = cast.author
    other = make_version(by=author, now=now, version="2.0.0", seed=2)
    stranger = kinds.register(task="forecasting", subject=kinds.CONTAINER, by=author, now=now)
    for version, reason, error, match in (
        (in_review.model_version, WHY, Invalid, "is about that file already"),
        (stranger, WHY, Invalid, "is another model"),
        (other, "", Invalid, "Enter the reason"),
    ):
        with refused(error, match=match):
            amendments.exchange(request=in_review, version=version, reason=reason, by=author, now=now)
    with refused(NotAllowed):
        amendments.exchange(request=in_review, version=other, reason=WHY, by=cast.reviewer_one, now=now)
    with refused(NotAllowed):
        amendments.exchange(request=in_review, version=other, reason=WHY, by=cast.admin, now=now)


def test_file_again_for_a_new_version(cast: Cast, decided: ReviewRequest, now: datetime) -> None:
    author, other = cast.author, make_version(by=cast.author, now=now, version="2.0.0", seed=2)
    third = make_version(by=author, now=now, version="3.0.0", seed=3)
    decided.rivals.set([other, third])
    row = requests.file_again(request=decided, version=other, by=author, now=now)
    assert (row.title, row.model_version, list(row.rivals.all())) == (decided.title, other, [third])
    assert (row.requester, row.metric_records.count(), row.replaces) == (author, 0, None)
    requests.withdraw(request=row, reason=WHY, by=author, now=now)
    Dataset.objects.filter(pk=decided.dataset_id).update(status=DatasetStatus.RETIRED, retired_at=now)
    decided.refresh_from_db()
    without = requests.file_again(request=decided, version=other, by=author, now=now)
    assert (without.dataset, without.rivals.count()) == (None, 0)


def test_an_old_form_does_not_undo_what_a_colleague_changed(
    cast: Cast, submitted: ReviewRequest, now: datetime, api: Api
) -> None:
    """Both look at revision 1. One changes the business case; the other sends what the page showed, and a new title."""
    client, path = enter(cast.author), page_of(submitted)
    shown = client.get(path).context["forms"]["amend"]
    old = {field.html_name: field.value() or "" for field in shown} | {"title": "Another title", "reason": WHY}
    assert old["revision"] == 1
    amend(submitted, cast.author, now, business_case="Raises conversion by 2 %.")
    before = snapshot()
    late = client.post(f"{path}amend/", old)
    assert (late.status_code, "You saw revision 1, and this is revision 2." in words(late)) == (409, True)
    program, sent = api(cast.author), {"title": "Another title", "reason": WHY}
    answer = program.post(f"/api/v1{path}amend/", sent | {"revision": 1}, format="json")
    assert (answer.status_code, answer.json()["code"], snapshot() == before) == (409, "changed", True)
    assert program.post(f"/api/v1{path}amend/", sent | {"revision": 2}, format="json").status_code == 200
    row = ReviewRequest.objects.get(pk=submitted.pk)
    assert (row.revision, row.title, row.business_case) == (3, "Another title", "Raises conversion by 2 %.")


def test_an_old_form_does_not_void_the_votes_on_a_later_revision(
    cast: Cast, in_review: ReviewRequest, now: datetime, api: Api
) -> None:
    client, path = enter(cast.author), page_of(in_review)
    old = {field.html_name: field.value() or "" for field in client.get(path).context["forms"]["revise"]}
    assert old == {"reason": "", "revision": 1}
    requests.revise(request=in_review, reason=WHY, by=cast.author, now=now)
    walks.explain_everything(request=in_review, by=cast.author, now=now)
    review.request_review(request=in_review, by=cast.author, now=now)
    before = snapshot()
    late = client.post(f"{path}revise/", old | {"reason": WHY})
    assert (late.status_code, "You saw revision 1, and this is revision 2." in words(late)) == (409, True)
    answer = api(cast.author).post(f"/api/v1{path}revise/", {"reason": WHY, "revision": 1}, format="json")
    assert (answer.status_code, answer.json()["code"], snapshot() == before) == (409, "changed", True)
    again = {field.html_name: field.value() for field in late.context["forms"]["revise"]}
    assert client.post(f"{path}revise/", again).status_code == 302
    assert ReviewRequest.objects.get(pk=in_review.pk).revision == 3


def test_the_line_breaks_of_a_browser_are_no_change(cast: Cast, submitted: ReviewRequest, now: datetime) -> None:
    amend(submitted, cast.author, now, business_case="Raises conversion\nby 2 %.")
    client, path, before = enter(cast.author), page_of(submitted), snapshot()
    sent = {"title": submitted.title, "business_case": "Raises conversion\r\nby 2 %.", "reason": WHY, "revision": 2}
    page = client.post(f"{path}amend/", sent)
    assert (page.status_code, "Nothing would change" in words(page), snapshot() == before) == (400, True, True)


def test_on_the_pages(cast: Cast, submitted: ReviewRequest, now: datetime) -> None:
    client, path = enter(cast.author), page_of(submitted)
    assert "Change texts or data" in words(client.get(path))
    page = client.post(f"{path}amend/", {"title": "A clearer title", "reason": WHY}, follow=True)
    assert said(page) == ["Revision 2 is open with your changes; the votes on the previous revision are void."]
    assert "Since the last revision" in words(page)
    page = client.post(f"{path}amend/", {"title": "A clearer title", "reason": ""})
    assert (page.status_code, "This field is required." in words(page)) == (400, True)
    assert enter(cast.reviewer_one).post(f"{path}amend/", {"title": "x", "reason": WHY}).status_code == 403
    other = make_version(by=cast.author, now=now, version="2.0.0", seed=2)
    page = client.post(f"{path}exchange/", {"version": other.pk, "reason": WHY}, follow=True)
    row = ReviewRequest.objects.get(replaces=submitted)
    assert said(page) == [f"{row.ref} is drafted for {other}, and this request is withdrawn."]
    assert f"Filed instead {row.ref}" in words(page)
    assert f"Filed in place of {submitted.ref}" in words(client.get(page_of(row)))
    page = client.post(f"{path}again/", follow=True)
    assert page.redirect_chain[-1][0].endswith("/edit/")
    assert "is a copy of" in said(page)[0]
    again = client.post(f"{path}again/", follow=True)
    assert said(again)[0].startswith("There is already an open request")


def test_a_form_for_a_version_copies_the_latest_request(cast: Cast, decided: ReviewRequest, now: datetime) -> None:
    other = make_version(by=cast.author, now=now, version="2.0.0", seed=2)
    client = enter(cast.author)
    form = client.get(f"/requests/new/?version={other.pk}").context["form"]
    assert (form["title"].value(), form["model_version"].value()) == (decided.title, str(other.pk))
    assert (form["dataset"].value(), form["seen"].value()) == (decided.dataset_id, "")
    assert client.get("/requests/new/?version=one").context["form"]["title"].value() is None
    container = kinds.register(task="forecasting", subject=kinds.CONTAINER, by=cast.author, now=now)
    fresh = client.get(f"/requests/new/?version={container.pk}").context["form"]
    assert (fresh["title"].value(), fresh["model_version"].value()) == (None, str(container.pk))


def test_over_the_api(api: Api, cast: Cast, submitted: ReviewRequest, now: datetime) -> None:
    client, path = api(cast.author), f"/api/v1/requests/{submitted.ref}/"
    easier = other_data(cast.author, now)
    answer = client.post(f"{path}amend/", {"dataset": easier.digest, "reason": WHY}, format="json")
    assert (answer.status_code, answer.json()["revision"], answer.json()["dataset"]["digest"]) == (
        200,
        2,
        easier.digest,
    )
    wrong = client.post(f"{path}amend/", {"environment": "dev", "reason": WHY}, format="json")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "environment")
    other = make_version(by=cast.author, now=now, version="2.0.0", seed=2)
    answer = client.post(f"{path}exchange/", {"model_version": other.digest, "reason": WHY}, format="json")
    assert (answer.status_code, answer.json()["replaces"], answer.json()["state"]) == (201, submitted.ref, "draft")
    copy = client.post(f"{path}again/", {}, format="json")
    assert (copy.status_code, copy.json()["model"]["digest"]) == (201, submitted.model_version.digest)
    third = make_version(by=cast.author, now=now, version="3.0.0", seed=3)
    copy = client.post(f"{path}again/", {"model_version": str(third.pk)}, format="json")
    assert (copy.status_code, copy.json()["model"]["version"]) == (201, "3.0.0")
    for step in ("amend", "exchange", "again"):
        assert api(cast.outsider).post(f"{path}{step}/", {}, format="json").status_code == 404
        assert api(cast.auditor).post(f"{path}{step}/", {}, format="json").status_code == 403
