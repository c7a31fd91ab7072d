"""Metric values, checklist, contradictions, benchmarks and waivers over HTTP."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from benchmarking.runs.models import Run
from governance.rulebook.models import PolicyVersion
from reviews.evidence.models import Waiver
from reviews.requests.models import ReviewRequest
from tests.factories.people import Cast
from tests.factories.requests import DECLARED, make_submitted, take_results
from tests.factories.snapshots import snapshot
from weighbridge.core.canonical import digest_of

Api = Callable[[User | None], APIClient]
METRIC = {"name": "cost_per_1k_usd", "value": "0.125", "basis": "estimated", "n": 12, "lower": "0.1", "upper": "0.2"}
LONG = "The search team answers for it; the old model is back within five minutes."


def url(request: ReviewRequest, step: str) -> str:
    return f"/api/v1/requests/{request.ref}/{step}/"


def test_a_metric_value_is_stated(api: Api, author: User, submitted: ReviewRequest) -> None:
    client = api(author)
    response = client.post(url(submitted, "metric-values"), METRIC, format="json")
    row = submitted.metric_records.get(name="cost_per_1k_usd")
    expected = {
        "id": str(row.pk),
        "name": "cost_per_1k_usd",
        "value": "0.125",
        "unit": "USD",
        "basis": "estimated",
        "lower": "0.1",
        "upper": "0.2",
        "confidence": None,
        "n": 12,
        "source": "",
        "observed_at": row.observed_at.isoformat().replace("+00:00", "Z"),
        "valid_until": None,
        "p80": None,
    }
    assert (response.status_code, response.json()) == (201, expected)
    metric = next(
        each for each in client.get(url(submitted, "metric-values")).json() if each["name"] == "cost_per_1k_usd"
    )
    assert (metric["best"], metric["claimed"], metric["measured"], metric["history"]) == (
        expected,
        expected,
        None,
        [expected],
    )
    assert (metric["unit"], metric["direction"], metric["limit"]) == ("USD", "lower is better", None)


NO_METRIC_VALUES: list[tuple[dict[str, Any], int, str]] = [
    ({"basis": "measured"}, 403, "basis"),
    ({"basis": "guessed"}, 400, "basis"),
    ({"value": "5e15"}, 400, "value"),
    ({"value": "1e-12"}, 400, "value"),
    ({"value": None}, 400, "value"),
    ({"lower": "0.13"}, 400, "lower"),
    ({"n": 0}, 400, "n"),
    ({"n": 2**63}, 400, "n"),
    ({"unit": "EUR"}, 400, "unit"),
    ({"name": "speed"}, 400, "name"),
    ({"valid_until": "tomorrow"}, 400, "valid_until"),
    ({"confidence": "95"}, 400, "confidence"),
    ({"vallue": 1}, 400, "vallue"),
]


def test_a_metric_value_that_is_none(api: Api, author: User, submitted: ReviewRequest) -> None:
    client, before = api(author), snapshot()
    for changes, status, field in NO_METRIC_VALUES:
        response = client.post(url(submitted, "metric-values"), METRIC | changes, format="json")
        assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (status, [field])
    assert snapshot() == before


def test_evidence_is_the_work_of_the_team(
    api: Api, reviewer_one: User, submitted: ReviewRequest, now: datetime
) -> None:
    take_results(request=submitted, now=now)
    client, before = api(reviewer_one), snapshot()
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        ("metric-values", METRIC),
        ("checklist/owner-and-rollback", {"text": LONG}),
        ("contradictions/accuracy", {"text": LONG}),
        ("runs", {}),
    )
    for step, fields in steps:
        response = client.post(url(submitted, step), fields, format="json")
        assert (step, response.status_code, response.json()["code"]) == (step, 403, "not_allowed")
    assert snapshot() == before


def test_a_frozen_revision_takes_no_evidence(api: Api, author: User, in_review: ReviewRequest) -> None:
    client, before = api(author), snapshot()
    for step, fields in (("metric-values", METRIC), ("checklist/owner-and-rollback", {"text": LONG})):
        response = client.post(url(in_review, step), fields, format="json")
        assert (step, response.status_code, response.json()["code"]) == (step, 409, "wrong_state")
    assert snapshot() == before


def test_items_are_answered_by_text_confirmation_and_file(api: Api, author: User, submitted: ReviewRequest) -> None:
    client = api(author)
    said = client.put(url(submitted, "checklist/owner-and-rollback"), {"text": LONG}, format="json").json()
    assert (said["id"], said["kind"], said["text"], said["is_complete"]) == ("owner-and-rollback", "text", LONG, True)
    said = client.post(url(submitted, "checklist/rollback-rehearsed"), {"is_attested": True}, format="json").json()
    assert (said["is_attested"], said["is_complete"], said["answered_by"]) == (True, True, "Author")
    file = {"file": SimpleUploadedFile("sheet.txt", b"Where the data comes from.")}
    said = client.put(url(submitted, "checklist/data-sheet"), file, format="multipart").json()
    assert (said["file_name"], said["is_required"], said["is_complete"]) == ("sheet.txt", False, True)
    items = client.get(url(submitted, "checklist")).json()
    assert [item["id"] for item in items if item["is_complete"]] == [
        "business-metrics",
        "cost-training",
        "cost-one-year",
        "owner-and-rollback",
        "rollback-rehearsed",
        "data-sheet",
    ]
    assert [metric_value["value"] for metric_value in items[0]["metric_values"]] == ["0.015"]


NO_ANSWERS: list[tuple[str, dict[str, Any], int, str]] = [
    ("owner-and-rollback", {"text": "short"}, 400, "text"),
    ("rollback-rehearsed", {"is_attested": False}, 400, "attestation"),
    ("data-sheet", {"text": LONG}, 400, "file"),
    ("business-metrics", {"text": LONG}, 400, "item"),
    ("no-such-item", {"text": LONG}, 404, "item"),
    ("owner-and-rollback", {"txet": LONG}, 400, "txet"),
]


def test_an_answer_that_is_none(api: Api, author: User, submitted: ReviewRequest) -> None:
    client, before = api(author), snapshot()
    for item, fields, status, field in NO_ANSWERS:
        response = client.put(url(submitted, f"checklist/{item}"), fields, format="json")
        assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (status, [field])
    assert snapshot() == before


def test_a_draft_has_no_checklist(api: Api, author: User, draft: ReviewRequest) -> None:
    client = api(author)
    assert client.get(url(draft, "checklist")).json() == []
    response = client.put(url(draft, "checklist/owner-and-rollback"), {"text": LONG}, format="json")
    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")


def test_a_contradicted_claim_is_answered(api: Api, author: User, policy: PolicyVersion, now: datetime) -> None:
    request = make_submitted(by=author, declared={**DECLARED, "accuracy": "0.99"}, now=now)
    take_results(request=request, now=now)
    client = api(author)
    comparison = client.get(f"/api/v1/requests/{request.ref}/").json()["comparisons"]
    assert [(each["name"], each["is_contradicted"], each["answer"]) for each in comparison] == [("accuracy", True, "")]
    assert (comparison[0]["claimed"]["value"], comparison[0]["measured"]["value"]) == ("0.99", "0.91")
    said = client.post(url(request, "contradictions/accuracy"), {"text": LONG}, format="json").json()
    assert said == comparison[0] | {"answer": LONG, "answered_by": "Author", "answer_digest": digest_of(LONG)}
    before = snapshot()
    for metric, fields, status in (
        ("accuracy", {"text": "no"}, 400),
        ("accuracy", {}, 400),
        ("f1_macro", {"text": LONG}, 404),
    ):
        assert client.post(url(request, f"contradictions/{metric}"), fields, format="json").status_code == status
    assert snapshot() == before


def test_benchmarks_run_again(api: Api, author: User, submitted: ReviewRequest, now: datetime) -> None:
    client = api(author)
    before = snapshot()
    assert client.post(url(submitted, "runs"), {}, format="json").json()["code"] == "wrong_state"
    assert snapshot() == before
    take_results(request=submitted, now=now)
    response = client.post(url(submitted, "runs"), {}, format="json")
    first, second = Run.objects.filter(asked_for=submitted.ref).order_by("pk")
    assert response.status_code == 201
    assert [(run["id"], run["key"], run["state"]) for run in response.json()] == [
        (second.pk, f"{first.key}#2", "queued")
    ]
    said = client.get(f"/api/v1/requests/{submitted.ref}/").json()
    assert [run["id"] for run in said["runs"]] == [first.pk, second.pk]


def test_a_draft_has_no_benchmark_to_repeat(api: Api, author: User, draft: ReviewRequest) -> None:
    response = api(author).post(url(draft, "runs"), {}, format="json")
    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")


def test_a_soft_rule_is_waived(api: Api, cast: Cast, submitted: ReviewRequest) -> None:
    fields = {"rule": "accuracy-floor-prod", "reason": "Ranked by another metric.", "valid_days": 30}
    before = snapshot()
    assert api(cast.author).post(url(submitted, "waivers"), fields, format="json").status_code == 403
    for changes in ({"rule": "training-gpu-hours"}, {"valid_days": 0}, {"rule": "none"}, {"days": 3}):
        response = api(cast.approver).post(url(submitted, "waivers"), fields | changes, format="json")
        assert (response.status_code, response.json()["errors"][0]["field"]) == (
            404 if changes == {"rule": "none"} else 400,
            next(iter(changes)),
        )
    assert snapshot() == before
    response = api(cast.approver).post(url(submitted, "waivers"), fields, format="json")
    rules = {rule["rule_id"]: rule["status"] for rule in response.json()["policy_evaluation"]["rules"]}
    assert (response.status_code, rules["accuracy-floor-prod"]) == (201, "waived")
    assert Waiver.objects.get().granted_by == cast.approver
