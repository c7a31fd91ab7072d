"""What follows from the policy by itself: clearing, mandatory review, escalation, and what is asked of the outside."""

from datetime import datetime, timedelta

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.inventory.actions import inventory
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.rulebook.actions import documents as rulebook
from reviews.feed.models import FeedEntry
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket
from reviews.workflow.actions import evidence, measurements, requests, review, screening
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.policies import LEAN
from tests.integration.reviews.workflow.worlds import SMALL, World
from tests.standstill import everything, refused
from weighbridge.core.errors import NotFound, WrongState
from weighbridge.core.metrics.catalog import Producer
from weighbridge.core.metrics.standard import STANDARD


def test_below_every_threshold_a_request_is_cleared(world: World) -> None:
    request = world.cleared()
    assert request.state == "cleared"
    (said,) = request.policy_evaluations.all()
    assert (said.outcome, said.occasion, said.revision, said.policy) == ("cleared", "submission", 1, request.policy)
    assert (Run.objects.count(), Ticket.objects.count(), OutboxMessage.objects.count()) == (0, 0, 0)
    moved = AuditEvent.objects.get(kind="request.cleared")
    assert (moved.actor, moved.details) == ("system", {"before": "screening", "after": "cleared", "revision": 1})


def test_above_one_review_is_mandatory_and_starts_by_itself(world: World) -> None:
    request = world.submitted(environment="dev", declared=SMALL | {"training_gpu_hours": "201"})
    assert (request.state, request.policy_evaluations.get().outcome) == ("evidence", "review_required")
    ticket = request.ticket
    assert (ticket.state, ticket.label) == ("waiting", f"weighbridge-wb-{request.ref.lower()}")
    message = OutboxMessage.objects.get()
    assert (message.kind, message.key, message.lane) == (
        "ticket.open",
        f"ticket.open:{request.ref}",
        f"ticket:{request.ref}",
    )
    assert message.payload == {"request_id": request.pk}
    run = Run.objects.get()
    assert (run.key, run.state, run.asked_for) == (f"{request.ref}/SingleStream", JobState.QUEUED, request.ref)
    assert (run.plan["min_samples"], run.dataset, run.started_by) == (3000, request.dataset, world.cast.author)
    assert request.deadline_at == world.now + timedelta(days=30)


def test_another_tier_after_the_submission_changes_nothing(world: World) -> None:
    source = yaml.safe_load(world.submitted().policy.source)
    slow = {"id": "slow", "effect": "deny", "on_indeterminate": "deny", "limit": 1, "scope": {"tiers": ["T1"]}}
    source["rules"].append(next(rule for rule in source["rules"] if rule["metric"] == "latency_p95_ms") | slow)
    draft = rulebook.draft_policy(source=yaml.safe_dump(source), by=None, now=world.now)
    rulebook.publish(version=draft, by=None, now=world.now)
    request = walks.make_ready(by=world.cast.author, now=world.now, purpose="Another", with_data=True)
    asset = request.model_version.asset
    inventory.register_asset(
        team="search",
        slug=asset.slug,
        name=asset.name,
        tier="T3",
        task="classification",
        owner=asset.owner,
        by=world.mate,
        now=world.now,
    )
    request = ReviewRequest.objects.get(pk=request.pk)
    with refused(WrongState, match="Latency p95 is .* The policy denies this"):
        review.request_review(request=request, by=world.cast.author, now=world.now)
    assert request.tier == "T1"


def test_it_happens_in_one_transaction_or_not_at_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    request = world.draft()
    monkeypatch.setattr("reviews.workflow.actions.screening.start_benchmarks", lambda **_: 1 / 0)
    before = everything()
    with pytest.raises(ZeroDivisionError):
        requests.submit(request=request, by=world.cast.author, now=world.now)
    assert everything() == before


def test_missing_evidence_is_never_a_pass(world: World) -> None:
    request = world.submitted(environment="dev", declared={"training_gpu_hours": "10"})
    assert request.state == "evidence"
    status = {each["rule_id"]: each["status"] for each in request.policy_evaluations.get().document["results"]}
    assert status["training-gpu-hours"] == "passed"
    assert status["training-cost"] == status["total-cost-1y"] == "indeterminate"


def test_benchmarks_are_queued_once(submitted: ReviewRequest, author: User, now: datetime) -> None:
    with transaction.atomic():
        (again,) = screening.start_benchmarks(request=submitted, by=author, now=now)
    assert [again] == list(Run.objects.all())
    assert AuditEvent.objects.filter(kind="run.queued").count() == 1


def test_a_model_that_lies_elsewhere_cannot_be_measured(world: World) -> None:
    author = world.cast.author
    asset = make_version(by=author, now=world.now).asset
    entry = inventory.NewVersion(
        asset=asset, version="2.0.0", uri="s3://bucket/model.onnx", digest="sha256:" + "b" * 64
    )
    elsewhere = inventory.register(entry=entry, by=author, now=world.now)
    request = world.submitted(version=elsewhere)
    assert (request.state, Run.objects.count(), request.ticket.state) == ("evidence", 0, "waiting")
    assert "upload the file" in AuditEvent.objects.get(kind="benchmark.not_possible").reason


def test_weights_alone_cannot_be_measured(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import json
    import struct

    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    upload = ContentFile(struct.pack("<Q", len(header)) + header + b"\0\0\0\0", name="model.safetensors")
    author = world.cast.author
    asset = make_version(by=author, now=world.now).asset
    entry = inventory.NewVersion(asset=asset, version="3.0.0", upload=upload)
    weights = inventory.register(entry=entry, by=author, now=world.now)
    request = world.submitted(version=weights)
    assert (request.state, Run.objects.count()) == ("evidence", 0)
    assert (
        "A safetensors file has weights alone and cannot be run"
        in AuditEvent.objects.get(kind="benchmark.not_possible").reason
    )


def cleared_by_latency(world: World) -> ReviewRequest:
    """Cleared, because the declared latency is within the limit of a rule."""
    source = yaml.safe_load(LEAN)
    latency = next(rule for rule in source["rules"] if rule["metric"] == "latency_p95_ms")
    source["rules"].append(
        latency | {"id": "slow", "accept": ["declared"], "statistic": "value", "scope": {}, "min_n": 0}
    )
    draft = rulebook.draft_policy(source=yaml.safe_dump(source), by=None, now=world.now)
    rulebook.publish(version=draft, by=None, now=world.now)
    return world.submitted(environment="dev", declared=SMALL | {"latency_p95_ms": "1"})


def measured(request: ReviewRequest, *, p95_ms: float, by: User, now: datetime, **others: float) -> Run:
    run = run_actions.queue(
        key=f"{request.ref}/accounting",
        version=request.model_version,
        dataset=None,
        plan={"scenario": "SingleStream"},
        asked_for=request.ref,
        by=by,
        now=now,
    )
    values = {"latency_p95_ms": p95_ms} | others
    result = walks.result_of({name: (value, None, None, 1) for name, value in values.items()})
    return walks.finish_run(run=run, now=now, result=result)


def test_a_cleared_request_is_reviewed_once_measured_metric_values_fire(world: World) -> None:
    request = cleared_by_latency(world)
    later = world.now + timedelta(days=200)
    run = measured(request, p95_ms=320.0, by=world.cast.author, now=later)
    measurements.record_measurements(request=request, run=run, now=later)
    request.refresh_from_db()
    assert (request.state, request.ticket.state) == ("evidence", "waiting")
    assert request.deadline_at == later + timedelta(days=30)
    assert [row.outcome for row in request.policy_evaluations.all()] == ["cleared", "review_required"]
    assert [row.standing for row in FeedEntry.objects.all()] == ["cleared", "under_review"]
    queued = Run.objects.get(key=f"{request.ref}/SingleStream")
    assert (queued.state, queued.started_by) == (JobState.QUEUED, world.cast.author)


def test_a_cleared_request_stays_cleared_while_metric_values_pass(world: World) -> None:
    request = cleared_by_latency(world)
    run = measured(request, p95_ms=12.0, by=world.cast.author, now=world.now)
    measurements.record_measurements(request=request, run=run, now=world.now)
    request.refresh_from_db()
    assert (request.state, request.policy_evaluations.count(), Ticket.objects.count()) == ("cleared", 2, 0)
    assert AuditEvent.objects.get(kind="ticket.not_wanted").details == {"occasion": "policy_evaluation"}


def test_a_run_measures_no_costs_and_no_gain_whatever_its_result_says(world: World) -> None:
    request = world.submitted()
    never = {name for name, kind in STANDARD.items() if Producer.BENCHMARK not in kind.producers}
    run = measured(request, p95_ms=12.0, by=world.cast.author, now=world.now, **dict.fromkeys(never, 0.0))
    taken = measurements.record_measurements(request=request, run=run, now=world.now)
    assert [row.name for row in taken] == ["latency_p95_ms"]
    assert never >= {name for name in STANDARD if name.endswith(("_usd", "_kwh", "_kg")) or "hours" in name}
    assert "business_kpi_delta" in never


def test_the_ticket_hears_of_a_policy_evaluation_that_changed(world: World) -> None:
    costs = {name: value for name, value in SMALL.items() if name != "training_gpu_hours"}
    request, author = world.submitted(environment="dev", declared=costs), world.cast.author
    walks.state_metric_value(request=request, name="training_cost_usd", value="310", by=author, now=world.now)
    assert OutboxMessage.objects.filter(kind="ticket.tell").count() == 0
    walks.state_metric_value(
        request=request, name="training_gpu_hours", value="20", by=author, now=world.now + timedelta(seconds=1)
    )
    told = OutboxMessage.objects.get(kind="ticket.tell")
    assert (told.payload["occasion"], told.payload["text"]) == ("policy_evaluation", "The policy now says: cleared.")
    assert told.key == f"ticket.tell:{request.ref}:1:policy_evaluation"
    request.refresh_from_db()
    assert request.state == "evidence"


def test_the_ticket_hears_which_rules_stand(submitted: ReviewRequest, now: datetime) -> None:
    walks.take_results(request=submitted, now=now)
    said = OutboxMessage.objects.get(kind="ticket.tell").payload["text"].splitlines()
    assert said[0] == "The policy now says: review required."
    assert [line.partition(" is ")[0] for line in said[1:]] == ["Training GPU hours"]


def test_a_draft_is_not_judged(draft: ReviewRequest, now: datetime) -> None:
    with transaction.atomic():
        screening.evaluate_again(request=draft, occasion="nothing", now=now)
    assert draft.policy_evaluations.count() == 0
    with refused(WrongState, match="submit it first"):
        screening.start_benchmarks(request=draft, by=draft.requester, now=now)


def test_an_unknown_checklist_item_is_not_there(submitted: ReviewRequest, author: User, now: datetime) -> None:
    with refused(NotFound, match="no item 'soul'", field="item"):
        evidence.answer_item(request=submitted, item_id="soul", text="Yes.", by=author, now=now)
