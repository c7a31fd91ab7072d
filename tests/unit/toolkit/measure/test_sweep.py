"""A sweep over stand-ins for runs."""

from datetime import UTC, datetime

import pytest

from weighbridge.core.errors import Invalid
from weighbridge.measure.scenarios import Offline, ProfileSettings, SingleStream, WarmUp
from weighbridge.measure.studies.sweep import best_of, doubts_of, offline, sweep
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SETTINGS = ProfileSettings(scenario=Offline(min_samples=7, threads=2, seed=3))


def result(rate, *, status="valid"):
    metric = {"value": rate, "lower": rate * 0.9, "upper": rate * 1.1, "confidence": 0.95, "n": 400, "unit": "1/s"}
    return {
        "metrics": {"throughput_samples_per_s": metric, "accuracy": metric},
        "verdict": {"status": status, "reasons": []},
        "missing": [{"metric": "latency_p99_ms", "message": "few"}, {"metric": "flops", "message": "none"}],
        "manifest": {"model": {"digest": "sha256:ab"}, "digest": "old"},
    }


def run(answer, batches=(1, 8), concurrencies=(1, 2)):
    asked, steps = [], []

    def profile(settings, on_progress):
        asked.append(settings)
        on_progress(0.5, "measuring")
        said = answer(settings.scenario.batch, settings.scenario.concurrency)
        if isinstance(said, Exception):
            raise said
        return said

    document = sweep(
        profile,
        settings=SETTINGS,
        batches=batches,
        concurrencies=concurrencies,
        on_progress=lambda *step: steps.append(step),
        now=NOW,
    )
    return document, asked, steps


def test_every_pair_is_a_point_with_its_metrics():
    document, asked, steps = run(lambda batch, concurrency: result(100.0 * batch * concurrency))
    assert [(point["batch"], point["concurrency"]) for point in document["points"]] == [(1, 1), (8, 1), (1, 2), (8, 2)]
    assert set(document["points"][0]["metrics"]) == {"throughput_samples_per_s"}
    assert document["points"][0]["missing"] == [{"metric": "latency_p99_ms", "message": "few"}]
    assert (document["schema"], document["is_partial"]) == ("weighbridge.sweep/1", False)
    assert document["measured_at"] == "2026-11-01T12:00:00+00:00"
    assert document["manifest"]["sweep"] == [
        {"batch": batch, "concurrency": concurrency, "dims": {}} for concurrency in (1, 2) for batch in (1, 8)
    ]
    assert document["manifest"]["digest"] not in ("old", None)
    assert best_of(document) == document["points"][3]
    assert [settings.scenario.threads for settings in asked] == [2] * 4
    assert not any(settings.measures_quality for settings in asked)
    assert steps == [(0.125, "batch 1 x 1"), (0.375, "batch 8 x 1"), (0.625, "batch 1 x 2"), (0.875, "batch 8 x 2")]


def test_a_point_that_cannot_be_measured_is_kept_with_its_reason():
    failed = RunFailed("It takes a fixed batch.", code="model_batch")
    document, _, _ = run(lambda batch, _: failed if batch == 8 else result(5.0))
    assert document["points"][1]["refused"] == {"code": "model_batch", "reason": "It takes a fixed batch."}
    assert best_of(document)["batch"] == 1


def test_where_nothing_can_be_measured_the_reason_is_the_answer():
    with pytest.raises(RunFailed, match="There is no model file"):
        run(lambda *_: RunFailed("There is no model file."))


def test_a_canceled_sweep_keeps_the_points_so_far():
    document, _, _ = run(lambda batch, _: RunCanceled("no more") if batch == 8 else result(5.0))
    assert (document["is_partial"], len(document["points"])) == (True, 1)
    document, _, _ = run(lambda *_: RunCanceled("no more"))
    assert (document["is_partial"], document["points"], document["manifest"]) == (True, [], None)
    assert best_of(document) is None


def test_more_threads_than_processors_are_never_the_best():
    def answer(batch, _):
        crowded = {"code": "environment.threads", "status": "indicative", "message": "Too many."}
        reasons = [crowded] if batch == 8 else []
        return result(5.0 + batch) | {"verdict": {"status": "indicative", "reasons": reasons}}

    document, _, _ = run(answer)
    assert best_of(document)["batch"] == 1
    assert [doubts_of(point) for point in document["points"]] == [[], ["Too many."]] * 2
    assert [note["code"] for note in document["notes"]] == ["answers.unchecked"]


def test_an_invalid_point_is_never_the_best():
    document, _, _ = run(lambda batch, _: result(5.0 + batch, status="invalid" if batch == 8 else "valid"))
    assert best_of(document)["batch"] == 1


@pytest.mark.parametrize("batches", [(), tuple(range(1, 34))])
def test_a_sweep_has_points_and_not_too_many(batches):
    with pytest.raises(Invalid, match="1 to 64 points"):
        run(lambda *_: result(1.0), batches=batches)


def test_what_scenarios_share_is_taken_over():
    settings = ProfileSettings(scenario=SingleStream(min_samples=9, threads=3, warmup=WarmUp(values=11)))
    scenario = offline(settings, batch=4, concurrency=2).scenario
    assert scenario == Offline(min_samples=9, threads=3, warmup=WarmUp(values=11), batch=4, concurrency=2)
