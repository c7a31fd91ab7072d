"""The page of a request: everything on it, with the forms of the steps its reader can take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from benchmarking.projections.domain.projection_table import table_of
from governance.people.web.current_user import person_of, user_of
from governance.rulebook.domain.policy import WaiverLevel
from governance.site.web.refusals import show_in
from reviews.evidence.queries.comparison import ProjectionRecord, records_for_filing
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.queries.view import RequestView, describe
from reviews.workflow.web.events import told
from reviews.workflow.web.road import road
from reviews.workflow.web.step_forms import (
    ContradictionForm,
    MetricValueForm,
    ProjectionForm,
    StepReasonForm,
    VoteForm,
    WaiverForm,
    answer_form,
)
from weighbridge.core.errors import NotFound, Refused

Bound = Mapping[str, forms.Form]
RECENT = 8


@dataclass(frozen=True)
class ItemEntry:
    """A checklist item with the form that answers it, where this reader may."""

    view: Any
    form: forms.Form | None
    is_refused: bool


def load(request: HttpRequest, ref: str) -> ReviewRequest:
    """The request, if the reader may see it."""
    return find(ref=ref, person=person_of(request))


def show(request: HttpRequest, review: ReviewRequest, *, bound: Bound | None = None, status: int = 200) -> HttpResponse:
    """The whole page; `bound` are forms that were refused, by the name of their step."""
    return render(request, "reviews/workflow/detail.html", context_of(request, review, bound or {}), status=status)


def context_of(request: HttpRequest, review: ReviewRequest, bound: Bound) -> dict[str, Any]:
    """Everything the page and its fragments show."""
    snapshot = snapshot_of(review, now=timezone.now())
    view = describe(snapshot, person=person_of(request))
    trail = told(view.events)
    return {
        "view": view,
        "road": road(view),
        "events": trail,
        "recent": trail[:RECENT],
        "earlier": trail[RECENT:],
        "costs": table_of(view.projections[0].document) if view.projections else None,
        "records": _records(request, review, view),
        "items": [item_of(view, each, bound) for each in view.checklist],
        "contradictions": [_contradiction(each, bound) for each in view.contradicted],
        "is_measuring": snapshot.is_measuring,
        "forms": _forms(view, bound),
        "can_waive": view.allowed_steps["waive"].is_allowed and bool(soft_rules(view)),
        "crumbs": (("Requests", reverse("reviews:list")), (view.ref, "")),
    }


def item_of(view: RequestView, item: Any, bound: Bound) -> ItemEntry:
    """A checklist item as the page draws it."""
    refused = bound.get(f"answer:{item.id}")
    may_answer = view.allowed_steps["answer"].is_allowed or refused is not None
    return ItemEntry(item, (refused or answer_form(item)) if may_answer else None, refused is not None)


def settle(
    request: HttpRequest, review: ReviewRequest, *, name: str, form: forms.Form, act: Callable[[], str], part: str
) -> HttpResponse:
    """Take a step: do it, say the sentence `act` answers, and return to the part of the page; or say why not, there."""
    status = 400
    if form.is_valid():
        try:
            messages.success(request, act())
        except NotFound:
            raise
        except Refused as refusal:
            show_in(form, refusal)
            status = refusal.status
        else:
            return redirect(f"{reverse('reviews:detail', args=[review.ref])}#{part}")
    return show(request, load(request, review.ref), bound={name: form}, status=status)


def _contradiction(metric: Any, bound: Bound) -> tuple[Any, forms.Form]:
    name = metric.kind.name
    form = bound.get(f"contradiction:{name}")
    return metric, form or ContradictionForm(auto_id=f"contradiction-{name}-%s", initial={"text": metric.answer})


def _records(request: HttpRequest, review: ReviewRequest, view: RequestView) -> tuple[ProjectionRecord, ...]:
    """How earlier projections did, for whoever may state the next one."""
    if not view.allowed_steps["evidence"].is_allowed:
        return ()
    return records_for_filing(request=review, estimator=user_of(request), now=timezone.now())


def _forms(view: RequestView, bound: Bound) -> dict[str, forms.Form]:
    stage = view.open_stage
    free: dict[str, forms.Form] = {
        "metric_value": MetricValueForm(auto_id="metric_value-%s"),
        "projection": ProjectionForm(auto_id="projection-%s"),
        "vote": VoteForm(auto_id="vote-%s", initial={"stage": stage.id if stage else ""}, may_condition=is_last(view)),
        "revise": StepReasonForm(auto_id="revise-%s"),
        "withdraw": StepReasonForm(auto_id="withdraw-%s"),
        "revoke": StepReasonForm(auto_id="revoke-%s"),
        "waive": WaiverForm(auto_id="waive-%s", rules=soft_rules(view)),
    }
    return {**free, **{name: form for name, form in bound.items() if ":" not in name}}


def soft_rules(view: RequestView) -> list[str]:
    """The rules that stand against the request and may be waived."""
    said = view.policy_evaluation.rules if view.policy_evaluation else ()
    return [rule.rule_id for rule in said if rule.level == WaiverLevel.SOFT and rule.effect]


def is_last(view: RequestView) -> bool:
    """Whether the open stage is the last one, whose approvals may carry conditions."""
    return view.open_stage is not None and view.open_stage == view.stages[-1]
