"""Files of other tools: which of their values are declared, what is left out with its reason, and what is refused."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from reviews.evidence.models import ImportedFile, MetricRecord
from reviews.evidence.queries.imported import imported_views
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import imports
from tests.factories.people import Cast
from tests.standstill import refused
from tests.unit.toolkit.readers.files import SAMPLES
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

GUIDELLM = (SAMPLES / "guidellm_03.json").read_bytes()
PROFILE = (SAMPLES / "weighbridge_profile.json").read_bytes()
TAKEN = ["latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "throughput_per_s", "error_rate"]
Api = Callable[[User | None], APIClient]


def imported(
    request: ReviewRequest, content: bytes, now: datetime, *, by: User | None = None, part: str = ""
) -> ImportedFile:
    upload = ContentFile(content, name="results.json")
    return imports.import_result(request=request, upload=upload, part=part, by=by or request.requester, now=now)


def test_the_values_of_a_file_are_declared_with_the_file_as_their_source(draft: ReviewRequest, now: datetime) -> None:
    before = set(MetricRecord.objects.values_list("pk", flat=True))
    row = imported(draft, GUIDELLM, now)
    assert (row.taken, row.verdict, row.tool[:8]) == (TAKEN, "indicative", "GuideLLM")
    records = {each.name: each for each in MetricRecord.objects.exclude(pk__in=before)}
    assert list(records) == TAKEN
    p95 = records["latency_p95_ms"]
    assert (p95.basis, p95.n, p95.unit, p95.stated_by) == ("declared", 30, "ms", draft.requester)
    assert Decimal(146) < p95.value < Decimal(147)
    assert p95.source == f"{row.tool}, results.json, {row.file_digest[:19]}"
    event = AuditEvent.objects.get(kind="evidence.imported")
    assert (event.subject, event.details["file"], event.details["metric_values"]) == (draft.ref, row.file_digest, TAKEN)
    (view,) = imported_views(draft)
    assert "latency_p95_ms is of 30 requests; a bound for it needs 130 or more." in view.reasons
    left = {each.name: each.reason for each in view.left_out}
    assert left["guidellm.ttft_p95_ms"] == "The metric catalog does not have it."


def test_a_result_counts_once_and_is_about_the_subject(draft: ReviewRequest, now: datetime) -> None:
    imported(draft, GUIDELLM, now)
    with refused(WrongState, code="already_imported"):
        imported(draft, GUIDELLM, now)
    with refused(Invalid, code="other_subject", field="file"):
        imported(draft, PROFILE, now)


def test_quality_on_other_data_and_what_nobody_declares_are_left_out(draft: ReviewRequest, now: datetime) -> None:
    document = json.loads(PROFILE)
    document["manifest"]["model"]["digest"] = draft.model_version.digest
    row = imported(draft, json.dumps(document).encode(), now)
    assert "accuracy" not in row.taken
    assert row.left_out["accuracy"] == "It was measured on other data than the evaluation set of the request."
    assert {"latency_p95_ms", "model_size_mb"} <= set(row.taken)
    document["manifest"]["data"]["digest"] = draft.dataset.digest
    again = imported(draft, json.dumps(document).encode(), now)
    assert "accuracy" in again.taken


@pytest.mark.parametrize(
    ("content", "part", "words"),
    [
        (b"latency: 3 ms", "", "is no result that can be read"),
        (b"", "", "empty"),
        (json.dumps({**json.loads(PROFILE), "verdict": {"status": "invalid", "reasons": []}}).encode(), "", "evidence"),
        ((SAMPLES / "weighbridge_compare.json").read_bytes(), "", "name one with --part: m, n"),
        ((SAMPLES / "lm_eval.json").read_bytes(), "nothing", "name one with --part"),
    ],
)
def test_what_is_no_evidence_is_refused(
    draft: ReviewRequest, now: datetime, content: bytes, part: str, words: str
) -> None:
    with refused(Invalid, match=words):
        imported(draft, content, now, part=part)


def test_a_file_without_a_value_of_the_catalog_is_refused_with_the_reasons(draft: ReviewRequest, now: datetime) -> None:
    document = json.loads(PROFILE)
    document["manifest"]["model"]["digest"] = draft.model_version.digest
    document["metrics"] = {"load_time_ms": document["metrics"]["load_time_ms"]}
    with refused(Invalid, match="load_time_ms: The metric catalog does not have it", code="nothing_taken"):
        imported(draft, json.dumps(document).encode(), now)


def test_the_team_alone_imports(cast: Cast, draft: ReviewRequest, now: datetime) -> None:
    for person in (cast.reviewer_one, cast.approver, cast.auditor, cast.outsider):
        with refused(NotAllowed):
            imported(draft, GUIDELLM, now, by=person)


def test_a_file_is_imported_by_api_and_on_the_page(
    api: Api, as_: Callable[[User], Client], cast: Cast, draft: ReviewRequest
) -> None:
    url, client = f"/api/v1/requests/{draft.ref}/imports/", api(cast.author)
    file = SimpleUploadedFile("results.json", GUIDELLM)
    response = client.post(url, {"file": file}, format="multipart")
    assert (response.status_code, response.json()["taken"]) == (201, TAKEN)
    assert client.get(url).json() == [response.json()]
    reviewer, outsider = api(cast.reviewer_one), api(cast.outsider)
    before = (ImportedFile.objects.count(), AuditEvent.objects.count())
    assert reviewer.post(url, {}, format="multipart").status_code == 403
    assert outsider.get(url).status_code == 404
    assert (ImportedFile.objects.count(), AuditEvent.objects.count()) == before
    page, browser = f"/requests/{draft.ref}/", as_(cast.author)
    content = browser.get(f"{page}evidence/").content.decode()
    assert "guidellm.ttft_p95_ms</code> was not taken" in content
    again = browser.post(f"{page}imports/", {"file": SimpleUploadedFile("again.json", GUIDELLM)}, follow=True)
    assert "This result is on record already." in again.content.decode()
