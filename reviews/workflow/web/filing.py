"""Filing a request and changing a draft."""

from collections.abc import Iterable, Mapping
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
from governance.people.domain.roles import Person
from governance.people.rules import check_act_for_any_team
from governance.people.web.current_user import person_of, user_of
from governance.site.domain.numbers import whole_number
from governance.site.web.refusals import show_in
from reviews.evidence.queries.metric_views import metric_views
from reviews.previews.queries.drafts import draft_mark
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find, visible_to
from reviews.snapshots.queries.allowed_steps import check_can_edit
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshot_of
from reviews.workflow.actions.drafting import filing
from reviews.workflow.actions.drafting.filing import FilingInput
from reviews.workflow.actions.evidence import StatedValue
from reviews.workflow.web.drafts.panel import autosave_url, panel_of
from reviews.workflow.web.filing_forms import FilingForm
from reviews.workflow.web.metric_forms import MetricValuesForm
from weighbridge.core.errors import Refused, WrongState
from weighbridge.core.metrics.values import MetricValue

FormData = Mapping[str, Any]
TEXTS = ("title", "purpose", "environment", "business_case")
PREFILLED = (*TEXTS, "artifact", "image", "team", "name", "version")


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """`/requests/new/`: a form with the fields that the address fills in; with `?version=`, the id of a registered
    version, a copy of the latest request for its model. POST creates a draft.
    """
    person = person_of(request)
    check_act_for_any_team(person)
    form = FilingForm(*_form_data(request), person=person, initial=_prefilled(request.GET, person))
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
    claims = claims_of(snapshot)
    form = FilingForm(*_form_data(request), person=person, draft=draft, initial=_initial(draft))
    return _page(request, draft, form, MetricValuesForm(*_form_data(request), claims=claims))


def claims_of(snapshot: RequestSnapshot) -> dict[str, MetricValue]:
    """The claims on record, by metric."""
    return {metric.kind.name: metric.claimed for metric in metric_views(snapshot.evidence) if metric.claimed}


def _page(
    request: HttpRequest, draft: ReviewRequest | None, form: FilingForm, metric_values: MetricValuesForm
) -> HttpResponse:
    status = 200
    if request.method == "POST":
        if form.is_valid() & metric_values.is_valid():
            try:
                entry = filing_input(form.cleaned_data, statements=metric_values.statements())
                seen, by = form.cleaned_data["seen"], user_of(request)
                saved = filing.file_request(entry=entry, draft=draft, seen=seen, by=by, now=timezone.now())
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
        "panel": panel_of(form, metric_values, now=timezone.now()),
        "autosave_url": autosave_url(draft),
    }
    return render(request, "reviews/workflow/filing.html", context, status=status)


def _saved(request: HttpRequest, draft: ReviewRequest) -> HttpResponse:
    messages.success(request, f"{draft.ref} is saved as a draft.")
    return redirect("reviews:submit" if request.POST.get("then") == "check" else "reviews:detail", draft.ref)


def _prefilled(address: Mapping[str, str], person: Person) -> dict[str, Any]:
    """The fields that an address fills in: those of a new artifact, or of a copy for the version with an id.

    A person still reads the form and saves it: an address files nothing.
    """
    given = {name: address[name] for name in PREFILLED if name in address}
    if "version" in given and "artifact" not in given:
        return (_copied(given.pop("version"), person) or {}) | given
    return given


def _form_data(request: HttpRequest) -> tuple[Any, ...]:
    return (request.POST, request.FILES) if request.method == "POST" else ()


def _copied(version_id: str, person: Person) -> dict[str, Any] | None:
    """The form for a version: everything but metric values as in the latest request for its model, if there is one."""
    number = whole_number(version_id)
    if number is None:
        return None
    chosen: dict[str, Any] = {"artifact": "registered", "model_version": version_id}
    rows = visible_to(person).filter(model_version__asset__versions=number)
    latest = rows.order_by("-created_at", "-pk").first()
    if latest is None:
        return chosen
    return _initial(latest) | chosen | {"seen": ""}


def _initial(draft: ReviewRequest) -> dict[str, Any]:
    return {
        "seen": draft_mark(draft),
        **{name: getattr(draft, name) for name in TEXTS},
        "artifact": "registered",
        "model_version": draft.model_version_id,
        "evaluation": "registered" if draft.dataset_id else "none",
        "dataset": draft.dataset_id,
        "rivals": list(draft.rivals.values_list("pk", flat=True)),
    }


def filing_input(data: FormData, *, statements: Iterable[StatedValue]) -> FilingInput:
    """The input of the action from the fields of a valid form, with the metric values to state."""
    return FilingInput(
        **{name: data[name] for name in TEXTS},
        version=_version(data),
        dataset=_dataset(data),
        rivals=tuple(data["rivals"]),
        statements=tuple(statements),
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
