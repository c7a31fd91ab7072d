"""Runs go to workers of the kind of machine their plan names, and to the toolkit as their plan says."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from pytest_django import Settings

from benchmarking.runs import tasks as runs_tasks
from benchmarking.runs.actions import runs
from benchmarking.runs.domain.routing import TASKS
from benchmarking.runs.models import Run
from benchmarking.runs.queries.runs import describe
from benchmarking.runs.queries.sandbox import is_wall_needed
from governance.inventory.models import ModelVersion
from governance.jobs import actions as jobs
from governance.jobs import worker_signals as wakeups
from governance.jobs.kinds import kind_of
from governance.rulebook.domain.benchmark_plans import HardwareClass, ScenarioName
from tests.factories.models import make_dataset, make_version, onnx_bytes
from tests.factories.people import Cast
from tests.factories.requests import result_of
from weighbridge.client.worker import measurement
from weighbridge.optimization.alternatives import AlternativesWanted
from weighbridge.systems.sandbox import isolated

ON_GPU = {"scenario": "SingleStream", "min_samples": 700, "hardware": "gpu"}
OLD = {"scenario": "SingleStream", "min_samples": 700}
VARIANTS = {
    "scenario": "alternatives",
    "variants": ["int8-dynamic"],
    "max_quality_drop": 0.01,
    "calibration_rows": 9,
    "hardware": "cpu",
}


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every wake-up that is sent: the task, the run."""
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(wakeups, "wake", lambda task, *arguments: sent.append((task, *arguments)))
    wakeups.CIRCUIT.announced.clear()
    wakeups.CIRCUIT.open_until_s = 0.0
    return sent


@pytest.fixture
def queued(version: ModelVersion, now: datetime) -> Callable[..., Run]:
    """Queue a run of a plan."""

    def queue(plan: dict[str, Any], key: str = "r", with_data: bool = True) -> Run:
        by = version.registered_by
        dataset = make_dataset(by=by, now=now) if with_data else None
        return runs.queue(key=key, version=version, dataset=dataset, plan=plan, asked_for="", by=by, now=now)

    return queue


def test_every_kind_of_machine_has_a_task_of_its_own_with_a_queue_of_its_own() -> None:
    queues = {configured.CELERY_TASK_ROUTES[task]["queue"] for task in TASKS.values()}
    assert queues == {f"bench.{hardware}" for hardware in HardwareClass}
    assert {task.rpartition(".")[2] for task in TASKS.values()} <= set(vars(runs_tasks))


def test_the_tick_wakes_the_right_workers(
    queued: Callable[..., Run], woken: list[tuple[str, int]], now: datetime
) -> None:
    on_gpu, old, variants = queued(ON_GPU, "a"), queued(OLD, "b"), queued(VARIANTS, "c")
    woken.clear()
    jobs.tick(kind=kind_of(Run), now=now)
    assert woken == [
        (TASKS[HardwareClass.CPU], old.pk),
        (TASKS[HardwareClass.CPU], variants.pk),
        (TASKS[HardwareClass.GPU], on_gpu.pk),
    ]


@pytest.mark.parametrize(
    ("plan", "scenario", "provider"),
    [
        (ON_GPU, {"min_samples": 700}, "cuda"),
        (OLD, {"min_samples": 700}, "cpu"),
        (
            {"scenario": "MultiStream", "min_samples": 9, "settings": {"samples_per_query": 4}},
            {"samples_per_query": 4},
            "cpu",
        ),
        (
            {"scenario": "Offline", "min_samples": 9, "settings": {"batch": 8, "concurrency": 2}},
            {"batch": 8, "concurrency": 2},
            "cpu",
        ),
        (
            {"scenario": "Server", "min_samples": 9, "settings": {"rate_per_s": 2.5, "limit_ms": 9.0}},
            {"rate_per_s": 2.5, "limit_ms": 9.0},
            "cpu",
        ),
    ],
)
def test_the_plan_reaches_the_toolkit(
    plan: dict[str, Any],
    scenario: dict[str, Any],
    provider: str,
    queued: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(measurement, "run_isolated", lambda **named: seen.update(named) or result_of())
    run = queued(plan)
    (runs_tasks.execute_run_on_gpu if provider == "cuda" else runs_tasks.execute_run)(run.pk)
    run.refresh_from_db()
    assert run.state == "done"
    settings = seen["settings"]
    assert (settings.scenario.NAME, settings.engine.provider) == (plan["scenario"], provider)
    assert {name: getattr(settings.scenario, name) for name in scenario} == scenario
    assert plan["scenario"] in set(ScenarioName)


def test_variants_are_made_with_what_the_plan_wants(
    queued: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"RUN_WALL_S": 77}
    seen: dict[str, Any] = {}
    monkeypatch.setattr(measurement, "require_bubblewrap", lambda *, needs_wall: seen.update(needs_wall=needs_wall))

    def measured(wanted: object, **named: Any) -> dict[str, Any]:
        seen.update(named, wanted=wanted)
        return result_of()

    monkeypatch.setattr(measurement, "measure_alternatives", measured)
    run = queued(VARIANTS)
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert run.state == "done"
    assert (seen["wanted"].variants, seen["wanted"].max_quality_drop, seen["needs_wall"]) == (
        ("int8-dynamic",),
        0.01,
        True,
    )
    assert seen["limits"].wall_s == 77
    assert seen["data"] is not None
    assert not seen["folder"].exists(), "nothing is left behind"


def test_variants_are_not_made_without_the_wall_their_author_needs(
    queued: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = isolated.layers_here()
    monkeypatch.setattr(isolated, "layers_here", lambda: type(bare)(**{**vars(bare), "bubblewrap": None}))
    monkeypatch.setattr(measurement, "measure_alternatives", lambda *_, **__: pytest.fail("it was run"))
    run = queued(VARIANTS)
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert (run.state, "/sandbox/" in run.error) == ("failed", True)


def test_what_the_toolkit_refuses_ends_the_run_in_its_words(
    queued: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurement, "require_bubblewrap", lambda *, needs_wall: None)
    run = queued(VARIANTS)  # 32 rows: too few to test on
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("failed", 1)
    assert "fewer than 100 show nothing" in run.error


def test_the_place_in_the_queue_is_that_among_runs_of_the_same_kind(queued: Callable[..., Run]) -> None:
    on_gpu, old = queued(ON_GPU, "a"), queued(OLD, "b")
    assert (describe(on_gpu).queue_place, describe(old).queue_place) == (1, 1)
    assert describe(queued(ON_GPU, "c")).queue_place == 2


def test_rivals_are_fetched_for_the_toolkit_and_their_uploader_decides_on_the_wall(
    queued: Callable[..., Run], cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = make_version(by=cast.author, now=now, version="2.0.0", seed=5)
    seen: dict[str, Any] = {}

    def measure(wanted: AlternativesWanted, *, rivals: dict[str, Path], **_: Any) -> dict[str, Any]:
        seen.update({family: path.read_bytes() for family, path in rivals.items()}, wanted=wanted)
        return result_of()

    monkeypatch.setattr(measurement, "require_bubblewrap", lambda *, needs_wall: seen.update(needs_wall=needs_wall))
    monkeypatch.setattr(measurement, "measure_alternatives", measure)
    plan = VARIANTS | {
        "family": "mine",
        "rivals": [{"family": "theirs", "version_id": rival.pk, "digest": rival.digest}],
    }
    run = queued(plan)
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert (run.state, seen["needs_wall"]) == ("done", True)
    assert (seen["theirs"], seen["wanted"].family) == (onnx_bytes(5), "mine")


def test_trusted_people_s_models_do_without_the_wall_unless_a_rival_is_a_stranger_s(cast: Cast, now: datetime) -> None:
    trusted = make_version(by=cast.author, now=now)
    ModelVersion.objects.filter(pk=trusted.pk).update(registered_by=cast.admin)
    stranger = make_version(by=cast.author, now=now, version="2.0.0", seed=5)
    named = {"family": "theirs", "version_id": stranger.pk, "digest": stranger.digest}
    for rivals, needed in (([], False), ([named], True)):
        plan = VARIANTS | {"rivals": rivals}
        run = runs.queue(
            key=f"r{needed}",
            version=ModelVersion.objects.get(pk=trusted.pk),
            dataset=None,
            plan=plan,
            asked_for="",
            by=cast.admin,
            now=now,
        )
        assert is_wall_needed(run) is needed
