"""Reads of runs, as frozen dataclasses."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from benchmarking.runs.domain.alternatives import Picture, VariantLine, pictures_of, variant_lines_of
from benchmarking.runs.domain.frontiers import frontier_charts
from benchmarking.runs.domain.metrics import Metric, metrics_of
from benchmarking.runs.domain.routing import hardware_of
from benchmarking.runs.models import Dataset, Run
from governance.exports.domain.tables import ExportTable
from governance.exports.queries import Columns, table_of
from governance.inventory.models import ModelAsset, ModelVersion
from governance.jobs.enums import UNFINISHED, JobState
from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.people.rules import sees_everything
from governance.rulebook.domain.benchmark_plans import HardwareClass
from governance.site.domain.charts.chart import PageChart
from weighbridge.core.errors import NotFound
from weighbridge.optimization.alternatives import AlternativesWanted

COLUMNS: Columns = {
    "Run": "pk",
    "Model": lambda run: str(run.model_version),
    "Team": "model_version.asset.team.name",
    "Artifact": "model_version.digest",
    "Scenario": "scenario",
    "State": "state",
    "Verdict": "verdict",
    "Data": lambda run: str(run.dataset) if run.dataset else "",
    "Requested by": "asked_for",
    "Attempts": "attempts",
    "Error": "error",
    "Queued": "created_at",
    "Finished": "finished_at",
}

MODEL = ("pk", "name", "team__name")
MODELS_MAX = 200
"""How many models the filter of the list offers."""


@dataclass(frozen=True)
class RunView:
    """A run as shown by pages, the packet and the API. `progress` is 0 to 1.

    `worker` and what follows describe the worker elsewhere that holds the run or measured it; "" for one of the server.
    """

    id: int
    key: str
    asked_for: str
    model: str
    model_digest: str
    dataset: str
    dataset_digest: str
    scenario: str
    state: str
    is_finished: bool
    progress: float
    phase: str
    queue_place: int | None
    attempts: int
    max_attempts: int
    error: str
    verdict: str
    reasons: tuple[str, ...]
    metrics: tuple[Metric, ...]
    variants: tuple[VariantLine, ...]
    pictures: tuple[Picture, ...]
    frontiers: tuple[PageChart, ...]
    manifest: dict[str, Any]
    isolation: str
    result_digest: str
    repeats: int | None
    equivalence: dict[str, Any] | None
    created_at: datetime
    finished_at: datetime | None
    hardware: str
    worker: str
    worker_machine: str
    worker_key: str


@dataclass(frozen=True)
class RunSelection:
    """Filters of the list of runs: row of the model, team and row of the data set; empty ones filter nothing."""

    model: int | None = None
    team: str = ""
    dataset: int | None = None


@dataclass(frozen=True)
class RunChoices:
    """What the list of runs can be filtered by: pairs of value and label. `has_more_models` than are offered."""

    model: tuple[tuple[int, str], ...]
    team: tuple[tuple[str, str], ...]
    dataset: tuple[tuple[int, str], ...]
    has_more_models: bool


def visible_to(person: Person) -> QuerySet[Run]:
    """Return the runs of models that the person may see."""
    rows = Run.objects.select_related("model_version__asset__team", "dataset", "worker")
    return rows if sees_everything(person) else rows.filter(model_version__asset__team__slug__in=person.teams)


def find(*, run_id: int, person: Person) -> Run:
    """Return the run; raises NotFound if there is none that this person may see."""
    run = visible_to(person).filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"There is no run {run_id} you can see.")
    return run


def of_kind(hardware: HardwareClass) -> Q:
    """Select runs for this machine type; a plan without a type means CPU."""
    unnamed = Q(plan__hardware__isnull=True) if hardware is HardwareClass.CPU else Q()
    return Q(plan__hardware=hardware) | unnamed


def of_model(*, asset: ModelAsset, person: Person, limit: int = 50) -> list[RunView]:
    """Return the latest runs of all versions of a model, newest first; empty if the person may not see them."""
    rows = visible_to(person).filter(model_version__asset=asset).order_by("-pk")
    return list(describe_all(rows[:limit]))


def listed(*, person: Person, filters: RunSelection) -> QuerySet[Run]:
    """Return the runs that the person may see and that match the filters, newest first."""
    rows = visible_to(person).order_by("-pk")
    if filters.model is not None:
        rows = rows.filter(model_version__asset=filters.model)
    if filters.team:
        rows = rows.filter(model_version__asset__team__slug=filters.team)
    return rows if filters.dataset is None else rows.filter(dataset=filters.dataset)


def table(*, person: Person, filters: RunSelection) -> ExportTable:
    """The runs as a table."""
    rows = listed(person=person, filters=filters).defer("result", "signed_result", "plan", "equivalence")
    return table_of("runs", columns=COLUMNS, rows=rows)


def choices_for(person: Person, *, team: str = "", model: int | None = None) -> RunChoices:
    """Return the models, teams and data sets of the runs that the person may see.

    At most `MODELS_MAX` models are offered, by name: those of the team, if there is one, and always the chosen one.
    None is sought among all runs: the database looks for one run of each, and ends with the last that is offered.
    """
    seen = visible_to(person).select_related(None).order_by()
    measured = ModelAsset.objects.filter(Exists(seen.filter(model_version__asset=OuterRef("pk"))))
    of_team = measured.filter(team__slug=team) if team else measured
    models = list(of_team.order_by("name", "pk").values_list(*MODEL)[: MODELS_MAX + 1])
    offered = models[:MODELS_MAX]
    if model is not None and all(model != pk for pk, _, _ in offered):
        offered += measured.filter(pk=model).values_list(*MODEL)
    teams = Team.objects.filter(Exists(seen.filter(model_version__asset__team=OuterRef("pk"))))
    datasets = Dataset.objects.filter(Exists(seen.filter(dataset=OuterRef("pk")))).select_related("team")
    return RunChoices(
        model=tuple((pk, f"{name}, {of}") for pk, name, of in offered),
        team=tuple(sorted(teams.values_list("slug", "name"))),
        dataset=tuple((dataset.pk, f"{dataset}, {dataset.team.name}") for dataset in datasets.order_by("pk")),
        has_more_models=len(models) > MODELS_MAX,
    )


def of_request(ref: str) -> list[Run]:
    """Return all runs of a request, oldest first."""
    rows = Run.objects.filter(asked_for=ref).select_related("model_version__asset__team", "dataset", "worker")
    return list(rows.order_by("pk"))


def by_request(refs: Collection[str]) -> dict[str, list[Run]]:
    """Return the runs of several requests, by ref."""
    runs: dict[str, list[Run]] = {ref: [] for ref in refs}
    for row in Run.objects.filter(asked_for__in=refs).order_by("pk"):
        runs[row.asked_for].append(row)
    return runs


def rivals_of(wanted: AlternativesWanted) -> list[tuple[str, ModelVersion]]:
    """Return the other models to measure in the same run, as pairs (family, version)."""
    versions = ModelVersion.objects.in_bulk([rival.version_id for rival in wanted.rivals])
    return [(rival.family, versions[rival.version_id]) for rival in wanted.rivals]


def describe_all(runs: Iterable[Run]) -> tuple[RunView, ...]:
    """Describe several runs; reads their places in the queue with one query."""
    rows = list(runs)
    places = _places(rows)
    return tuple(_view(run, places.get(run.pk)) for run in rows)


def describe(run: Run) -> RunView:
    """Describe one run."""
    return describe_all([run])[0]


def _view(run: Run, queue_place: int | None) -> RunView:
    result = run.result or {}
    verdict, worker = result.get("verdict", {}), run.measured_by
    variants = variant_lines_of(result)
    return RunView(
        id=run.pk,
        key=run.key,
        asked_for=run.asked_for,
        model=str(run.model_version),
        model_digest=run.model_version.digest,
        scenario=run.scenario,
        state=run.state,
        is_finished=run.state not in UNFINISHED,
        progress=run.progress,
        phase=run.phase,
        attempts=run.attempts,
        max_attempts=run.max_attempts,
        error=run.error,
        verdict=run.verdict,
        reasons=tuple(reason["message"] for reason in verdict.get("reasons", [])),
        metrics=tuple(metrics_of(result)),
        manifest=result.get("manifest", {}),
        result_digest=run.result_digest,
        isolation=str(result.get("manifest", {}).get("isolation", "")),
        dataset=str(run.dataset) if run.dataset else "",
        dataset_digest=run.dataset.digest if run.dataset else "",
        created_at=run.created_at,
        finished_at=run.finished_at,
        queue_place=queue_place,
        hardware=hardware_of(run.plan),
        variants=variants,
        pictures=pictures_of(result),
        frontiers=frontier_charts(result, variants, anchor=f"run-{run.pk}"),
        repeats=run.repeats_id,
        equivalence=run.equivalence,
        worker=worker.name if worker else "",
        worker_machine=worker.machine if worker else "",
        worker_key=worker.key_id if worker else "",
    )


def _places(runs: Sequence[Run]) -> dict[int, int]:
    """Return the place of each queued run in the queue of its machine type, by run ID."""
    last = max((run.pk for run in runs if run.state == JobState.QUEUED), default=None)
    if last is None:
        return {}
    waiting, places = Counter[HardwareClass](), {}
    queued = Run.objects.filter(state=JobState.QUEUED, pk__lte=last).order_by("pk")
    for pk, name in queued.values_list("pk", "plan__hardware"):
        kind = HardwareClass(name or HardwareClass.CPU)
        waiting[kind] += 1
        places[pk] = waiting[kind]
    return places
