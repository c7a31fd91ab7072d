"""Projections of a request: what they state, what a benchmark changes in them, and who may state one."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from benchmarking.projections import actions as kept
from benchmarking.runs.queries import runs
from governance.audit.models import AuditEvent
from governance.rulebook.actions import documents as rulebook
from reviews.evidence.models import MetricRecord, RequestProjection
from reviews.evidence.queries.projections import projection_view
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.evidence_bundle import bundle_of
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import measurements, projections
from tests.factories import requests as walks
from tests.factories.costs import cost_spec
from tests.factories.policies import LEAN
from tests.integration.reviews.workflow.worlds import World
from tests.standstill import refused
from weighbridge.core.errors import Invalid, NotAllowed, WrongState


def stated(world: World, request: ReviewRequest, **changes: Any) -> RequestProjection:
    projection = kept.project_and_store(spec=cost_spec(**changes), by=world.cast.author, now=world.now)
    return projections.state(request=request, projection=projection, option="own", by=world.cast.author, now=world.now)


def test_a_projection_states_estimates_with_ranges_and_pins_its_prices(world: World) -> None:
    request = world.submitted()
    row = stated(world, request)
    metric_values = row.projection.document["options"][0]["metrics"]["total_cost_1y_usd"]
    metric = MetricRecord.objects.get(request=request, name="total_cost_1y_usd", basis="estimated")
    assert (metric.value, metric.lower, metric.upper, metric.p80) == tuple(
        Decimal(metric_values[level]) for level in ("p50", "p10", "p90", "p80")
    )
    assert (metric.n, metric.confidence, metric.stated_by) == (200, Decimal("0.8"), world.cast.author)
    assert metric.source == "projection 1, option own, seed 20260101"
    names = set(MetricRecord.objects.filter(request=request, basis="estimated").values_list("name", flat=True))
    assert names == {
        "training_gpu_hours",
        "training_cost_usd",
        "inference_cost_1y_usd",
        "total_cost_1y_usd",
        "cost_per_1k_usd",
    }
    event = AuditEvent.objects.get(kind="projection.stated")
    assert (event.subject, event.details["digest"], event.details["option"]) == (
        request.ref,
        row.projection.digest,
        "own",
    )
    assert bundle_of(snapshot_of(request, now=world.now))["projections"] == [
        {"number": 1, "option": "own", "digest": row.projection.digest}
    ]
    assert request.policy_evaluations.order_by("-pk").first().occasion == "projection stated"


def test_the_same_projection_again_is_the_same_row(world: World) -> None:
    request = world.submitted()
    first, before = stated(world, request), AuditEvent.objects.count()
    assert stated(world, request) == first
    assert (request.projections.count(), AuditEvent.objects.count()) == (1, before)


def test_a_rule_about_the_p80_fires_on_it(world: World) -> None:
    source = LEAN.replace("metric: total_cost_1y_usd", "metric: total_cost_1y_usd\n  statistic: p80", 1)
    assert source != LEAN
    rulebook.publish(version=rulebook.draft_policy(source=source, by=None, now=world.now), by=None, now=world.now)
    lower = {"training_cost_usd": "200", "inference_cost_1y_usd": "20400", "total_cost_1y_usd": "20600"}
    request = world.submitted(declared=walks.DECLARED | lower)
    said = request.policy_evaluations.order_by("-pk").first().document["results"]
    assert next(each for each in said if each["metric"] == "total_cost_1y_usd")["status"] == "indeterminate"
    stated(world, request)
    said = request.policy_evaluations.order_by("-pk").first().document["results"]
    result = next(each for each in said if each["metric"] == "total_cost_1y_usd")
    assert result["status"] == "passed"
    assert result["reason"].startswith("The P80 of Total cost 1 year is ")


def test_a_benchmark_draws_the_projection_anew_once(world: World) -> None:
    request = world.submitted()
    first = stated(world, request)
    walks.take_results(request=request, now=world.now + timedelta(seconds=1))
    second = request.projections.get(number=2)
    run = runs.of_request(request.ref)[0]
    assert (second.run, second.stated_by, second.option) == (run, None, "own")
    assert second.projection.spec["options"][0]["serving"]["service_s"] == [1 / 610, 1 / 590]
    moved = second.changes["metrics"]["own"]["inference_cost_1y_usd"]["p50"]
    metric_values = {
        row.number: row.projection.document["options"][0]["metrics"]["inference_cost_1y_usd"]["p50"]
        for row in (first, second)
    }
    assert (moved["before"], moved["after"]) == (metric_values[1], metric_values[2])
    assert Decimal(metric_values[2]) < Decimal(metric_values[1])
    latest = MetricRecord.objects.filter(request=request, name="inference_cost_1y_usd", basis="estimated").latest("pk")
    assert (latest.value, latest.source) == (
        Decimal(metric_values[2]),
        f"projection 2, option own, seed 20260101, service time measured by run {run.pk}",
    )
    shown = [projection_view(row) for row in EvidenceSnapshot(request, world.now).projections]
    assert [view.number for view in shown] == [2, 1]
    assert (shown[0].stated_by, shown[1].stated_by, shown[0].chosen["id"]) == (
        "",
        world.cast.author.get_full_name() or "author",
        "own",
    )
    assert {move.option for move in shown[0].moves} == {"own"}
    assert shown[1].moves == ()
    assert measurements.record_measurements(request=request, run=run, now=world.now) != []
    assert request.projections.count() == 2


@pytest.mark.parametrize("claimed_in", ["the same request", "another request"])
def test_a_measured_service_time_does_not_turn_a_stated_price_into_evidence(world: World, claimed_in: str) -> None:
    high = walks.DECLARED | {"inference_cost_1y_usd": "90000", "total_cost_1y_usd": "99600"}
    request, later = world.submitted(declared=high), world.now + timedelta(minutes=1)
    if claimed_in == "another request":
        version = request.model_version
        request = walks.make_submitted(by=world.cast.author, version=version, purpose="Another", now=later)
    spec = cost_spec()
    spec["options"][0]["serving"]["usd_per_replica_h"]["usd"] = 0.001
    projection = kept.project_and_store(spec=spec, by=world.cast.author, now=later)
    projections.state(request=request, projection=projection, option="own", by=world.cast.author, now=later)
    walks.take_results(request=request, now=later)
    assert request.projections.get(number=2).stated_by is None
    counted = {value.name: value.value for value in EvidenceSnapshot(request, later).counted_values}
    assert (counted["inference_cost_1y_usd"], counted["total_cost_1y_usd"]) == (90_000, 99_600)


def test_one_stated_after_the_benchmark_is_drawn_anew_at_once(world: World) -> None:
    request = world.submitted()
    walks.take_results(request=request, now=world.now)
    stated(world, request)
    assert [row.run_id is None for row in request.projections.order_by("number")] == [True, False]


def test_an_option_without_replicas_is_not_drawn_anew(world: World) -> None:
    request = world.submitted()
    projection = kept.project_and_store(spec=cost_spec(), by=world.cast.author, now=world.now)
    projections.state(request=request, projection=projection, option="api", by=world.cast.author, now=world.now)
    walks.take_results(request=request, now=world.now)
    assert request.projections.count() == 1


@pytest.mark.parametrize("slow_per_s", [0.5, 0.09])
def test_a_measurement_that_nothing_could_serve_leaves_the_projection_and_says_why(
    world: World, slow_per_s: float
) -> None:
    request = world.submitted()
    stated(world, request)
    rate = (slow_per_s, slow_per_s * 0.9, slow_per_s * 1.1, 3000)
    result = walks.result_of({**walks.MEASURED, "throughput_per_s": rate})
    walks.take_results(request=request, now=world.now, result=result)
    assert request.projections.count() == 1
    event = AuditEvent.objects.get(kind="projection.not_redrawn")
    assert "No number of replicas" in event.reason
    assert event.details["projection"] == 1


def test_a_projection_stated_meanwhile_is_not_overwritten(world: World) -> None:
    request = world.submitted()
    stated(world, request)
    run = walks.finish_run(run=runs.of_request(request.ref)[0], now=world.now)
    recalculated = projections.recalculate(request=request, run=run)
    stated(world, request, service_s=[0.2, 0.3])
    assert projections.store_recalculated(request=request, run=run, recalculated=recalculated, now=world.now) is None
    assert request.projections.count() == 2


def test_a_load_that_is_not_served_is_refused_before_anything_moves(world: World) -> None:
    request = world.submitted()
    projection = kept.project_and_store(spec=cost_spec(limit_s=0.36), by=world.cast.author, now=world.now)
    with refused(Invalid, code="load_unserved"):
        projections.state(request=request, projection=projection, option="own", by=world.cast.author, now=world.now)


def test_an_unknown_option_is_refused(world: World) -> None:
    request = world.submitted()
    projection = kept.project_and_store(spec=cost_spec(), by=world.cast.author, now=world.now)
    with refused(Invalid, match="has no option 'gpu'", field="option"):
        projections.state(request=request, projection=projection, option="gpu", by=world.cast.author, now=world.now)


@pytest.mark.parametrize("who", ["reviewer", "lead", "finance", "auditor", "outsider", "gone"])
def test_only_who_may_edit_the_request_states_its_costs(world: World, who: str) -> None:
    request = world.submitted()
    projection = kept.project_and_store(spec=cost_spec(), by=world.cast.author, now=world.now)
    with refused(NotAllowed):
        projections.state(
            request=request, projection=projection, option="own", by=world.everybody()[who], now=world.now
        )


def test_under_review_nothing_is_stated(world: World) -> None:
    request = world.in_review()
    projection = kept.project_and_store(spec=cost_spec(), by=world.cast.author, now=world.now)
    with refused(WrongState):
        projections.state(request=request, projection=projection, option="own", by=world.cast.author, now=world.now)


def test_keeping_the_same_answer_again_is_the_same_row(world: World) -> None:
    first = kept.project_and_store(spec=cost_spec(), by=world.cast.author, now=world.now)
    assert kept.project_and_store(spec=cost_spec(), by=world.cast.author, now=world.now) == first
    assert kept.project_and_store(spec=cost_spec(), by=world.mate, now=world.now) != first
    with pytest.raises(NotAllowed):
        kept.project_and_store(spec=cost_spec(), by=world.gone, now=world.now)
