"""An imported result as one to be signed: with the plan of the review request that it followed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from weighbridge.core.attested_results import AttestedMetric, AttestedResult, plan_digest
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.readers.imported_result import ImportedMetric, ImportedResult


def attested_result(
    result: ImportedResult,
    *,
    plan: Mapping[str, Any],
    metrics: Sequence[str] = (),
    started_at: datetime | None = None,
    finished_at: datetime | None = None,
    alternatives: Mapping[str, Any] | None = None,
) -> AttestedResult:
    """Return the result to sign, with the named metrics or else with those of the standard catalog.

    The times are needed if the result does not state them. `alternatives` are those that were measured, which stand in
    the manifest. Raises Invalid for a result about another subject or other
    data than the plan names.
    """
    return AttestedResult(
        subject=_subject(result, plan),
        plan=plan_digest(plan),
        data=_data(result, plan),
        tool=f"{result.tool} {result.tool_version or ''}".strip(),
        started_at=_moment(result.started_at, started_at, "started_at"),
        finished_at=_moment(result.ended_at, finished_at, "finished_at"),
        verdict=result.verdict.status.value,
        manifest={
            "conditions": dict(result.conditions),
            "files": {each.name: each.digest for each in result.files},
            **({} if alternatives is None else {"alternatives": alternatives}),
        },
        metrics=_signed_metrics(result, metrics),
    )


def chosen_part(results: Sequence[ImportedResult], part: str | None) -> ImportedResult:
    """Return the only result, or the one that `part` names; raise Invalid with the names otherwise."""
    found = [result for result in results if part is None or result.part == part]
    if len(found) != 1:
        parts = ", ".join(result.part or "(without a name)" for result in results)
        raise Invalid(f"The file has several results; name one with --part: {parts}.", field="part")
    return found[0]


def _signed_metrics(result: ImportedResult, names: Sequence[str]) -> tuple[AttestedMetric, ...]:
    by_name = {metric.name: metric for metric in result.metrics}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise Invalid(f"The result has no {unknown[0]}; it has {', '.join(by_name)}.", field="metric")
    wanted = names or [name for name in by_name if name in STANDARD]
    if not wanted:
        text = f"The result has no metric of the standard catalog; name some with --metric: {', '.join(by_name)}."
        raise Invalid(text, field="metric")
    return tuple(_attested(by_name[name]) for name in wanted)


def _attested(metric: ImportedMetric) -> AttestedMetric:
    return AttestedMetric(
        name=metric.name,
        value=metric.value,
        unit=metric.unit,
        n=metric.n,
        lower=metric.lower,
        upper=metric.upper,
        confidence=metric.confidence,
    )


def _subject(result: ImportedResult, plan: Mapping[str, Any]) -> str:
    subject = str(plan.get("subject", ""))
    if result.model.digest not in {None, subject}:
        text = f"The result is about {result.model.digest}, and the plan about {subject}."
        raise Invalid(text, code="other_subject", field="plan")
    return subject


def _data(result: ImportedResult, plan: Mapping[str, Any]) -> str:
    """The digest that the result states; without one, nothing says which data it was measured on."""
    planned = str(plan.get("data") or "")
    if result.data.digest is not None and planned and result.data.digest != planned:
        text = f"The result was measured on {result.data.digest}, and the plan asks for {planned}."
        raise Invalid(text, code="other_data", field="plan")
    return result.data.digest or ""


def _moment(stated: datetime | None, given: datetime | None, option: str) -> datetime:
    moment = stated or given
    if moment is None:
        raise Invalid(f"The file does not state {option}; give it, with a time zone.", field=option)
    if moment.utcoffset() is None:
        raise Invalid(f"{option} must have a time zone, like 2026-07-20T10:00:00Z.", field=option)
    return moment
