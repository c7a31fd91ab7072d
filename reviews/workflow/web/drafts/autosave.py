"""The form saves itself as a draft: after each change, with the time, or with the reason why it could not."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from governance.people.rules import check_act_for_any_team
from governance.people.web.current_user import person_of, user_of
from reviews.previews.queries.drafts import draft_mark
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find
from reviews.snapshots.queries.allowed_steps import check_can_edit
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions.drafting import filing
from reviews.workflow.web.drafts.panel import autosave_url, panel_of
from reviews.workflow.web.filing import claims_of, filing_input
from reviews.workflow.web.filing_forms import FilingForm
from reviews.workflow.web.metric_forms import MetricValuesForm
from weighbridge.core.errors import Refused, WrongState

BUTTON = "press “Save as draft”"
NEW_FILES = f"New models and files are not saved by themselves: {BUTTON}."


@require_POST
def new(request: HttpRequest) -> HttpResponse:
    """`/requests/new/autosave/`: create the draft as soon as the form is complete."""
    person = person_of(request)
    check_act_for_any_team(person)
    form = FilingForm(request.POST, person=person)
    return _answer(request, None, form, MetricValuesForm(request.POST))


@require_POST
def edit(request: HttpRequest, ref: str) -> HttpResponse:
    """`/requests/<ref>/autosave/`: change the draft."""
    person = person_of(request)
    draft = find(ref=ref, person=person)
    snapshot = snapshot_of(draft, now=timezone.now())
    try:
        check_can_edit(snapshot, person=person)
    except WrongState as refusal:
        return render(request, "reviews/workflow/_sections/autosave.html", {"why_not": refusal.reason, "draft": draft})
    form = FilingForm(request.POST, person=person, draft=draft)
    return _answer(request, draft, form, MetricValuesForm(request.POST, claims=claims_of(snapshot)))


def _answer(
    request: HttpRequest, draft: ReviewRequest | None, form: FilingForm, metric_values: MetricValuesForm
) -> HttpResponse:
    """Save the form if that is possible, without its metric values, and show the state and the panel."""
    saved, why_not = _save(request, draft, form)
    row = saved or draft
    context = {
        "why_not": why_not,
        "saved_at": timezone.now() if saved else None,
        "seen": draft_mark(row) if saved and row else request.POST.get("seen", ""),
        "draft": row,
        "autosave_url": autosave_url(row),
        "panel": panel_of(form, metric_values, now=timezone.now()),
    }
    answer = render(request, "reviews/workflow/_sections/autosave.html", context)
    if saved and draft is None:
        answer["HX-Replace-Url"] = reverse("reviews:edit", args=[saved.ref])
    return answer


def _save(request: HttpRequest, draft: ReviewRequest | None, form: FilingForm) -> tuple[ReviewRequest | None, str]:
    """The saved draft, or None with the reason."""
    # The answer speaks of what is new first: its files never come along, so the form is never valid.
    if request.POST.get("artifact") != "registered" or request.POST.get("evaluation") == "upload":
        return None, NEW_FILES
    if not form.is_valid():
        return None, _first_error(form)
    data: dict[str, Any] = form.cleaned_data
    try:
        # A stated metric value stays on record, so a half-typed one must not be stated.
        entry = filing_input(data, statements=())
        by, now = user_of(request), timezone.now()
        return filing.file_request(entry=entry, draft=draft, seen=data["seen"], by=by, now=now), ""
    except Refused as refusal:
        return None, refusal.reason


def _first_error(form: FilingForm) -> str:
    name, errors = next(iter(form.errors.items()))
    return f"{form[name].label}: {errors[0]}" if name in form.fields else str(errors[0])
