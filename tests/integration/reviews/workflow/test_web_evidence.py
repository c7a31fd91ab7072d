"""Metric values, answers and runs by forms."""

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.rulebook.models import PolicyVersion
from reviews.evidence.models import ChecklistAnswer, ContradictionAnswer, MetricRecord
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, page_of, said, words
from tests.pages import html_of

pytestmark = pytest.mark.django_db
METRIC_VALUE = {"name": "training_gpu_hours", "value": "310", "basis": "estimated", "source": "scheduler log"}


def post(user: User, request: ReviewRequest, step: str, **data: Any):
    return enter(user).post(f"{page_of(request)}{step}/", data, follow=True)


def test_state_a_metric_value(submitted: ReviewRequest, author: User) -> None:
    page = post(author, submitted, "metric-values", **METRIC_VALUE, lower="300", upper="330")
    assert said(page) == ["Training GPU hours is recorded, and the policy was evaluated with it."]
    metric = MetricRecord.objects.latest("pk")
    assert (
        metric.name,
        metric.value,
        metric.lower,
        metric.upper,
        metric.unit,
        metric.basis,
        metric.source,
        metric.stated_by,
    ) == (
        "training_gpu_hours",
        310,
        300,
        330,
        "gpu_h",
        "estimated",
        "scheduler log",
        author,
    )


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"value": "many"}, "value", "Enter a number."),
        ({"value": "-1"}, "value", "The value of Training GPU hours cannot be below 0."),
        ({"lower": "400"}, "lower", "The lower bound of Training GPU hours is above its value."),
        ({"name": "beauty"}, "name", "Select a valid choice. beauty is not one of the available choices."),
        ({"basis": "measured"}, "basis", "Select a valid choice. measured is not one of the available choices."),
    ],
)
def test_a_bad_metric_value_is_refused_beside_its_field(
    submitted: ReviewRequest, author: User, changes: dict[str, str], field: str, reason: str
) -> None:
    metric_values = MetricRecord.objects.count()
    page = post(author, submitted, "metric-values", **(METRIC_VALUE | changes))
    assert page.status_code == 400
    assert page.context["forms"]["metric_value"].errors == {field: [reason]}
    assert MetricRecord.objects.count() == metric_values
    assert "scheduler log" in html_of(page)


def test_a_frozen_revision_takes_no_metric_value(in_review: ReviewRequest, author: User) -> None:
    page = post(author, in_review, "metric-values", **METRIC_VALUE)
    assert page.status_code == 409
    assert "Revise it first, which voids the votes." in words(page)


def test_reviewers_state_nothing(submitted: ReviewRequest, reviewer_one: User) -> None:
    assert post(reviewer_one, submitted, "metric-values", **METRIC_VALUE).status_code == 403


@pytest.mark.parametrize(
    ("item", "data", "answered"),
    [
        (
            "cheaper-alternatives",
            {"text": "MobileNet and INT8 were tried; both lose four points."},
            {"is_attested": False},
        ),
        ("rollback-rehearsed", {"is_attested": "on"}, {"is_attested": True}),
    ],
)
def test_answer_an_item(
    submitted: ReviewRequest, author: User, item: str, data: dict[str, str], answered: dict[str, Any]
) -> None:
    page = post(author, submitted, f"checklist/{item}", **data)
    assert page.redirect_chain == [(f"{page_of(submitted, 'checklist')}#item-{item}", 302)]
    answer = ChecklistAnswer.objects.get(**answered)
    assert (answer.item, answer.text, answer.answered_by) == (item, data.get("text", ""), author)


def test_answer_with_a_file_and_read_it_back(submitted: ReviewRequest, cast: Cast) -> None:
    sheet = SimpleUploadedFile("data-sheet.md", b"# Where it comes from\n")
    post(cast.author, submitted, "checklist/data-sheet", file=sheet)
    response = enter(cast.reviewer_one).get(f"{page_of(submitted)}checklist/data-sheet/file/")
    assert b"".join(response.streaming_content) == b"# Where it comes from\n"
    assert response["Content-Disposition"] == 'attachment; filename="data-sheet.md"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert enter(cast.outsider).get(f"{page_of(submitted)}checklist/data-sheet/file/").status_code == 404
    assert enter(cast.author).get(f"{page_of(submitted)}checklist/rollback-rehearsed/file/").status_code == 404


def test_a_thin_answer_is_refused_and_kept_in_its_field(submitted: ReviewRequest, author: User) -> None:
    page = post(author, submitted, "checklist/cheaper-alternatives", text="None.")
    assert page.status_code == 400
    assert "needs at least 40 characters." in words(page)
    assert ">\nNone.</textarea>" in page.content.decode()
    assert ChecklistAnswer.objects.count() == 0


def test_metric_values_are_not_answered_in_words(submitted: ReviewRequest, author: User) -> None:
    page = post(author, submitted, "checklist/cost-training", text="Cheap.")
    assert page.status_code == 400
    assert ChecklistAnswer.objects.count() == 0


def test_unknown_items_are_not_found(submitted: ReviewRequest, author: User) -> None:
    assert post(author, submitted, "checklist/beauty", text="Very.").status_code == 404


def test_explain_a_contradiction(policy: PolicyVersion, author: User, now: datetime) -> None:
    request = walks.make_ready(by=author, now=now, declared={**walks.DECLARED, "latency_p95_ms": "1.2"})
    page = post(author, request, "contradictions/latency_p95_ms", text="Batch")
    assert page.status_code == 400
    assert "Explain the difference in at least 10 characters." in words(page)
    assert ContradictionAnswer.objects.count() == 0
    post(author, request, "contradictions/latency_p95_ms", text="Claimed for batches of eight.")
    assert ContradictionAnswer.objects.get().text == "Claimed for batches of eight."


def test_the_tab_counts_only_what_is_still_unexplained(policy: PolicyVersion, author: User, now: datetime) -> None:
    request = walks.make_ready(by=author, now=now, declared={**walks.DECLARED, "latency_p95_ms": "1.2"})
    index = f'<a href="{page_of(request, "evidence")}">Evidence <span>1 contradicted</span></a>'
    assert index in html_of(enter(author).get(page_of(request)))
    post(author, request, "contradictions/latency_p95_ms", text="Claimed for batches of eight.")
    assert f'<a href="{page_of(request, "evidence")}">Evidence</a>' in html_of(enter(author).get(page_of(request)))


def test_what_is_not_contradicted_needs_no_explanation(ready: ReviewRequest, author: User) -> None:
    assert post(author, ready, "contradictions/accuracy", text="There is nothing to say.").status_code == 404


def test_cancel_and_repeat_a_run(submitted: ReviewRequest, cast: Cast) -> None:
    run = Run.objects.get(asked_for=submitted.ref)
    page = post(cast.author, submitted, f"runs/{run.pk}/repeat")
    assert page.status_code == 409
    assert f"Run {run.pk} is still queued; wait for it or cancel it first." in words(page)
    assert said(post(cast.author, submitted, f"runs/{run.pk}/cancel")) == [f"Run {run.pk} is canceled."]
    run.refresh_from_db()
    assert run.state == "canceled"
    post(cast.author, submitted, f"runs/{run.pk}/repeat")
    assert [each.state for each in Run.objects.order_by("pk")] == ["canceled", "queued"]


def test_reviewers_stop_no_run(submitted: ReviewRequest, reviewer_one: User) -> None:
    run, events = Run.objects.get(asked_for=submitted.ref), AuditEvent.objects.count()
    assert post(reviewer_one, submitted, f"runs/{run.pk}/cancel").status_code == 403
    run.refresh_from_db()
    assert (run.state, AuditEvent.objects.count()) == ("queued", events)


def test_a_run_of_another_request_is_not_found(submitted: ReviewRequest, author: User) -> None:
    assert post(author, submitted, "runs/999999/cancel").status_code == 404
