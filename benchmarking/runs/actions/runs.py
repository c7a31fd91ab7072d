"""Writes of benchmark runs. The reviews app decides what a finished run means for a request."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.domain.routing import TASKS, task_of
from benchmarking.runs.enums import RunVerdict
from benchmarking.runs.models import Dataset, Run
from benchmarking.runs.queries.runs import of_kind
from benchmarking.runs.rules import check_repeat, check_run
from governance.audit.actions import record as audit
from governance.inventory.models import ModelVersion
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.enums import ENDED_BADLY
from governance.jobs.kinds import JobKind, register
from governance.people.queries.people import person_of
from weighbridge.core.canonical import digest_of
from weighbridge.measure.studies.rerun import compare_results
from weighbridge.statistics.equivalence import EquivalenceAnswer

# Two times within this share are equivalent; the default of `weighbridge rerun`.
MARGIN = 0.1
EDITED = "The stored result of the first run does not match its digest: somebody changed it."


def queue(
    *,
    key: str,
    version: ModelVersion,
    dataset: Dataset | None,
    plan: dict[str, Any],
    asked_for: str,
    by: User,
    now: datetime,
    repeats: Run | None = None,
) -> Run:
    """Queue a run in the caller's transaction. Idempotent: the same `key` is one run. `plan` names the scenario.

    A run that repeats a finished run uses the settings from that run's manifest.
    """
    with transaction.atomic():
        run, is_new = Run.objects.get_or_create(
            key=key,
            defaults={
                "model_version": version,
                "dataset": dataset,
                "plan": plan,
                "scenario": plan["scenario"],
                "asked_for": asked_for,
                "started_by": by,
                "repeats": repeats,
                **jobs.queued(model=Run, now=now),
            },
        )
        if is_new:
            repeated = {"repeats": repeats.key} if repeats else {}
            _record("queued", run, by, now, {"model": version.digest, "plan": plan, **repeated})
        jobs.wake_for(row=run)
    return run


def repeat(*, run: Run, by: User, now: datetime) -> Run:
    """Queue the same benchmark again, as a new run that is compared with the old one; the old run does not change."""
    check_repeat(run, person_of(by))
    base = run.key.partition("#")[0]
    number = Run.objects.filter(key__startswith=f"{base}#").count() + 2
    return queue(
        key=f"{base}#{number}",
        version=run.model_version,
        dataset=run.dataset,
        plan=run.plan,
        asked_for=run.asked_for,
        by=by,
        now=now,
        repeats=run,
    )


def finish(
    *,
    run: Run,
    result: dict[str, Any],
    signed_result: dict[str, Any] | None = None,
    by: User | None = None,
    now: datetime,
) -> bool:
    """Store the result of a run; if this worker has lost its lease, write nothing and return False.

    A worker elsewhere signed the result: `signed_result` is the checked envelope.
    """
    verdict = RunVerdict(result["verdict"]["status"])
    equivalence = _compare_with_first(run, result)
    with transaction.atomic():
        is_stored = jobs.finish(
            row=run,
            now=now,
            progress=1.0,
            phase="",
            result=result,
            result_digest=digest_of(result),
            verdict=verdict,
            equivalence=equivalence,
            **({"signed_result": signed_result} if signed_result else {}),
        )
        if is_stored:
            run.refresh_from_db()
            answer = {"answer": equivalence["answer"]} if equivalence else {}
            worker = {"worker": run.worker.name, "key_id": run.worker.key_id} if signed_result and run.worker else {}
            _record("done", run, by, now, {"verdict": verdict.value, "result": run.result_digest, **answer, **worker})

            _notify(run, now)
    return is_stored


def _compare_with_first(run: Run, result: dict[str, Any]) -> dict[str, Any] | None:
    """Compare a repetition with the run it repeats; None if there is no first result."""
    first = run.repeats
    if first is None or first.result is None:
        return None

    equivalence = compare_results(first.result, result, margin=MARGIN)
    if digest_of(first.result) == first.result_digest:
        return equivalence
    reasons = [*equivalence["reasons"], EDITED]
    return equivalence | {"answer": EquivalenceAnswer.CANNOT_TELL.value, "reasons": reasons}


def _notify(run: Run, now: datetime) -> None:
    """Announce the end to the request, and a bad end to people. Workers of benchmarks may write nothing else."""
    if run.asked_for or run.state in ENDED_BADLY:
        outbox.enqueue(
            kind="run.finished",
            key=f"run.finished:{run.pk}:{run.fence}",
            lane=f"run:{run.pk}",
            payload={"run_id": run.pk},
            now=now,
        )


def _record(event: str, run: Run, by: User | None, now: datetime, details: dict[str, Any]) -> None:
    audit.record(kind=f"run.{event}", by=by, subject=("run", run.key), details=details, now=now)


register(
    JobKind(
        model=Run,
        queues={task: of_kind(hardware) for hardware, task in TASKS.items()},
        task_of=lambda run: task_of(run.plan),
        name=lambda run: f"Run {run.pk}",
        silence="The worker stopped responding {attempts} times; the model may exhaust the machine.",
        check=lambda person, run: check_run(person, team=run.model_version.asset.team.slug),
        record=_record,
        on_end=_notify,
    )
)
