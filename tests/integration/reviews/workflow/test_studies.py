"""Studies: attached as what they are, shown with chart and verdict, in the packet, and as answers of items."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, transaction
from django.template.loader import render_to_string
from django.test import Client
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.people.domain.roles import Role
from governance.people.queries.people import person_of
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from reviews.evidence.domain.studies import STUDIES_MAX
from reviews.evidence.models import ImportedFile, MetricRecord
from reviews.packets import actions as packets
from reviews.packets.queries.packet import packet_of, packet_page
from reviews.previews.queries.previews import preview_of_draft
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.evidence_bundle import bundle_of, changes_of
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.queries.interests import Interest, interests_of_all
from reviews.voting.queries.review_blockers import review_blockers
from reviews.workflow.actions import evidence, imports, requests, review
from reviews.workflow.queries.view import describe
from tests.factories import requests as walks
from tests.factories.people import Cast, make_person
from tests.integration.reviews.requests.reading import words
from tests.standstill import everything, refused
from tests.unit.toolkit.readers.studies.files import KINDS, SAMPLES, document_of
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

Api = Callable[[User | None], APIClient]
ITEM = {"id": "ab-test", "kind": "study", "title": "Result of the A/B test", "studies": ["experiment"]}


def attach(request: ReviewRequest, name: str, now: datetime, *, by: User | None = None, **changes: Any) -> ImportedFile:
    """Attach a sample as if it were about the model of the request."""
    document = document_of(name) | changes
    if model := (document.get("manifest") or {}).get("model"):
        model["digest"] = request.model_version.digest
    upload = ContentFile(json.dumps(document).encode(), name=f"{name}.json")
    return imports.import_result(request=request, upload=upload, by=by or request.requester, now=now)


@pytest.fixture
def asked(policy: PolicyVersion, cast: Cast, now: datetime) -> ReviewRequest:
    """A submitted request whose checklist wants an A/B test."""
    document = yaml.safe_load(defaults.text_of(defaults.CHECKLIST))
    document["items"].append(ITEM)
    version = rulebook.draft_checklist(source=yaml.safe_dump(document, sort_keys=False), by=None, now=now)
    rulebook.publish(version=version, by=None, now=now)
    return walks.make_ready(by=cast.author, now=now)


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_every_kind_is_attached_with_its_chart_and_shown(
    as_: Callable[[User], Client], cast: Cast, draft: ReviewRequest, now: datetime, name: str, kind: str
) -> None:
    row = attach(draft, name, now)
    assert (row.kind, row.verdict in {"valid", "indicative"}) == (kind, True)
    client, page = as_(cast.reviewer_one), f"/requests/{draft.ref}/"
    content = client.get(f"{page}evidence/").content.decode()
    assert 'id="studies"' in content
    assert row.study["title"] in content
    assert row.study["conclusions"][0].replace("'", "&#x27;").replace("+", "+") in content
    chart = client.get(f"{page}imports/{row.pk}/charts/")
    assert chart["Content-Type"] == "image/svg+xml"
    assert b"prefers-color-scheme" in chart.content
    file = client.get(f"{page}imports/{row.pk}/file/")
    assert json.loads(file.getvalue())["schema"] == document_of(name)["schema"]


def test_values_of_a_study_are_declared_and_of_others_there_are_none(draft: ReviewRequest, now: datetime) -> None:
    before = MetricRecord.objects.count()
    assert attach(draft, "learning_curve", now).taken == []
    assert MetricRecord.objects.count() == before
    assert attach(draft, "experiment", now).taken == ["business_kpi_delta"]
    record = MetricRecord.objects.order_by("-pk")[0]
    assert (record.name, record.basis, str(record.value.normalize())) == ("business_kpi_delta", "declared", "0.13")
    event = AuditEvent.objects.filter(kind="evidence.imported").order_by("-pk")[0]
    assert event.details["study"] == "experiment"


def test_a_study_about_another_model_or_without_evidence_is_refused(draft: ReviewRequest, now: datetime) -> None:
    upload = ContentFile((SAMPLES / "sweep.json").read_bytes(), name="sweep.json")
    with refused(Invalid, code="other_subject", field="file"):
        imports.import_result(request=draft, upload=upload, by=draft.requester, now=now)
    with refused(Invalid, code="invalid_result", match="The search found no highest rate"):
        attach(draft, "max_rate", now, highest_rate_per_s=None)
    with refused(Invalid, code="contradicts_itself", match="the winner"):
        attach(draft, "decision_matrix", now, winner="managed API")
    with refused(Invalid, match="name one with --part", field="part"):
        upload = ContentFile((SAMPLES / "experiment.json").read_bytes(), name="ab.json")
        imports.import_result(request=draft, upload=upload, part="second", by=draft.requester, now=now)
    attach(draft, "experiment", now)
    with refused(WrongState, code="already_imported"):
        attach(draft, "experiment", now)


def test_a_request_has_so_many_studies(draft: ReviewRequest, now: datetime) -> None:
    row = attach(draft, "experiment", now)
    for number in range(STUDIES_MAX - 1):
        row.pk, row.file_digest = None, f"sha256:{number:064}"
        row.save(force_insert=True)
    with refused(Invalid, code="too_many_studies", match="may have 20 studies"):
        attach(draft, "learning_curve", now)


def test_a_study_has_a_kind_and_never_changes(draft: ReviewRequest, now: datetime) -> None:
    row = attach(draft, "experiment", now)
    with pytest.raises(IntegrityError, match="study_has_a_kind"), transaction.atomic():
        ImportedFile.objects.create(
            request=draft, file_digest="x", kind="sweep", imported_by=draft.requester, imported_at=now
        )
    with pytest.raises(DatabaseError, match="append-only: UPDATE is refused"), transaction.atomic():
        ImportedFile.objects.filter(pk=row.pk).update(verdict="valid", study={})


def test_an_item_is_answered_by_a_study_alone(asked: ReviewRequest, cast: Cast, now: datetime) -> None:
    snapshot = snapshot_of(asked, now=now)
    (blocker,) = review_blockers(snapshot.evidence)
    assert blocker.reason == "Result of the A/B test: Still open: A/B test."
    assert ITEM["id"] not in describe(snapshot, person=person_of(cast.author)).answerable
    with refused(Invalid, match="is answered by an attached study: A/B test", field="item"):
        evidence.answer_item(request=asked, item_id="ab-test", text="Trust me.", by=cast.author, now=now)
    attach(asked, "learning_curve", now)
    assert review_blockers(snapshot_of(asked, now=now).evidence)
    attach(asked, "experiment", now)
    snapshot = snapshot_of(asked, now=now)
    assert review_blockers(snapshot.evidence) == ()
    status = next(row for row in snapshot.evidence.checklist if row.item.id == "ab-test")
    assert status.reason == f"Answered by: A/B test (valid), attached by Author on {now:%Y-%m-%d}."
    walks.allocate_budget(team=asked.team, by=cast.finance, now=now)
    review.request_review(request=asked, by=cast.author, now=now)


def test_the_checklist_shows_the_item_among_studies(
    as_: Callable[[User], Client], api: Api, asked: ReviewRequest, cast: Cast
) -> None:
    page = f"/requests/{asked.ref}/checklist/"
    content = as_(cast.author).get(page).content.decode()
    assert "Answered by studies" in content
    assert f'href="/requests/{asked.ref}/evidence/#import"' in content
    assert "#import" not in as_(cast.reviewer_one).get(page).content.decode()
    items = api(cast.author).get(f"/api/v1/requests/{asked.ref}/").json()["checklist"]
    (item,) = [each for each in items if each["id"] == "ab-test"]
    assert (item["studies"], item["is_complete"]) == (["experiment"], False)


def test_the_preview_says_that_a_study_is_wanted_and_counts_one_that_is_attached(
    as_: Callable[[User], Client], asked: ReviewRequest, cast: Cast, now: datetime
) -> None:
    draft = walks.make_draft(by=cast.author, now=now, purpose="Another purpose")
    (wanted,) = [item for item in preview_of_draft(draft, now=now).people_items if item.id == "ab-test"]
    assert (wanted.studies, wanted.is_complete) == (("experiment",), False)
    client = as_(cast.author)
    content = words(client.get(f"/requests/{draft.ref}/submit/"))
    assert "Result of the A/B test, by: a study (experiment)." in content
    attach(draft, "experiment", now)
    assert "ab-test" not in {item.id for item in preview_of_draft(draft, now=now).people_items}
    sketch = {"kind": "file", "format": "onnx", "task": "classification", "team": "search", "tier": "T1"}
    assert "Result of the A/B test" in words(client.get("/requests/preview/", sketch | {"environment": "prod"}))
    version = ChecklistVersion.objects.latest("pk")
    assert "a study: experiment" in words(client.get(f"/rulebook/checklists/{version.name}/{version.number}/"))


@pytest.mark.parametrize("name", [name for name in KINDS if name not in {"experiment", "load_test", "scores"}])
def test_a_study_without_values_changes_no_outcome(ready: ReviewRequest, now: datetime, name: str) -> None:
    before = snapshot_of(ready, now=now).evidence
    outcome, stages, amounts = before.policy_evaluation, before.stages, before.amounts
    attach(ready, name, now)
    after = snapshot_of(ready, now=now).evidence
    assert (after.policy_evaluation, after.stages, after.amounts) == (outcome, stages, amounts)


def test_whoever_attaches_a_study_made_evidence_and_it_is_news_for_the_voters(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    with refused(WrongState):
        attach(in_review, "experiment", now)
    row = requests.revise(request=in_review, reason="The A/B test is done.", by=cast.author, now=now)
    mate = make_person("mate", Role.REQUESTER, team=in_review.team, now=now)
    attach(row, "learning_curve", now, by=mate)
    snapshot = snapshot_of(row, now=now)
    assert mate.pk in interests_of_all([snapshot.evidence])[row.pk].people[Interest.EVIDENCE]
    (study,) = bundle_of(snapshot)["studies"]
    assert (study["kind"], study["verdict"], study["name"]) == ("learning_curve", "valid", "learning_curve.json")
    news = {change.words: change.after for change in changes_of(snapshot)}
    assert news["Learning curve, learning_curve.json"] == "valid"


def test_the_packet_prints_the_studies_with_their_charts(ready: ReviewRequest, cast: Cast, now: datetime) -> None:
    for name in ("experiment", "decision_matrix"):
        attach(ready, name, now)
    packet = packet_of(snapshot_of(ready, now=now))
    assert [study.title for study in packet.studies] == ["A/B test", "Decision matrix: Which fraud detector"]
    assert packet.studies[0].chart == "study-1.svg"
    assert packet.studies[1].verdict == "indicative"
    frozen = packets.freeze(request=ready, by=cast.author, now=now)
    page = packet_page(frozen)
    assert page.assets["study-1.svg"].startswith(b"<svg")
    content = render_to_string("reviews/packets/review.html", page.context)
    assert 'src="asset:study-2.svg"' in content
    assert "Take open model." in content
    assert "nobody measured them here" in content


def test_people_outside_the_team_attach_nothing_and_strangers_see_nothing(
    api: Api, as_: Callable[[User], Client], draft: ReviewRequest, cast: Cast, now: datetime
) -> None:
    row = attach(draft, "experiment", now)
    before = everything()
    with refused(NotAllowed):
        attach(draft, "learning_curve", now, by=cast.reviewer_one)
    stranger, page = as_(cast.outsider), f"/requests/{draft.ref}/imports"
    assert [stranger.get(f"{page}/{row.pk}/{what}/").status_code for what in ("charts", "file")] == [404, 404]
    reader = as_(cast.author)
    assert [reader.get(f"{page}/{row.pk + 1}/{what}/").status_code for what in ("charts", "file")] == [404, 404]
    assert everything() == before
    answer = api(cast.author).get(f"/api/v1/requests/{draft.ref}/imports/").json()[0]
    assert answer["study"]["chart"].keys() == {"title", "alt", "table"}
    assert answer["study"]["conclusions"][0].startswith("With any number of looks")


def test_a_file_that_is_no_study_has_no_chart(
    as_: Callable[[User], Client], draft: ReviewRequest, now: datetime
) -> None:
    profile = SAMPLES.parent.parent / "samples" / "guidellm_03.json"
    upload = ContentFile(profile.read_bytes(), name="guidellm.json")
    row = imports.import_result(request=draft, upload=upload, by=draft.requester, now=now)
    client = as_(draft.requester)
    assert client.get(f"/requests/{draft.ref}/imports/{row.pk}/charts/").status_code == 404
    assert b'id="studies"' not in client.get(f"/requests/{draft.ref}/evidence/").content


def test_a_study_is_attached_on_the_page(as_: Callable[[User], Client], draft: ReviewRequest, cast: Cast) -> None:
    client, page = as_(cast.author), f"/requests/{draft.ref}/"
    file = SimpleUploadedFile("ab.json", (SAMPLES / "experiment.json").read_bytes())
    content = client.post(f"{page}imports/", {"file": file}, follow=True).content.decode()
    assert "The study ab.json is attached. business_kpi_delta: declared with ab.json of Weighbridge" in content
    file = SimpleUploadedFile("curve.json", (SAMPLES / "learning_curve.json").read_bytes())
    content = client.post(f"{page}imports/", {"file": file}, follow=True).content.decode()
    assert "The study curve.json is attached." in content
