"""Steps that add evidence: metric values, cost projections, checklist answers, benchmark runs."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from benchmarking.projections import actions as projection_actions
from benchmarking.projections.queries import find as find_projection
from benchmarking.runs.models import Run
from benchmarking.runs.queries import runs
from governance.jobs import actions as jobs
from governance.people.web.current_user import user_of
from reviews.evidence.domain.projected import only_option
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import evidence, projections
from reviews.workflow.actions.evidence import StatedValue
from reviews.workflow.queries.view_evidence import ChecklistItemView, item_views
from reviews.workflow.web.page import load, perform_step
from reviews.workflow.web.step_forms import ContradictionForm, MetricValueForm, PlainForm, ProjectionForm, answer_form
from weighbridge.core.catalog import CATALOG
from weighbridge.core.errors import NotFound
from weighbridge.core.metrics import Basis
from weighbridge.costs.spec.spec_text import read_spec_text, text_of


@require_POST
def state_metric_value(request: HttpRequest, ref: str) -> HttpResponse:
    """Add a declared or estimated metric value."""
    row, form = load(request, ref), MetricValueForm(request.POST, auto_id="metric_value-%s")

    def act() -> str:
        data: dict[str, Any] = form.cleaned_data
        statement = StatedValue(**{**data, "basis": Basis(data["basis"]), "unit": CATALOG[data["name"]].unit})
        evidence.state_metric_value(request=row, statement=statement, by=user_of(request), now=timezone.now())
        return f"{statement.name} is recorded, and the policy was evaluated with it."

    return perform_step(request, row, name="metric_value", form=form, act=act, part="metric-values")


@require_POST
def state_projection(request: HttpRequest, ref: str) -> HttpResponse:
    """State a cost projection: a stored one, or a spec that is projected and stored now."""
    row, form = load(request, ref), ProjectionForm(request.POST, request.FILES, auto_id="projection-%s")

    def act() -> str:
        data, user, now = form.cleaned_data, user_of(request), timezone.now()
        projection = (
            projection_actions.project_and_store(spec=read_spec_text(text_of(data["file"])), by=user, now=now)
            if data["file"]
            else find_projection(form.token)
        )
        option = data["option"] or only_option(projection.document)
        stated = projections.state(
            request=row, projection=projection, option=option, widen=data["widen"], by=user, now=now
        )
        note = " Past months require no wider range." if data["widen"] and stated.widened_by is None else ""
        return f"The projection now provides the costs, and the policy was evaluated with it.{note}"

    return perform_step(request, row, name="projection", form=form, act=act, part="costs")


@require_POST
def answer_contradiction(request: HttpRequest, ref: str, metric: str) -> HttpResponse:
    """Explain why a measurement differs from the claim."""
    row, form = load(request, ref), ContradictionForm(request.POST, auto_id=f"contradiction-{metric}-%s")

    def act() -> str:
        text = form.cleaned_data["text"]
        evidence.answer_contradiction(request=row, name=metric, text=text, by=user_of(request), now=timezone.now())
        return "Your explanation is shown beside the measurement."

    return perform_step(request, row, name=f"contradiction:{metric}", form=form, act=act, part="metric-values")


@require_POST
def answer_item(request: HttpRequest, ref: str, item: str) -> HttpResponse:
    """Answer a checklist item."""
    row = load(request, ref)
    item_view = _item(row, item)
    form = answer_form(item_view, request.POST, request.FILES) or forms.Form(request.POST)

    def act() -> str:
        data: dict[str, Any] = form.cleaned_data
        evidence.answer_item(
            request=row,
            item_id=item,
            text=data.get("text", ""),
            upload=data.get("file"),
            is_attested=data.get("is_attested", False),
            by=user_of(request),
            now=timezone.now(),
        )
        return f"“{item_view.title}” is answered."

    return perform_step(request, row, name=f"answer:{item}", form=form, act=act, part=f"item-{item}")


@require_POST
def cancel_run(request: HttpRequest, ref: str, run_id: int) -> HttpResponse:
    """Cancel a benchmark run."""
    row, run = _run(request, ref, run_id)

    def act() -> str:
        jobs.cancel(row=run, by=user_of(request), now=timezone.now())
        return f"Run {run.pk} is canceled."

    return perform_step(request, row, name="run", form=PlainForm(request.POST), act=act, part="runs")


@require_POST
def repeat_run(request: HttpRequest, ref: str, run_id: int) -> HttpResponse:
    """Measure again, as a new run."""
    row, run = _run(request, ref, run_id)

    def act() -> str:
        again = evidence.measure_again(request=row, run=run, by=user_of(request), now=timezone.now())
        return f"Run {again.pk} is queued."

    return perform_step(request, row, name="run", form=PlainForm(request.POST), act=act, part="runs")


def _item(row: ReviewRequest, item_id: str) -> ChecklistItemView:
    for item in item_views(EvidenceSnapshot(row, timezone.now())):
        if item.id == item_id:
            return item
    raise NotFound(f"The checklist has no item {item_id!r}.", field="item")


def _run(request: HttpRequest, ref: str, run_id: int) -> tuple[ReviewRequest, Run]:
    row = load(request, ref)
    for run in runs.of_request(ref):
        if run.pk == run_id:
            return row, run
    raise NotFound(f"{ref} has no run {run_id}.")
