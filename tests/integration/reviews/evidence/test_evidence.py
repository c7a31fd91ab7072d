"""Metric values, answers, runs: what counts as evidence, what is refused, and what new evidence does to a review."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, transaction

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.models import Run
from benchmarking.runs.queries import runs
from governance.audit.models import AuditEvent
from governance.budgets.models import LedgerEntry
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain.metric_catalogs import catalog_document
from governance.rulebook.models import PolicyVersion
from reviews.evidence.domain.plausibility import PEERS_MIN
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.evidence import metric_values_of
from reviews.evidence.queries.metric_views import metric_views
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import evidence, measurements, requests, review
from reviews.workflow.actions.evidence import StatedValue
from tests.factories import requests as walks
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.integration.reviews.workflow.worlds import World
from tests.standstill import everything, refused
from weighbridge.core.errors import Invalid, NotAllowed, WrongState
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD

STATEMENT = StatedValue(name="training_cost_usd", value=Decimal(9000), unit="USD", basis=Basis.DECLARED, source="plan")


def only_run(request: ReviewRequest) -> Run:
    (run,) = runs.of_request(request.ref)
    return run


def repeated(request: ReviewRequest, world: World) -> Run:
    """One more run of the request's benchmark, finished and not yet taken."""
    run = run_actions.repeat(run=runs.of_request(request.ref)[0], by=world.mate, now=world.now)
    return walks.finish_run(run=run, now=world.now)


# metric values people state


def test_the_catalog_says_what_people_may_state(
    policy: PolicyVersion, draft: ReviewRequest, author: User, now: datetime
) -> None:
    changes = {"training_cost_usd": {"retired": True}, "wer": {"producers": ["signer"]}}
    document = catalog_document(STANDARD)
    document["metrics"] = [metric | changes.get(metric["name"], {}) for metric in document["metrics"]]
    version = rulebook.draft_catalog(source=yaml.safe_dump(document), by=None, now=now)
    rulebook.publish(version=version, by=None, now=now)
    for name, unit, field, code in (
        ("training_cost_usd", "USD", "name", "metric_retired"),
        ("wer", "ratio", "name", "metric_not_stated"),
        ("training_energy_kwh", "kWh", "basis", "basis_not_accepted"),
    ):
        with refused(Invalid, code=code, field=field):
            statement = replace(STATEMENT, name=name, unit=unit, value=Decimal("0.5"))
            evidence.state_metric_value(request=draft, statement=statement, by=author, now=now)


def test_a_stated_metric_value_joins_those_before_it(draft: ReviewRequest, author: User, now: datetime) -> None:
    later = now + timedelta(minutes=1)
    full = replace(
        STATEMENT,
        basis=Basis.ESTIMATED,
        lower=Decimal(8000),
        upper=Decimal(11000),
        confidence=Decimal("0.9"),
        n=12,
        valid_until=now + timedelta(days=9),
    )
    metric = evidence.state_metric_value(request=draft, statement=full, by=author, now=later)
    assert (metric.value, metric.basis, metric.n, metric.stated_by, metric.observed_at) == (
        9000,
        "estimated",
        12,
        author,
        later,
    )
    assert [row.value for row in draft.metric_records.filter(name="training_cost_usd").order_by("pk")] == [9600, 9000]
    event = AuditEvent.objects.filter(kind="metric_value.stated").last()
    assert (event.subject, event.details["name"], event.details["value"]) == (draft.ref, "training_cost_usd", "9000")


def test_a_total_is_raised_by_people_and_never_stated_below_its_parts(
    draft: ReviewRequest, author: User, now: datetime
) -> None:
    total = replace(STATEMENT, name="total_cost_1y_usd", value=Decimal("29999.99"))
    with refused(Invalid, match="cannot be below its parts", code="below_parts", field="value"):
        evidence.state_metric_value(request=draft, statement=total, by=author, now=now)
    for value in (Decimal(30_000), Decimal(30_001)):
        evidence.state_metric_value(request=draft, statement=replace(total, value=value), by=author, now=now)
    assert metric_values_of(draft)[-1].value == 30_001


@pytest.mark.parametrize(
    ("name", "value", "unit", "words"),
    [
        ("business_kpi_delta", "1.5", "ratio", "Did you mean 0.015"),
        ("training_cost_usd", "96001", "USD", "more than ten times"),
        ("training_cost_usd", "959", "USD", "less than a tenth"),
    ],
)
def test_a_value_that_is_probably_a_slip_is_stored_only_when_confirmed(
    draft: ReviewRequest, author: User, now: datetime, name: str, value: str, unit: str, words: str
) -> None:
    for number in range(PEERS_MIN):
        walks.make_draft(by=author, now=now, purpose=f"Other purpose {number}", version=draft.model_version)
    slip = replace(STATEMENT, name=name, value=Decimal(value), unit=unit)
    with refused(Invalid, match=words, code="implausible", field="value"):
        evidence.state_metric_value(request=draft, statement=slip, by=author, now=now)
    meant = evidence.state_metric_value(request=draft, statement=replace(slip, is_confirmed=True), by=author, now=now)
    assert meant.value == Decimal(value)
    assert AuditEvent.objects.filter(kind="metric_value.stated").last().details["is_confirmed"] == "yes"


@pytest.mark.parametrize("basis", [Basis.MEASURED, Basis.BILLED])
def test_nobody_types_in_a_measurement(draft: ReviewRequest, author: User, now: datetime, basis: Basis) -> None:
    with refused(NotAllowed, match="come from benchmarks and bills", code="basis_not_stated", field="basis"):
        evidence.state_metric_value(request=draft, statement=replace(STATEMENT, basis=basis), by=author, now=now)


def test_nor_does_any_program(draft: ReviewRequest, now: datetime) -> None:
    row = {"request": draft, "name": "accuracy", "value": 1, "unit": "ratio", "observed_at": now}
    with pytest.raises(IntegrityError, match="measured_has_a_run"), transaction.atomic():
        MetricRecord.objects.create(**row, basis="measured")
    with pytest.raises(IntegrityError, match="known_basis"), transaction.atomic():
        MetricRecord.objects.create(**row, basis="guessed")
    with pytest.raises(IntegrityError, match="interval_holds_value"), transaction.atomic():
        MetricRecord.objects.create(**row, basis="declared", lower=2)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        draft.metric_records.update(value=0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "charm"}, "name"),
        ({"unit": "EUR"}, "unit"),
        ({"value": Decimal("NaN")}, "value"),
        ({"value": Decimal("1E16")}, "value"),
        ({"value": Decimal(-1)}, "value"),
        ({"lower": Decimal(9001)}, "lower"),
        ({"upper": Decimal(8999)}, "upper"),
        ({"confidence": Decimal(1)}, "confidence"),
        ({"n": -1}, "n"),
        ({"n": 2**63}, "n"),
        ({"source": "x" * 301}, "source"),
        ({"valid_until": datetime(2020, 1, 1)}, "valid_until"),  # noqa: DTZ001 -- the very fault that is refused
    ],
)
def test_a_malformed_metric_value_is_refused_at_its_field(
    draft: ReviewRequest, author: User, now: datetime, changes: dict[str, object], field: str
) -> None:
    with refused(Invalid, field=field):
        evidence.state_metric_value(request=draft, statement=replace(STATEMENT, **changes), by=author, now=now)


@pytest.mark.parametrize("value", ["9999999999999999", "0.000000001", "0", "123456789012345.123456789"])
def test_metric_values_are_kept_to_the_last_digit(
    draft: ReviewRequest, author: User, now: datetime, value: str
) -> None:
    metric = evidence.state_metric_value(
        request=draft, statement=replace(STATEMENT, value=Decimal(value)), by=author, now=now
    )
    assert MetricRecord.objects.get(pk=metric.pk).value == Decimal(value)


# the checklist, item by item


def status_of(request: ReviewRequest, item_id: str, now: datetime) -> tuple[bool, str]:
    (found,) = (each for each in EvidenceSnapshot(request, now).checklist if each.item.id == item_id)
    return found.is_complete, found.reason


@pytest.mark.parametrize(
    ("item_id", "answer", "words", "field"),
    [
        ("business-metrics", {"text": "It will be great."}, "answered by metric values: business_kpi_delta", "item"),
        (
            "cost-training",
            {"is_attested": True},
            "answered by metric values: training_cost_usd, training_gpu_hours",
            "item",
        ),
        ("cheaper-alternatives", {"text": "  "}, "needs a text", "text"),
        ("cheaper-alternatives", {"is_attested": True}, "needs a text", "text"),
        ("cheaper-alternatives", {"text": "x" * 39}, "needs at least 40 characters", "text"),
        ("rollback-rehearsed", {"text": "I promise."}, "needs your confirmation", "attestation"),
        ("data-sheet", {"text": "See the wiki."}, "needs a file", "file"),
    ],
)
def test_an_item_is_answered_in_its_own_kind(
    submitted: ReviewRequest,
    author: User,
    now: datetime,
    item_id: str,
    answer: dict[str, object],
    words: str,
    field: str,
) -> None:
    with refused(Invalid, match=words, field=field):
        evidence.answer_item(request=submitted, item_id=item_id, by=author, now=now, **answer)


def test_metric_and_cost_items_are_answered_by_metric_values(submitted: ReviewRequest, now: datetime) -> None:
    assert status_of(submitted, "cost-training", now)[0]
    assert status_of(submitted, "performance-quality", now) == (
        False,
        "Still open: Accuracy needs a measured or billed value.",
    )
    walks.take_results(request=submitted, now=now)
    assert status_of(submitted, "performance-quality", now)[0]


def test_a_new_answer_takes_the_place_of_the_old(submitted: ReviewRequest, author: User, now: datetime) -> None:
    for text in ("A" * 40, "B" * 40):
        evidence.answer_item(request=submitted, item_id="cheaper-alternatives", text=text, by=author, now=now)
    assert submitted.checklist_answers.get().text == "B" * 40
    assert [event.details["text"][0] for event in AuditEvent.objects.filter(kind="checklist.answered")] == ["A", "B"]
    assert status_of(submitted, "cheaper-alternatives", now) == (True, "Answered by author.")


def test_an_attestation_carries_a_name(submitted: ReviewRequest, author: User, now: datetime) -> None:
    evidence.answer_item(request=submitted, item_id="rollback-rehearsed", is_attested=True, by=author, now=now)
    assert status_of(submitted, "rollback-rehearsed", now) == (True, "Answered by author.")


def test_a_file_is_kept_by_its_content(submitted: ReviewRequest, author: User, now: datetime) -> None:
    sheet = ContentFile(b"abc", name="sheet.txt")
    answer = evidence.answer_item(request=submitted, item_id="data-sheet", upload=sheet, by=author, now=now)
    digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (answer.file_name, answer.file_digest) == ("sheet.txt", digest)
    assert AuditEvent.objects.get(kind="checklist.answered").details["file"] == digest
    assert status_of(submitted, "data-sheet", now)[0]


def test_a_file_that_comes_too_late_is_not_kept(in_review: ReviewRequest, author: User, now: datetime) -> None:
    sheet = ContentFile(b"abc", name="sheet.txt")
    with refused(WrongState, match="Revise it first, which voids the votes"):
        evidence.answer_item(request=in_review, item_id="data-sheet", upload=sheet, by=author, now=now)


def test_the_reason_names_the_state_that_forbids_it(world: World) -> None:
    request = world.withdrawn()
    with refused(WrongState, match="^The request is withdrawn, so its evidence cannot be edited.$"):
        evidence.state_metric_value(request=request, statement=STATEMENT, by=world.cast.author, now=world.now)


def test_a_measurement_grows_old(world: World) -> None:
    request, later = world.evidence(), world.now + timedelta(days=180)
    assert status_of(request, "performance-latency", later - timedelta(seconds=1))[0]
    is_complete, why = status_of(request, "performance-latency", later)
    assert not is_complete
    assert f"the value of Latency p95 expired on {later:%Y-%m-%d}" in why
    with refused(WrongState, match="^Performance benchmark: latency", code="checklist_open"):
        review.request_review(request=request, by=world.cast.author, now=later)


# what benchmarks say


def test_a_valid_run_becomes_measured_metric_values(submitted: ReviewRequest, now: datetime) -> None:
    run = only_run(submitted)
    metric_values = walks.take_results(request=submitted, now=now)
    assert sorted(metric.name for metric in metric_values) == sorted(walks.MEASURED)
    p95 = submitted.metric_records.get(name="latency_p95_ms")
    assert (p95.value, p95.lower, p95.upper, p95.confidence, p95.n) == (
        2,
        Decimal("1.9"),
        Decimal("2.2"),
        Decimal("0.95"),
        3000,
    )
    assert (p95.basis, p95.run, p95.stated_by, p95.source) == ("measured", run, None, f"run {run.pk}, SingleStream")
    assert (p95.observed_at, p95.valid_until) == (now, now + timedelta(days=180))
    assert submitted.policy_evaluations.last().occasion == "evidence"


def test_an_indicative_run_counts_and_says_so(submitted: ReviewRequest, now: datetime) -> None:
    metric_values = walks.take_results(
        request=submitted, now=now, result=walks.result_of(verdict="indicative", reasons=("Noisy.",))
    )
    assert len(metric_values) == 6
    assert AuditEvent.objects.get(kind="evidence.measured").details["verdict"] == "indicative"


def test_an_invalid_run_is_no_evidence(submitted: ReviewRequest, now: datetime) -> None:
    result = walks.result_of(verdict="invalid", reasons=("Too few samples.", "Another process was busy."))
    assert walks.take_results(request=submitted, now=now, result=result) == []
    assert submitted.metric_records.filter(basis="measured").count() == 0
    assert submitted.policy_evaluations.count() == 1
    event = AuditEvent.objects.get(kind="evidence.refused")
    assert event.reason == "Too few samples.; Another process was busy."
    assert event.details == {"run": only_run(submitted).pk, "state": "done", "verdict": "invalid"}


def test_a_failed_run_is_told_with_its_reason(submitted: ReviewRequest, now: datetime) -> None:
    run = Run.claim(pk=only_run(submitted).pk, now=now, lease=timedelta(minutes=1))
    assert jobs.fail(row=run, reason="The model wants 40 GB.", now=now)
    assert measurements.record_measurements(request=submitted, run=run, now=now) == []
    assert AuditEvent.objects.get(kind="evidence.refused").reason == "The model wants 40 GB."


def test_a_run_without_any_result_is_told_too(submitted: ReviewRequest, author: User, now: datetime) -> None:
    run = jobs.cancel(row=only_run(submitted), by=author, now=now)
    assert measurements.record_measurements(request=submitted, run=run, now=now) == []
    assert AuditEvent.objects.get(kind="evidence.refused").reason == f"Run {run.pk} ended canceled, without a result."


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"accuracy": (1.2, None, None, 500)}, "Accuracy cannot be above 1."),
        ({"latency_p95_ms": (2.0, 3.0, 4.0, 500)}, "The lower bound of Latency p95 is above its value."),
    ],
)
def test_an_impossible_metric_value_spoils_the_whole_run(
    submitted: ReviewRequest,
    now: datetime,
    metrics: dict[str, tuple[float, float | None, float | None, int]],
    words: str,
) -> None:
    assert walks.take_results(request=submitted, now=now, result=walks.result_of({**walks.MEASURED, **metrics})) == []
    assert words in AuditEvent.objects.get(kind="evidence.refused").reason
    assert submitted.metric_records.filter(basis="measured").count() == 0


def test_what_the_catalog_does_not_know_is_left_out(submitted: ReviewRequest, now: datetime) -> None:
    result = walks.result_of({"accuracy": (0.9, 0.8, 0.95, 500), "latency_p50_ms": (1.0, None, None, 9)})
    result["metrics"]["karma"] = {"value": 1.0, "lower": None, "upper": None, "confidence": None, "n": 1, "unit": "kg"}
    result["metrics"]["latency_p50_ms"]["unit"] = "s"
    result["metrics"]["f1_macro"] = {"value": None, "unit": "ratio"}
    assert [metric.name for metric in walks.take_results(request=submitted, now=now, result=result)] == ["accuracy"]


def test_a_run_is_taken_once(world: World) -> None:
    request = world.in_review()
    run, before = only_run(request), everything()
    assert {metric.name for metric in measurements.record_measurements(request=request, run=run, now=world.now)} == set(
        walks.MEASURED
    )
    assert everything() == before


@pytest.mark.parametrize("end", ["decided", "withdrawn", "expired"])
def test_what_comes_after_the_end_changes_nothing(world: World, end: str) -> None:
    request: ReviewRequest = getattr(world, end)()
    metric_values = request.metric_records.count()
    assert measurements.record_measurements(request=request, run=repeated(request, world), now=world.now) == []
    request.refresh_from_db()
    assert (request.state, request.metric_records.count()) == (end, metric_values)
    assert AuditEvent.objects.get(kind="evidence.refused").reason.startswith(f"The request is {end}, so the result")


def test_a_late_run_takes_a_review_back_and_voids_its_votes(world: World) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    run = repeated(request, world)
    OutboxMessage.objects.update(state=JobState.DONE)
    assert len(measurements.record_measurements(request=request, run=run, now=world.now)) == 6
    request.refresh_from_db()
    assert (request.state, request.revision) == ("evidence", 2)
    assert request.votes.filter(revision=2).count() == 0
    assert [entry.kind for entry in LedgerEntry.objects.exclude(request_ref="").order_by("pk")] == [
        "reserve",
        "reserve",
        "release",
        "release",
    ]
    told = OutboxMessage.objects.filter(state=JobState.QUEUED, kind="ticket.tell")
    assert [message.payload["occasion"] for message in told] == ["evidence", "policy_evaluation"]
    assert told[0].payload["text"] == "New measurements arrived; the votes so far are void."


def test_a_late_run_that_is_invalid_leaves_the_review_alone(world: World) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    run = run_actions.repeat(run=only_run(request), by=world.mate, now=world.now)
    done = walks.finish_run(run=run, now=world.now, result=walks.result_of(verdict="invalid", reasons=("Throttled.",)))
    assert measurements.record_measurements(request=request, run=done, now=world.now) == []
    request.refresh_from_db()
    assert (request.state, request.revision, request.votes.count()) == ("in_review", 1, 1)


# contradictions


def test_a_claim_the_measurement_contradicts_must_be_explained(world: World) -> None:
    author, request = world.cast.author, world.submitted()
    with refused(Invalid, match="at least 10 characters", field="text"):
        evidence.answer_contradiction(request=request, name="latency_p95_ms", text="  hm  ", by=author, now=world.now)
    walks.take_results(request=request, now=world.now)
    walks.answer_everything(request=request, by=author, now=world.now)
    walks.allocate_budget(team=request.team, by=world.cast.finance, now=world.now)
    (found,) = EvidenceSnapshot(request, world.now).contradictions
    assert (found.contradiction.name, found.answer, found.answered_by) == ("latency_p95_ms", "", "")
    assert found.contradiction.is_worse
    with refused(WrongState, match="Latency p95 was declared as 1 ms, but is measured as 2 ms", code="contradicted"):
        review.request_review(request=request, by=author, now=world.now)
    for text in ("It was a GPU machine.", "It was another batch size."):
        evidence.answer_contradiction(request=request, name="latency_p95_ms", text=text, by=world.mate, now=world.now)
    (found,) = EvidenceSnapshot(request, world.now).contradictions
    assert (found.answer, found.answered_by) == ("It was another batch size.", "Mate Bert")
    assert review.request_review(request=request, by=author, now=world.now).state == "in_review"


def test_a_corrected_claim_is_no_contradiction_any_more(world: World) -> None:
    request = world.submitted()
    walks.take_results(request=request, now=world.now)
    walks.state_metric_value(
        request=request, name="latency_p95_ms", value="2.1", by=world.mate, now=world.now + timedelta(minutes=1)
    )
    assert EvidenceSnapshot(request, world.now + timedelta(minutes=1)).contradictions == ()


@pytest.mark.parametrize(
    ("walk", "words"),
    [
        (lambda world: world.draft(), "Policy and checklist are fixed when the request is submitted."),
    ],
)
def test_the_checklist_is_attached_at_submission(
    world: World, walk: Callable[[World], ReviewRequest], words: str
) -> None:
    request = walk(world)
    with refused(WrongState, match=words):
        evidence.answer_item(request=request, item_id="data-sheet", text="x", by=world.cast.author, now=world.now)
    assert EvidenceSnapshot(request, world.now).checklist == ()


def test_revised_evidence_can_be_edited_again(world: World) -> None:
    request = requests.revise(request=world.changes_requested(), reason="", by=world.mate, now=world.now)
    assert evidence.state_metric_value(request=request, statement=STATEMENT, by=world.mate, now=world.now).pk


def test_a_total_that_nobody_stated_is_shown_as_computed(author: User, now: datetime) -> None:
    parts = {"training_cost_usd": "900", "inference_cost_1y_usd": "2400"}
    draft = walks.make_draft(by=author, now=now, declared=parts)
    views = {view.kind.name: view for view in metric_views(EvidenceSnapshot(draft, now))}
    total = views["total_cost_1y_usd"]
    assert total.claimed is None
    assert (total.claimed, total.derived.value, total.derived.basis, total.is_total) == (None, 3300, "declared", True)
    assert (views["training_cost_usd"].derived, views["training_cost_usd"].is_total) == (None, False)
    assert "$3,300" in words(enter(author).get(page_of(draft)))
