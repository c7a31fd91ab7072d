"""Filing a request and changing a draft."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from benchmarking.runs.actions.datasets import NewDataset
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
from reviews.workflow.actions.filing import FilingInput
from reviews.workflow.web.filing_forms import FilingForm
from reviews.workflow.web.metric_forms import MetricValuesForm
from weighbridge.core.errors import Refused, WrongState

FormData = Mapping[str, Any]
TEXTS = ("title", "purpose", "environment", "business_case")
PREFILLED = (*TEXTS, "artifact", "image", "team", "name", "version")
SUBMITTED = {
    RequestState.CLEARED: "Submitted and cleared: no rule of the policy requires a review.",
    RequestState.EVIDENCE: "Submitted. A review is mandatory: "
    "the ticket is requested, the benchmarks are queued, the checklist is open.",
}


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """`/requests/new/`: a form with the fields that the address fills in. POST creates a draft."""
    person = person_of(request)
    check_act_for_any_team(person)
    form = FilingForm(*_form_data(request), person=person, initial=prefilled(request.GET))
    return _page(request, None, form, MetricValuesForm(*_form_data(request)))


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, ref: str) -> HttpResponse:
    """`/requests/<ref>/edit/`: a form with the draft. POST changes the draft."""
    person = person_of(request)
    draft = find(ref=ref, person=person)
    snapshot = snapshot_of(draft, now=timezone.now())
    try:
        check_can_edit(snapshot, person=person)
    except WrongState as refusal:
        messages.warning(request, refusal.reason)
        return redirect("reviews:detail", ref)
    claims = {metric.kind.name: metric.claimed for metric in metric_views(snapshot.evidence) if metric.claimed}
    form = FilingForm(*_form_data(request), person=person, draft=draft, initial=_initial(draft))
    return _page(request, draft, form, MetricValuesForm(*_form_data(request), claims=claims))


def _page(
    request: HttpRequest, draft: ReviewRequest | None, form: FilingForm, metric_values: MetricValuesForm
) -> HttpResponse:
    status = 200
    if request.method == "POST":
        if form.is_valid() & metric_values.is_valid():
            try:
                entry = _filing_input(form.cleaned_data, metric_values)
                saved = filing.file_request(entry=entry, draft=draft, by=user_of(request), now=timezone.now())
            except Refused as refusal:
                show_in(metric_values if refusal.field in metric_values.fields else form, refusal)
                status = refusal.status
            else:
                return _saved(request, saved)
        else:
            status = 400
    current = (draft.ref, reverse("reviews:detail", args=[draft.ref])) if draft else ("New", "")
    context = {
        "crumbs": (("Requests", reverse("reviews:list")), current, *((("Edit", ""),) if draft else ())),
        "draft": draft,
        "form": form,
        "metric_values": metric_values,
        "had_file": bool(request.FILES),
    }
    return render(request, "reviews/workflow/filing.html", context, status=status)


def _saved(request: HttpRequest, draft: ReviewRequest) -> HttpResponse:
    def submit() -> str:
        submitted = requests.submit(request=draft, by=user_of(request), now=timezone.now())
        return SUBMITTED[RequestState(submitted.state)]

    if request.POST.get("then") == "submit":
        attempt(request, submit)
    else:
        messages.success(request, f"{draft.ref} is saved as a draft.")
    return redirect("reviews:detail", draft.ref)


def prefilled(address: Mapping[str, str]) -> dict[str, str]:
    """The fields that an address fills in: those of a new artifact, or `version` with the id of a registered one.

    A person still reads the form and saves it: an address files nothing.
    """
    given = {name: address[name] for name in PREFILLED if name in address}
    if "version" in given and "artifact" not in given:
        given |= {"artifact": "registered", "model_version": given.pop("version")}
    return given


def _form_data(request: HttpRequest) -> tuple[Any, ...]:
    return (request.POST, request.FILES) if request.method == "POST" else ()


def _initial(draft: ReviewRequest) -> dict[str, Any]:
    return {
        **{name: getattr(draft, name) for name in TEXTS},
        "artifact": "registered",
        "model_version": draft.model_version_id,
        "evaluation": "registered" if draft.dataset_id else "none",
        "dataset": draft.dataset_id,
        "rivals": list(draft.rivals.values_list("pk", flat=True)),
    }


def _filing_input(data: FormData, metric_values: MetricValuesForm) -> FilingInput:
    return FilingInput(
        **{name: data[name] for name in TEXTS},
        version=_version(data),
        dataset=_dataset(data),
        rivals=tuple(data["rivals"]),
        statements=tuple(metric_values.statements()),
    )


def _version(data: FormData) -> ModelVersion | NewVersion:
    if data["artifact"] == "registered":
        chosen: ModelVersion = data["model_version"]
        return chosen
    names = ("team", "slug", "name", "tier", "task", "owner")
    asset: ModelAsset | NewAsset = data["asset"] or NewAsset(**{name: data[name] for name in names})
    named: dict[str, Any] = {"asset": asset, "version": data["version"], "lineage": data["lineage"]}
    if data["artifact"] == "upload":
        return NewVersion(**named, upload=data["file"])
    if data["artifact"] == "reference":
        return NewVersion(**named, uri=data["uri"], digest=data["sha256"])
    return NewVersion(**named, subject=data["subject"])


def _dataset(data: FormData) -> Dataset | NewDataset | None:
    if data["evaluation"] == "upload":
        return NewDataset(name=data["dataset_name"], license=data["dataset_license"], upload=data["dataset_file"])
    chosen: Dataset | None = data["dataset"] if data["evaluation"] == "registered" else None
    return chosen
