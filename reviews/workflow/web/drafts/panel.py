"""The panel beside the form: which policy will judge the request, what it wants, and what is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from django import forms
from django.urls import reverse

from governance.inventory.models import ModelVersion
from governance.rulebook.domain.scopes import EvaluationSubject, SubjectKind
from reviews.evidence.queries.evidence import subject_of
from reviews.previews.domain.preview import RequestPreview
from reviews.previews.queries.previews import FilingSketch, preview_of_sketch
from reviews.requests.models import ReviewRequest
from reviews.workflow.web.filing_forms import FilingForm
from reviews.workflow.web.metric_forms import MetricValuesForm
from weighbridge.core.errors import Refused
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.values import MetricValue
from weighbridge.core.model_files.formats import SUFFIXES

UNCHOSEN = "Choose what is filed and where it will run; then this shows the policy that will judge it."


@dataclass(frozen=True)
class Panel:
    """The preview of what the form holds, or the reason why there is none."""

    preview: RequestPreview | None
    reason: str = ""


def autosave_url(draft: ReviewRequest | None) -> str:
    """The address that saves the form by itself."""
    return reverse("reviews:autosave", args=[draft.ref]) if draft else reverse("reviews:autosave_new")


def panel_of(form: FilingForm, metric_values: MetricValuesForm, *, now: datetime) -> Panel:
    """The panel for what a form holds, filled in or not; fields with errors count as empty."""
    data = _values(form)
    subject = _subject(data)
    if subject is None:
        return Panel(None, UNCHOSEN)
    version = data.get("model_version") if data.get("artifact") == "registered" else None
    sketch = FilingSketch(
        metric_values=tuple(_metric_values(metric_values, now=now)),
        is_stored=bool(version.stored_as) if version else data.get("artifact") == "upload",
        data=data.get("dataset") if data.get("evaluation") == "registered" else None,
        is_new_data=data.get("evaluation") == "upload",
    )
    try:
        return Panel(preview_of_sketch(subject, sketch=sketch, now=now))
    except Refused as refusal:
        return Panel(None, refusal.reason)


def _values(form: forms.Form) -> dict[str, Any]:
    """The cleaned values of a bound form; of an unbound one, its initial values, cleaned in the same way."""
    if form.is_bound:
        form.is_valid()
        return form.cleaned_data
    values = {}
    for name, field in form.fields.items():
        try:
            values[name] = field.clean(form.get_initial_for_field(field, name))
        except forms.ValidationError:
            continue
    return values


def _subject(data: Mapping[str, Any]) -> EvaluationSubject | None:
    """The subject, as far as the form says it; None without an environment, and a version or a team."""
    environment, artifact, asset = data.get("environment"), data.get("artifact"), data.get("asset")
    if artifact == "registered" or not environment:
        return _registered(data.get("model_version"), environment)
    team = asset.team.slug if asset else data.get("team")
    if not team:
        return None
    described = {name: str(getattr(asset, name) if asset else data.get(name) or "") for name in ("tier", "task")}
    kind, format_name = _kind(artifact, str(data.get("uri") or ""))
    return EvaluationSubject(team=team, environment=environment, kind=kind, format=format_name, **described)


def _registered(version: ModelVersion | None, environment: str | None) -> EvaluationSubject | None:
    if version is None or not environment:
        return None
    return subject_of(ReviewRequest(team=version.asset.team, model_version=version, environment=environment))


def _kind(artifact: str | None, uri: str) -> tuple[str, str]:
    """The kind and the format of what is new; the format of a file that is not uploaded yet is unknown."""
    if artifact in {"upload", "reference", None}:
        return SubjectKind.FILE.value, str(SUFFIXES.get(PurePosixPath(uri).suffix.lower(), ""))
    return artifact, artifact


def _metric_values(form: MetricValuesForm, *, now: datetime) -> Iterator[MetricValue]:
    values = _values(form)
    for name, definition in form.definitions.items():
        if values.get(name) is not None:
            yield MetricValue(
                name=name,
                value=values[name],
                unit=definition.unit,
                basis=Basis(values.get(f"{name}_basis") or Basis.DECLARED),
                source=str(values.get(f"{name}_source") or ""),
                observed_at=now,
            )
