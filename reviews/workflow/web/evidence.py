"""Steps that add evidence: metric values, cost projections, checklist answers, benchmark runs."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from benchmarking.projections import actions as projection_actions
from benchmarking.projections.models import CostProjection
from benchmarking.projections.queries import find as find_projection
from benchmarking.runs.models import Run
from benchmarking.runs.queries import runs
from governance.jobs import actions as jobs
from governance.rulebook.queries.catalogs import catalog_in_force
from reviews.evidence.domain.projected import only_option
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import missing_item
from reviews.workflow.actions import attestations, evidence, imports, projections
from reviews.workflow.actions.evidence import StatedValue
from reviews.workflow.queries.view_evidence import ChecklistItemView, item_views
from reviews.workflow.web.page.stepping import perform_step, step
from reviews.workflow.web.page.views import load
from reviews.workflow.web.step_forms import (
    AttestedForm,
    ContradictionForm,
    ImportForm,
    MetricValueForm,
    ProjectionForm,
    answer_form,
    token_in,
)
from weighbridge.core.errors import Invalid, NotFound
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.costs.spec.spec_text import read_spec_text, text_of


@step("metric_value", part="metric-values", form=MetricValueForm)
def state_metric_value(*, request: ReviewRequest, by: User, now: datetime, **data: Any) -> str:
    """Add a declared or estimated metric value."""
    statement = StatedValue(
        **{**data, "basis": Basis(data["basis"]), "unit": catalog_in_force().find(data["name"]).unit}
    )
    evidence.state_metric_value(request=request, statement=statement, by=by, now=now)
    return f"{catalog_in_force().find(statement.name).title} is recorded, and the policy was evaluated with it."


@step("attested", part="metric-values", form=AttestedForm)
def attest(*, request: ReviewRequest, file: Any, by: User, now: datetime) -> str:
    """File a result that was measured elsewhere and signed by a key that the policy trusts."""
    envelope = parse_json(file.read(), name="The signed result", field="file")
    if not isinstance(envelope, dict):
        raise Invalid("This is no signed result; weighbridge result attest writes one.", field="file")
    statement = attestations.record_attested(request=request, envelope=envelope, by=by, now=now)
    return f"The result of {statement.tool} is attested by {statement.key_name}, and the policy was evaluated with it."


@step("imported", part="metric-values", form=ImportForm)
def import_result(*, request: ReviewRequest, file: Any, part: str, by: User, now: datetime) -> str:
    """Take the values of a file that another tool wrote."""
    imported = imports.import_result(request=request, upload=file, part=part, by=by, now=now)
    names, source = ", ".join(imported.taken), f"{imported.file_name} of {imported.tool}"
    attached = f"The study {imported.file_name} is attached." if imported.kind else ""
    declared = f"{names}: declared with {source} as the source; the policy was evaluated." if names else ""
    return f"{attached} {declared}".strip()


@step("projection", part="costs", form=ProjectionForm)
def state_projection(*, request: ReviewRequest, by: User, now: datetime, **data: Any) -> str:
    """State a cost projection: a stored one, or a spec that is projected and stored now."""
    projection = (
        projection_actions.project_and_store(spec=read_spec_text(text_of(data["file"])), by=by, now=now)
        if data["file"]
        else _linked(data["link"])
    )
    option, widen = data["option"] or only_option(projection.document), data["widen"]
    stated = projections.state(request=request, projection=projection, option=option, widen=widen, by=by, now=now)
    note = " Past months require no wider range." if widen and stated.widened_by is None else ""
    return f"The projection now provides the costs, and the policy was evaluated with it.{note}"


def _linked(link: str) -> CostProjection:
    try:
        return find_projection(token_in(link))
    except NotFound as missing:
        raise Invalid(missing.reason, field="link") from missing


@step("contradiction:{metric}", part="metric-values", form=ContradictionForm)
def answer_contradiction(*, metric: str, **given: Any) -> str:
    """Explain why a measurement differs from the claim."""
    evidence.answer_contradiction(name=metric, **given)
    return "Your explanation is shown beside the measurement."


@require_POST
def answer_item(request: HttpRequest, ref: str, item: str) -> HttpResponse:
    """Answer a checklist item."""
    row = load(request, ref)
    item_view = _item(row, item)
    form = answer_form(item_view, request.POST, request.FILES) or forms.Form(request.POST)

    def act(*, file: Any = None, **given: Any) -> str:
        evidence.answer_item(item_id=item, upload=file, **given)
        return f"“{item_view.title}” is answered."

    return perform_step(request, row, name=f"answer:{item}", form=form, act=act, part=f"item-{item}")


@step("run", part="runs")
def cancel_run(*, request: ReviewRequest, run_id: int, by: User, now: datetime) -> str:
    """Cancel a benchmark run."""
    jobs.cancel(row=_run(request, run_id), by=by, now=now)
    return f"Run {run_id} is canceled."


@step("run", part="runs")
def repeat_run(*, request: ReviewRequest, run_id: int, by: User, now: datetime) -> str:
    """Measure again, as a new run."""
    again = evidence.measure_again(request=request, run=_run(request, run_id), by=by, now=now)
    return f"Run {again.pk} is queued."


def _item(row: ReviewRequest, item_id: str) -> ChecklistItemView:
    for item in item_views(EvidenceSnapshot(row, timezone.now())):
        if item.id == item_id:
            return item
    raise missing_item(request=row, item_id=item_id)


def _run(request: ReviewRequest, run_id: int) -> Run:
    for run in runs.of_request(request.ref):
        if run.pk == run_id:
            return run
    raise NotFound(f"{request.ref} has no run {run_id}.")
