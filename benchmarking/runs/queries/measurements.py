"""Reads of what a run measures, as its worker needs it."""

from django.conf import settings

from benchmarking.runs.domain.alternatives import wanted_from
from benchmarking.runs.domain.evaluation_sets import DatasetStatus
from benchmarking.runs.domain.routing import hardware_of
from benchmarking.runs.domain.runnable import SYSTEMS
from benchmarking.runs.models import Run
from benchmarking.runs.queries.sandbox import is_wall_needed
from governance.rulebook.domain.benchmark_plans import HardwareClass
from weighbridge.client.worker.measurement import Measurement
from weighbridge.core.model_files.formats import suffix_of
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.scenarios import SCENARIOS, ProfileSettings, RuntimeSettings
from weighbridge.measure.studies.rerun import settings_in
from weighbridge.optimization.alternatives import ALTERNATIVES
from weighbridge.systems.sandbox.process import RunFailed

PROVIDERS = {HardwareClass.CPU: "cpu", HardwareClass.GPU: "cuda"}


def measurement_of(run: Run) -> Measurement:
    """Return what the run measures; raise RunFailed or Invalid if it cannot be measured anywhere."""
    version, dataset = run.model_version, run.dataset
    if not version.stored_as:
        raise RunFailed("The model file was never uploaded, so it cannot be run here; upload the file.")
    first = run.repeats.result if run.repeats is not None else None
    is_alternatives = run.scenario == ALTERNATIVES and dataset is not None
    return Measurement(
        model=version.digest,
        suffix=suffix_of(version.format),
        system=SYSTEMS[version.format],
        data=dataset.digest if dataset is not None else "",
        is_governed=dataset is not None and dataset.status == DatasetStatus.GOVERNED,
        needs_wall=is_wall_needed(run),
        isolation=str(first["manifest"].get("isolation") or "") if first is not None else "",
        wall_s=settings.WEIGHBRIDGE["RUN_WALL_S"],
        memory_mb=settings.WEIGHBRIDGE["RUN_MEMORY_MB"],
        settings=None if is_alternatives else _settings_of(run),
        wanted=wanted_from(run.plan) if is_alternatives else None,
    )


def _settings_of(run: Run) -> ProfileSettings:
    """Return the settings: from the plan, or from the manifest of the run that this run repeats."""
    plan = run.plan
    if run.repeats is not None and run.repeats.result is not None:
        repeated = settings_in(run.repeats.result["manifest"])
        if repeated.engine.provider != PROVIDERS[hardware_of(plan)]:
            raise RunFailed("The repeated run used a different machine type than its plan specifies.")
        return repeated
    scenario = SCENARIOS[plan["scenario"]](min_samples=int(plan["min_samples"]), **plan.get("settings", {}))
    return ProfileSettings(
        scenario=scenario,
        engine=RuntimeSettings(provider=PROVIDERS[hardware_of(plan)]),
        inputs=InputSettings(dims=plan.get("sizes", {})),
        metrics=tuple(plan.get("metrics", ())),
    )
