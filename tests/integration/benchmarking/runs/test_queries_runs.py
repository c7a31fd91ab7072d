"""What people read of runs: only their teams', with metric values as exact decimals and places in the queue."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from benchmarking.runs.actions import runs as actions
from benchmarking.runs.domain.metrics import metrics_of
from benchmarking.runs.models import Run
from benchmarking.runs.queries import runs
from benchmarking.runs.queries.runs import of_model
from governance.inventory.models import ModelVersion
from governance.people.queries.people import person_of
from tests.factories.models import make_dataset, make_version
from tests.factories.people import Cast
from tests.factories.requests import finish_run, result_of
from weighbridge.core.errors import NotFound

PLAN = {"scenario": "SingleStream", "min_samples": 700}


@pytest.fixture
def run(cast: Cast, version: ModelVersion, now: datetime) -> Run:
    dataset = make_dataset(by=cast.author, now=now)
    return actions.queue(
        key="r", version=version, dataset=dataset, plan=PLAN, asked_for="MRR-2026-0001", by=cast.author, now=now
    )


def due(*, now: datetime) -> list[int]:
    return [row.pk for row in Run.due(now=now, limit=9)]


def again(run: Run, key: str, now: datetime, **changes: str) -> Run:
    return actions.queue(
        key=key,
        version=run.model_version,
        dataset=None,
        plan=PLAN,
        by=run.started_by,
        now=now,
        **{"asked_for": "", **changes},
    )


def test_who_sees_a_run(cast: Cast, run: Run) -> None:
    for person in cast.everybody():
        if person == cast.outsider:
            with pytest.raises(NotFound, match=f"There is no run {run.pk} you can see"):
                runs.find(run_id=run.pk, person=person_of(person))
            assert not runs.visible_to(person_of(person)).exists()
            assert of_model(asset=run.model_version.asset, person=person_of(person)) == []
        else:
            assert runs.find(run_id=run.pk, person=person_of(person)) == run
    with pytest.raises(NotFound):
        runs.find(run_id=run.pk + 1, person=person_of(cast.admin))


def test_a_queued_run_tells_its_place(cast: Cast, run: Run, now: datetime) -> None:
    second, third = again(run, "s", now), again(run, "t", now)
    assert [runs.describe(each).queue_place for each in (run, second, third)] == [1, 2, 3]
    finish_run(run=run, now=now)
    run.refresh_from_db()
    assert [runs.describe(each).queue_place for each in (run, second, third)] == [None, 1, 2]


def test_a_run_before_its_result(cast: Cast, run: Run, now: datetime) -> None:
    view = runs.describe(run)
    assert (view.id, view.key, view.asked_for, view.scenario) == (run.pk, "r", "MRR-2026-0001", "SingleStream")
    assert (view.model, view.model_digest) == ("Visual search 1.0.0", run.model_version.digest)
    assert (view.state, view.is_finished, view.progress, view.phase) == ("queued", False, 0.0, "")
    assert (view.attempts, view.max_attempts, view.error, view.verdict) == (0, 3, "", "")
    assert (view.reasons, view.metrics, view.manifest, view.isolation, view.result_digest) == ((), (), {}, "", "")
    assert (view.dataset, view.created_at, view.finished_at) == ("held-out@1", now, None)
    assert runs.describe(again(run, "s", now)).dataset == ""


def test_a_finished_run_tells_its_metric_values_exactly(run: Run, now: datetime) -> None:
    result = result_of(
        {"latency_p95_ms": (2.1, 1.9, 2.2, 3000), "throughput_per_s": (600.0, None, None, 3000)},
        verdict="indicative",
        reasons=("Busy.", "Short."),
    )
    result["metrics"]["accuracy"] = {"value": None, "unit": "ratio", "n": 3}
    view = runs.describe(finish_run(run=run, now=now, result=result))
    assert (view.state, view.is_finished, view.progress, view.finished_at) == ("done", True, 1.0, now)
    assert (view.verdict, view.reasons, view.isolation) == ("indicative", ("Busy.", "Short."), "process")
    assert view.manifest == result["manifest"]
    assert view.metrics == (
        runs.Metric("latency_p95_ms", Decimal("2.1"), "ms", Decimal("1.9"), Decimal("2.2"), Decimal("0.95"), 3000),
        runs.Metric("throughput_per_s", Decimal(600), "1/s", None, None, Decimal("0.95"), 3000),
    )


def test_a_result_without_metric_values_has_none() -> None:
    assert metrics_of({}) == []


def test_runs_of_a_request(run: Run, now: datetime) -> None:
    second = again(run, "s", now, asked_for="MRR-2026-0001")
    again(run, "t", now, asked_for="MRR-2026-0002")
    assert runs.of_request("MRR-2026-0001") == [run, second]
    assert runs.of_request("MRR-2026-0003") == []


def test_runs_of_a_model_come_newest_first(cast: Cast, run: Run, now: datetime) -> None:
    second = again(run, "s", now)
    other = make_version(by=cast.author, now=now, slug="other", seed=1)
    actions.queue(key="o", version=other, dataset=None, plan=PLAN, asked_for="", by=cast.author, now=now)
    person = person_of(cast.author)
    assert [view.id for view in of_model(asset=run.model_version.asset, person=person)] == [second.pk, run.pk]
    assert [view.id for view in of_model(asset=run.model_version.asset, person=person, limit=1)] == [second.pk]


def test_what_is_due(run: Run, now: datetime) -> None:
    second = again(run, "s", now + timedelta(minutes=1))
    assert due(now=now) == [run.pk]
    assert due(now=now + timedelta(minutes=1)) == [run.pk, second.pk]
    Run.claim(pk=run.pk, now=now, lease=timedelta(minutes=5))
    assert due(now=now + timedelta(minutes=1)) == [second.pk]
    assert due(now=now + timedelta(minutes=6)) == [run.pk, second.pk]
