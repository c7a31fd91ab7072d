"""Filing a request and changing a draft."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from benchmarking.runs.models import Dataset
from governance.inventory.actions.inventory import NewAsset, NewVersion
from governance.inventory.models import ModelAsset, ModelVersion
from governance.people.rules import check_act_for_any_team
from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import attempt, show_in
from reviews.evidence.queries.metric_views import metric_views
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find
from reviews.snapshots.queries.allowed_steps import check_can_edit
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import filing, requests
from reviews.workflow.actions.filing import NewDataset, Paper
from reviews.workflow.web.filing_forms import FilingForm, MetricValuesForm
from weighbridge.core.errors import Refused, WrongState

Asked = Mapping[str, Any]
SUBMITTED = {
    RequestState.CLEARED: "Submitted and cleared: no rule of the policy requires a review.",
    RequestState.EVIDENCE: "Submitted. A review is mandatory: "
    "the ticket is asked for, the benchmarks are queued, the checklist is open.",
}


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """`/requests/new/`: an empty form, or the draft it makes."""
    person = person_of(request)
    check_act_for_any_team(person)
    return _page(request, None, FilingForm(*_given(request), person=person), MetricValuesForm(*_given(request)))


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, ref: str) -> HttpResponse:
    """`…/edit/`: the draft as it stands, or as it is to be."""
    person = person_of(request)
    draft = find(ref=ref, person=person)
    snapshot = snapshot_of(draft, now=timezone.now())
    try:
        check_can_edit(snapshot, person=person)
    except WrongState as refusal:
        messages.warning(request, refusal.reason)
        return redirect("reviews:detail", ref)
    known = {metric.kind.name: metric.claimed for metric in metric_views(snapshot.evidence) if metric.claimed}
    form = FilingForm(*_given(request), person=person, draft=draft, initial=_initial(draft))
    return _page(request, draft, form, MetricValuesForm(*_given(request), known=known))


def _page(
    request: HttpRequest, draft: ReviewRequest | None, form: FilingForm, metric_values: MetricValuesForm
) -> HttpResponse:
    status = 200
    if request.method == "POST":
        if form.is_valid() & metric_values.is_valid():
            try:
                paper = _paper(form.cleaned_data, metric_values)
                saved = filing.file(paper=paper, draft=draft, by=user_of(request), now=timezone.now())
            except Refused as refusal:
                show_in(metric_values if refusal.field in metric_values.fields else form, refusal)
                status = refusal.status
            else:
                return _saved(request, saved)
        else:
            status = 400
    here = (draft.ref, reverse("reviews:detail", args=[draft.ref])) if draft else ("New", "")
    context = {
        "crumbs": (("Requests", reverse("reviews:list")), here, *((("Edit", ""),) if draft else ())),
        "draft": draft,
        "form": form,
        "metric_values": metric_values,
        "had_file": bool(request.FILES),
    }
    return render(request, "reviews/workflow/filing.html", context, status=status)


def _saved(request: HttpRequest, draft: ReviewRequest) -> HttpResponse:
    if request.POST.get("then") == "submit":
        attempt(request, lambda: SUBMITTED[RequestState(_submitted(request, draft).state)])
    else:
        messages.success(request, f"{draft.ref} is saved as a draft.")
    return redirect("reviews:detail", draft.ref)


def _submitted(request: HttpRequest, draft: ReviewRequest) -> ReviewRequest:
    return requests.submit(request=draft, by=user_of(request), now=timezone.now())


def _given(request: HttpRequest) -> tuple[Any, ...]:
    return (request.POST, request.FILES) if request.method == "POST" else ()


def _initial(draft: ReviewRequest) -> dict[str, Any]:
    return {
        "title": draft.title,
        "purpose": draft.purpose,
        "environment": draft.environment,
        "business_case": draft.business_case,
        "artifact": "registered",
        "model_version": draft.model_version_id,
        "evaluation": "registered" if draft.dataset_id else "none",
        "dataset": draft.dataset_id,
        "rivals": list(draft.rivals.values_list("pk", flat=True)),
    }


def _paper(asked: Asked, metric_values: MetricValuesForm) -> Paper:
    return Paper(
        title=asked["title"],
        purpose=asked["purpose"],
        environment=asked["environment"],
        business_case=asked["business_case"],
        version=_version(asked),
        dataset=_dataset(asked),
        rivals=tuple(asked["rivals"]),
        statements=tuple(metric_values.statements()),
    )


def _version(asked: Asked) -> ModelVersion | NewVersion:
    if asked["artifact"] == "registered":
        chosen: ModelVersion = asked["model_version"]
        return chosen
    names = ("team", "slug", "name", "tier", "owner")
    asset: ModelAsset | NewAsset = asked["asset"] or NewAsset(**{name: asked[name] for name in names})
    if asked["artifact"] == "upload":
        return NewVersion(asset=asset, version=asked["version"], upload=asked["file"])
    return NewVersion(asset=asset, version=asked["version"], uri=asked["uri"], digest=asked["sha256"])


def _dataset(asked: Asked) -> Dataset | NewDataset | None:
    if asked["evaluation"] == "upload":
        return NewDataset(name=asked["dataset_name"], upload=asked["dataset_file"])
    chosen: Dataset | None = asked["dataset"] if asked["evaluation"] == "registered" else None
    return chosen
