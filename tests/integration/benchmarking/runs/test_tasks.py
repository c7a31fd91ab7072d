"""Workers of benchmarks: real models in real child processes, canceled, crashed, and left behind by killed workers."""

import io
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celery import current_app
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from benchmarking.runs import tasks as runs_tasks
from benchmarking.runs.actions import datasets, runs
from benchmarking.runs.models import Run
from benchmarking.runs.queries import measurements
from benchmarking.runs.queries.runs import describe
from governance.audit.models import AuditEvent
from governance.findings.models import Finding
from governance.inventory.actions import inventory, stored_files
from governance.inventory.models import ModelVersion
from governance.jobs import actions as jobs
from governance.jobs import kinds, ticks
from governance.jobs.kinds import kind_of
from governance.jobs.models import OutboxMessage
from tests.factories.models import FEATURES, make_dataset, make_version, new_dataset, onnx_bytes
from tests.factories.people import Cast, make_cast
from tests.factories.requests import result_of
from tests.factories.sandbox import allow_any_walls
from weighbridge.client.worker import measurement
from weighbridge.core.converter import to_document
from weighbridge.measure import scenarios
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.scenarios import ProfileSettings, RuntimeSettings, SingleStream, WarmUp
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

PLAN = {"scenario": "SingleStream", "min_samples": 700}
PATIENCE_S = 60


def queue(version: ModelVersion, *, with_data: bool = False, plan: dict[str, Any] = PLAN, key: str = "r") -> Run:
    by, now = version.registered_by, timezone.now()
    dataset = make_dataset(by=by, now=now) if with_data else None
    return runs.queue(key=key, version=version, dataset=dataset, plan=plan, asked_for="MRR-2026-0001", by=by, now=now)


def broken_bytes() -> bytes:
    """Sound ONNX that no engine can run: the shapes do not multiply."""
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.ones((7, 3), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "broken",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 3])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


@pytest.fixture
def profiled(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Put something else in the place of the child process."""
    return lambda stand_in: monkeypatch.setattr(measurement, "run_isolated", stand_in)


@pytest.fixture
def any_walls(cast: Cast, now: datetime) -> None:
    """Measure the author's models on machines without bubblewrap too."""
    allow_any_walls(by=cast.admin, now=now)


@pytest.mark.usefixtures("any_walls")
def test_a_run_measures_a_real_model_in_a_child_process(version: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = partial(SingleStream, min_duration_s=0.1, warmup=WarmUp(value_ms=0.0, max_duration_s=0.5))
    monkeypatch.setattr(scenarios, "SCENARIOS", {"SingleStream": quick})
    run = queue(version, with_data=True)
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error, run.attempts, run.progress) == ("done", "", 1, 1.0)
    view = describe(run)
    metrics = {metric.name: metric for metric in view.metrics}
    p95 = metrics["latency_p95_ms"]
    assert p95.n is not None
    assert p95.n >= 700
    assert p95.lower is not None
    assert p95.upper is not None
    assert 0 < p95.lower <= p95.value <= p95.upper
    assert metrics["accuracy"].n == 32
    assert 0 <= metrics["accuracy"].value <= 1
    assert (metrics["accuracy"].value * 32) % 1 == Decimal(0)
    assert run.result["schema"] == "weighbridge.result/1"
    assert run.result["manifest"]["model"]["digest"] == version.digest
    assert view.isolation
    done = AuditEvent.objects.get(kind="run.done")
    assert (done.source, done.actor, done.details["result"]) == ("job", "system", run.result_digest)
    assert OutboxMessage.objects.get(kind="run.finished").payload == {"run_id": run.pk}
    runs_tasks.execute_run(run.pk)
    assert AuditEvent.objects.filter(kind="run.done").count() == 1


@pytest.mark.usefixtures("any_walls")
@pytest.mark.parametrize("which", ["the model", "the data"])
def test_a_file_that_was_swapped_after_it_was_registered_is_never_measured(
    which: str, cast: Cast, version: ModelVersion, profiled: Callable[[Callable[..., Any]], None]
) -> None:
    profiled(lambda **_: pytest.fail("the run reached the child process"))
    run = queue(version, with_data=True)
    assert run.dataset is not None
    digest = version.digest if which == "the model" else run.dataset.digest
    path = Path(storages["artifacts"].path(stored_files.name_of(digest)))
    path.write_bytes(bytes(path.stat().st_size))
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.result, run.verdict) == ("failed", None, "")
    assert f"The stored file {digest} was changed after it was stored" in run.error
    finding = Finding.objects.get()
    assert (finding.kind, finding.subject, finding.owner) == ("artifact.damaged", digest, cast.admin)


def own_answers(rows: int = 200) -> bytes:
    """Random inputs, labeled with the answers of the tiny model itself: what an attacker uploads."""
    import onnxruntime

    x, stream = np.random.default_rng(3).normal(size=(rows, FEATURES)).astype(np.float32), io.BytesIO()
    scores = onnxruntime.InferenceSession(onnx_bytes()).run(None, {"x": x})[0]
    np.savez(stream, x=x, y=np.asarray(scores).argmax(axis=1))
    return stream.getvalue()


@pytest.mark.usefixtures("any_walls")
@pytest.mark.parametrize("is_governed", [False, True])
def test_the_models_own_answers_are_no_labels(
    is_governed: bool, cast: Cast, version: ModelVersion, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    quick = partial(SingleStream, min_duration_s=0.1, warmup=WarmUp(value_ms=0.0, max_duration_s=0.5))
    monkeypatch.setattr(scenarios, "SCENARIOS", {"SingleStream": quick})
    entry = new_dataset(team="search", content=own_answers(), is_governed=is_governed)
    data = datasets.register(entry=entry, by=cast.steward if is_governed else cast.author, now=now)
    run = runs.queue(key="own", version=version, dataset=data, plan=PLAN, asked_for="", by=cast.author, now=now)
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    metrics, codes = run.result["metrics"], [reason["code"] for reason in run.result["quality_verdict"]["reasons"]]
    assert "latency_p95_ms" in metrics, "speed does not depend on the labels"
    if is_governed:
        assert (metrics["accuracy"]["value"], codes) == (1.0, ["quality.perfect"])
    else:
        assert not {"accuracy", "f1_macro"} & metrics.keys()
        assert codes == ["quality.perfect", "quality.own_labels"]
        assert any("The labels are the model's own answers" in reason for reason in describe(run).reasons)


def test_variants_are_not_judged_by_the_models_own_answers() -> None:
    def candidates(accuracy: float, n: int) -> dict[str, Any]:
        baseline = {"name": "fp32", "metrics": {"accuracy": {"value": accuracy, "n": n}}}
        return {"baseline": "fp32", "candidates": [baseline, {"name": "int8", "metrics": {}}]}

    for fine in (candidates(0.99, 500), candidates(1.0, 99)):
        assert measurement.with_labels_checked(fine) == fine
    with pytest.raises(RunFailed, match="The labels are the model's own answers"):
        measurement.with_labels_checked(candidates(1.0, 100))


@pytest.mark.usefixtures("any_walls")
def test_a_model_that_cannot_run_fails_in_words(cast: Cast, now: datetime) -> None:
    asset = inventory.register_asset(
        team="search",
        slug="broken",
        name="Broken",
        tier="T3",
        task="classification",
        owner=cast.author,
        by=cast.author,
        now=now,
    )
    upload = ContentFile(broken_bytes(), name="m.onnx")
    entry = inventory.NewVersion(asset=asset, version="1", upload=upload)
    version = inventory.register(entry=entry, by=cast.author, now=now)
    run = queue(version)
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts, run.result) == ("failed", 1, None)
    assert "model" in run.error
    assert len(run.error) > 30
    assert AuditEvent.objects.get(kind="run.failed").details["reason"] == run.error[:400]
    assert OutboxMessage.objects.filter(kind="run.finished").count() == 1


def test_a_model_that_was_never_uploaded_fails_in_words(cast: Cast, version: ModelVersion, now: datetime) -> None:
    entry = inventory.NewVersion(asset=version.asset, version="2", uri="s3://b/m.onnx", digest=version.digest)
    elsewhere = inventory.register(entry=entry, by=cast.author, now=now)
    run = queue(elsewhere)
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert run.state == "failed"
    assert run.error == "The model file was never uploaded, so it cannot be run here; upload the file."


def test_a_repetition_is_measured_with_the_settings_of_the_manifest(
    version: ModelVersion, profiled: Callable[[Callable[..., Any]], None]
) -> None:
    settings = ProfileSettings(
        scenario=SingleStream(min_samples=900, threads=2, seed=7),
        engine=RuntimeSettings(affinity=(0,), options={"arena_extend_strategy": "kSameAsRequested"}),
    )
    first, result = queue(version), result_of()
    result["manifest"] = seal_manifest({"isolation": "process", "settings": to_document(settings)})
    seen: list[ProfileSettings] = []

    def stand_in(**arguments: Any) -> dict[str, Any]:
        seen.append(arguments["settings"])
        return result

    profiled(stand_in)
    runs_tasks.execute_run(first.pk)
    first.refresh_from_db()
    again = runs.repeat(run=first, by=version.registered_by, now=timezone.now())
    runs_tasks.execute_run(again.pk)
    again.refresh_from_db()
    assert (again.state, again.error) == ("done", "")
    assert (seen[0].scenario.min_samples, seen[1]) == (700, settings)
    assert again.equivalence["answer"] in {"equivalent", "cannot_tell"}
    assert again.equivalence["differences"] == []


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"digest": "sha256:0"}, "contains no settings"),
        (
            seal_manifest({"settings": to_document(ProfileSettings(engine=RuntimeSettings(provider="cuda")))}),
            "a different machine type",
        ),
    ],
)
def test_a_manifest_that_cannot_be_followed_fails_the_repetition_in_words(
    version: ModelVersion, profiled: Callable[[Callable[..., Any]], None], manifest: dict[str, Any], words: str
) -> None:
    first = queue(version)
    profiled(lambda **_: {**result_of(), "manifest": manifest})
    runs_tasks.execute_run(first.pk)
    first.refresh_from_db()
    again = runs.repeat(run=first, by=version.registered_by, now=timezone.now())
    runs_tasks.execute_run(again.pk)
    again.refresh_from_db()
    assert again.state == "failed"
    assert words in again.error


def test_the_plan_and_the_limits_reach_the_child(
    version: ModelVersion, settings: Settings, profiled: Callable[[Callable[..., Any]], None]
) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"RUN_WALL_S": 77, "RUN_MEMORY_MB": 555}
    seen: dict[str, Any] = {}

    def stand_in(**arguments: Any) -> dict[str, Any]:
        seen.update(arguments, content=arguments["model"].read_bytes(), rows=arguments["data"].stat().st_size)
        return result_of()

    profiled(stand_in)
    run = queue(version, with_data=True)
    runs_tasks.execute_run(run.pk)
    assert seen["settings"].scenario.min_samples == 700
    assert (seen["limits"].wall_s, seen["limits"].memory_mb) == (77, 555)
    with storages["artifacts"].open(version.stored_as) as stored:
        assert seen["content"] == stored.read()
    assert seen["rows"] == run.dataset.size_bytes
    assert seen["model"].suffix == ".onnx"
    assert not seen["workdir"].exists(), "nothing is left behind"


def test_progress_is_written_at_most_once_a_second_and_renews_the_lease(
    version: ModelVersion, profiled: Callable[[Callable[..., Any]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(runs_tasks.time, "monotonic", lambda: clock[0])
    shown: list[tuple[str, float, str, bool]] = []

    def stand_in(
        *, on_progress: Callable[[float, str], None], should_stop: Callable[[], bool], **_: Any
    ) -> dict[str, Any]:
        for seconds, share, phase in (
            (0.5, 0.1, "early"),
            (1.0, 0.2, "warming up"),
            (1.9, 0.3, "early"),
            (2.0, 7.0, "p" * 200),
            (3.0, -1.0, "odd"),
        ):
            clock[0] = 100.0 + seconds
            on_progress(share, phase)
            row = Run.objects.get()
            assert row.lease_until is not None
            is_renewed = row.lease_until > timezone.now() + kinds.lease() - timedelta(seconds=30)
            shown.append((row.state, row.progress, row.phase, is_renewed))
            assert should_stop() is False
        return result_of()

    profiled(stand_in)
    runs_tasks.execute_run(queue(version).pk)
    assert shown == [
        ("running", 0.0, "fetching the model", True),
        ("running", 0.2, "warming up", True),
        ("running", 0.2, "warming up", True),
        ("running", 1.0, "p" * 120, True),
        ("running", 0.0, "odd", True),
    ]


@pytest.mark.parametrize("how", ["canceled", "taken by another worker"])
def test_a_worker_that_lost_its_run_stops_and_writes_nothing(
    version: ModelVersion, profiled: Callable[[Callable[..., Any]], None], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    run = queue(version)
    monkeypatch.setattr(runs_tasks, "PROGRESS_EVERY_S", 0.0)

    def stand_in(
        *, on_progress: Callable[[float, str], None], should_stop: Callable[[], bool], **_: Any
    ) -> dict[str, Any]:
        if how == "canceled":
            jobs.cancel(row=run, by=version.registered_by, now=timezone.now())
        else:
            later = timezone.now() + 2 * kinds.lease()
            assert Run.claim(pk=run.pk, now=later, lease=kinds.lease()) is not None
        before.append(Run.objects.values().get())
        on_progress(0.5, "measuring")
        assert should_stop() is True
        raise RunCanceled("The run was canceled.")

    before: list[dict[str, Any]] = []
    profiled(stand_in)
    runs_tasks.execute_run(run.pk)
    assert Run.objects.values().get() == before[0]
    assert not OutboxMessage.objects.filter(kind="run.finished").exists()


@pytest.mark.parametrize("answer", ["result", "failure", "fault"])
def test_an_answer_that_comes_too_late_is_not_written(
    version: ModelVersion, profiled: Callable[[Callable[..., Any]], None], answer: str
) -> None:
    run = queue(version)

    def stand_in(**_: Any) -> dict[str, Any]:
        jobs.cancel(row=run, by=version.registered_by, now=timezone.now())
        if answer == "failure":
            raise RunFailed("No.")
        if answer == "fault":
            raise OSError("No.")
        return result_of()

    profiled(stand_in)
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.result, run.error) == ("canceled", None, "")


def test_a_fault_of_ours_gives_the_run_back_with_its_words(
    version: ModelVersion, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Run) -> bool:
        raise FileNotFoundError("uploads")

    run = queue(version)
    monkeypatch.setattr(measurements, "is_wall_needed", broken)
    for attempt in range(1, 4):
        begun = timezone.now()
        Run.objects.update(next_attempt_at=begun)
        runs_tasks.execute_run(run.pk)
        run.refresh_from_db()
        assert (run.state, run.attempts, run.lease_until) == ("queued", attempt, None)
        assert run.error.startswith("FileNotFoundError: ")
        waits = kinds.backoff(attempt) if attempt < run.max_attempts else timedelta()  # the tick may end the last now
        assert run.next_attempt_at >= begun + waits
    assert "failed because of an internal error" in caplog.text
    jobs.tick(kind=kind_of(Run), now=timezone.now())
    run.refresh_from_db()
    assert run.state == "dead"
    assert run.error.startswith("FileNotFoundError: ")


def test_a_killed_worker_costs_an_attempt_and_the_third_is_the_last(
    version: ModelVersion, profiled: Callable[[Callable[..., Any]], None]
) -> None:
    class Killed(BaseException):
        """What no handler sees."""

    def stand_in(**_: Any) -> dict[str, Any]:
        raise Killed

    profiled(stand_in)
    run = queue(version)
    for attempt in range(1, 4):
        with pytest.raises(Killed):
            runs_tasks.execute_run(run.pk)
        run.refresh_from_db()
        assert (run.state, run.attempts) == ("running", attempt)
        runs_tasks.execute_run(run.pk)  # its lease still holds: nobody takes it
        jobs.tick(kind=kind_of(Run), now=timezone.now())
        run.refresh_from_db()
        assert (run.state, run.attempts) == ("running", attempt)
        Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    jobs.tick(kind=kind_of(Run), now=timezone.now())
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("dead", 3)
    assert run.error == "The worker stopped responding 3 times; the model may exhaust the machine."


def test_the_second_attempt_after_a_killed_worker_succeeds(
    version: ModelVersion, profiled: Callable[[Callable[..., Any]], None]
) -> None:
    run = queue(version)
    held = Run.claim(pk=run.pk, now=timezone.now() - 2 * kinds.lease(), lease=kinds.lease())
    assert held is None, "not due two leases ago"
    Run.objects.update(next_attempt_at=timezone.now() - 3 * kinds.lease())
    killed = Run.claim(pk=run.pk, now=timezone.now() - 2 * kinds.lease(), lease=kinds.lease())
    assert killed is not None
    profiled(lambda **_: result_of())
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts, run.fence) == ("done", 2, 2)
    assert runs.finish(run=killed, result=result_of(), now=timezone.now()) is False


def test_the_tick_wakes_workers_for_what_is_due(
    version: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    sent: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: sent.append((name, args)))
    due, later = queue(version), queue(version, key="s")
    now = timezone.now()
    Run.objects.filter(pk=later.pk).update(next_attempt_at=now + timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        jobs.tick(kind=kind_of(Run), now=now)
    assert sent == [("benchmarking.runs.tasks.execute_run", (due.pk,))]
    assert runs_tasks.record_untaken in {part.run for part in ticks.PARTS if part.at_any_clock}


@pytest.mark.django_db(transaction=True)
def test_a_run_is_canceled_while_its_child_works(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_tasks, "PROGRESS_EVERY_S", 0.1)
    version = make_version(by=make_cast(now=now).author, now=now)
    run = queue(version, plan=PLAN | {"min_samples": 100_000_000})

    def work() -> None:
        try:
            runs_tasks.execute_run(run.pk)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    deadline = time.monotonic() + PATIENCE_S
    while Run.objects.get(pk=run.pk).progress == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert Run.objects.get(pk=run.pk).state == "running"
    jobs.cancel(row=run, by=version.registered_by, now=timezone.now())
    worker.join(PATIENCE_S)
    assert not worker.is_alive()
    run.refresh_from_db()
    assert (run.state, run.result, run.attempts) == ("canceled", None, 1)
    assert not OutboxMessage.objects.filter(kind="run.finished").exists()
