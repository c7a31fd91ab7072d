"""The page of a request: its content, the part that it polls, and the steps that the reader can take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from benchmarking.projections.domain.projection_table import table_of
from governance.people.web.current_user import person_of, user_of
from governance.rulebook.domain.policy import WaiverLevel
from governance.site.web.refusals import refusal_of, show_in
from reviews.evidence.queries.attested import attested_views, audit_words, trust_of
from reviews.evidence.queries.comparison import ProjectionRecord, records_for_filing
from reviews.evidence.queries.imported import imported_views
from reviews.requests.domain.lifecycle import AMENDABLE_STATES, OPEN_STATES, RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find
from reviews.requests.rules import check_file
from reviews.snapshots.queries.allowed_steps import STEPS
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshot_of
from reviews.workflow.queries.view import RequestView, describe
from reviews.workflow.queries.view_evidence import run_entries
from reviews.workflow.web.drafts.change_forms import AmendForm, ExchangeForm
from reviews.workflow.web.drafts.confirmation import draft_panel
from reviews.workflow.web.events import trail_lines
from reviews.workflow.web.progress_steps import progress_steps
from reviews.workflow.web.step_forms import (
    AttestedForm,
    ContradictionForm,
    ExtensionForm,
    ImportForm,
    MetricValueForm,
    PlainForm,
    ProjectionForm,
    StepReasonForm,
    VoteForm,
    WaiverForm,
    answer_form,
)
from weighbridge.core.errors import NotFound, Refused

BoundForms = Mapping[str, forms.Form]
RECENT_EVENTS = 8
GUARDS = dict.fromkeys(("metric_value", "projection", "contradiction", "attested", "imported"), "evidence")
"""The steps with a form that have the guard of another step."""
ASIDE = ("revise", "amend", "exchange", "withdraw", "extend")
"""The steps beside the next one."""


@dataclass(frozen=True)
class ItemEntry:
    """A checklist item, with the form to answer it if this reader may."""

    view: Any
    form: forms.Form | None
    is_refused: bool


def load(request: HttpRequest, ref: str) -> ReviewRequest:
    """The request, if the reader may see it."""
    return find(ref=ref, person=person_of(request))


@require_safe
def detail(request: HttpRequest, ref: str) -> HttpResponse:
    """`/requests/<ref>/`: everything about a request, on one page."""
    return render_page(request, load(request, ref))


@require_safe
def runs(request: HttpRequest, ref: str) -> HttpResponse:
    """The current state of the benchmarks. When they are finished, also every other part of the page they changed."""
    review = load(request, ref)
    snapshot = snapshot_of(review, now=timezone.now())
    if snapshot.is_measuring:
        entries = run_entries(snapshot, person=person_of(request))
        context = {"ref": ref, "entries": entries, "is_measuring": True}
        return render(request, "reviews/workflow/_fragments/runs.html", context)
    return render(request, "reviews/workflow/_fragments/measured.html", context_of(request, review, {}))


def render_page(
    request: HttpRequest, review: ReviewRequest, *, bound: BoundForms | None = None, status: int = 200
) -> HttpResponse:
    """Render the whole page. `bound` maps the names of steps to forms that were rejected."""
    return render(request, "reviews/workflow/detail.html", context_of(request, review, bound or {}), status=status)


def context_of(request: HttpRequest, review: ReviewRequest, bound: BoundForms) -> dict[str, Any]:
    """The template context of the page and its fragments."""
    snapshot = snapshot_of(review, now=timezone.now())
    view = describe(snapshot, person=person_of(request))
    trail, attested, imported = trail_lines(view.events), attested_views(review), imported_views(review)
    items = [item_entry(view, item, bound) for item in view.checklist]
    return {
        "view": view,
        "progress_steps": progress_steps(view),
        "events": trail,
        "recent": trail[:RECENT_EVENTS],
        "earlier": trail[RECENT_EVENTS:],
        "costs": table_of(view.projections[0].document) if view.projections else None,
        "records": _records(request, review, view),
        "items": items,
        "study_items": [item for item in items if item.view.studies],
        "attested": attested,
        "imported": [file for file in imported if file.study is None],
        "studies": [file for file in imported if file.study is not None],
        "attested_chance": audit_words(review, results=len(attested)) if attested else "",
        "may_attest": bool(review.policy) and bool(trust_of(review).keys),
        "contradictions": [_contradiction(metric, bound) for metric in view.contradicted],
        "conditions": [_condition(row, bound) for row in view.authorization.conditions] if view.authorization else [],
        "is_measuring": snapshot.is_measuring,
        "is_over": snapshot.state not in OPEN_STATES,
        "forms": _forms(view, bound) | _forms_of_changes(request, snapshot, bound),
        "may_file_again": refusal_of(lambda: check_file(person_of(request), team=review.team.slug)) == "",
        "panel": draft_panel(review) if view.state == RequestState.DRAFT else None,
        "has_aside": any(view.allowed_steps[name].is_allowed for name in ASIDE),
        "can_waive": view.allowed_steps["waive"].is_allowed and bool(soft_rules(view) or open_items(view)),
        "crumbs": (("Requests", reverse("reviews:list")), (view.ref, "")),
    }


def item_entry(view: RequestView, item: Any, bound: BoundForms) -> ItemEntry:
    """A checklist item with its form, for the page."""
    rejected = bound.get(f"answer:{item.id}")
    may_answer = item.id in view.answerable or rejected is not None
    return ItemEntry(item, (rejected or answer_form(item)) if may_answer else None, rejected is not None)


def step(
    name: str, *, part: str, form: Callable[..., forms.Form] = PlainForm
) -> Callable[[Callable[..., str]], Callable[..., HttpResponse]]:
    """Make a view of a function that takes a step, as in `perform_step`; it gets the names in the address too.

    Names in braces in `name` are filled in from the address.
    """

    def make_view(act: Callable[..., str]) -> Callable[..., HttpResponse]:
        @require_POST
        @wraps(act)
        def view(request: HttpRequest, ref: str, **names: Any) -> HttpResponse:
            own_name = name.format(**names)
            bound = form(request.POST, request.FILES, auto_id=f"{own_name.replace(':', '-')}-%s")
            action = partial(act, **names)
            return perform_step(request, load(request, ref), name=own_name, form=bound, act=action, part=part)

        return view

    return make_view


def perform_step(
    request: HttpRequest,
    review: ReviewRequest,
    *,
    name: str,
    form: forms.Form,
    act: Callable[..., str],
    part: str,
    check: Callable[[], object] | None = None,
) -> HttpResponse:
    """Take a step: call `act` with the request, who acts and when, and the fields of the form.

    On success, show the message that `act` returns and redirect to `part` of the page. If the form is invalid or the
    step is refused, render the page again with the reason beside the form. Whoever may not take the step at all is told
    so, and not what the form lacks: `check` raises for them; by default the guard of the step.
    """
    status = 400
    if form.is_valid():
        try:
            done = act(request=review, by=user_of(request), now=timezone.now(), **form.cleaned_data)
            messages.success(request, done)
        except NotFound:
            raise
        except Refused as refusal:
            show_in(form, refusal)
            status = refusal.status
        else:
            return redirect(f"{reverse('reviews:detail', args=[review.ref])}#{part}")
    elif check is not None:
        check()
    else:
        _check_step(request, review, name.partition(":")[0])
    return render_page(request, load(request, review.ref), bound={name: form}, status=status)


def _check_step(request: HttpRequest, review: ReviewRequest, name: str) -> None:
    STEPS[GUARDS.get(name, name)](snapshot_of(review, now=timezone.now()), person=person_of(request))


def _contradiction(metric: Any, bound: BoundForms) -> tuple[Any, forms.Form]:
    name = metric.kind.name
    form = bound.get(f"contradiction:{name}")
    return metric, form or ContradictionForm(auto_id=f"contradiction-{name}-%s", initial={"text": metric.answer})


def _condition(condition: Any, bound: BoundForms) -> tuple[Any, forms.Form]:
    name = f"lift:{condition.id}"
    return condition, bound.get(name) or StepReasonForm(auto_id=f"lift-{condition.id}-%s")


def _records(request: HttpRequest, review: ReviewRequest, view: RequestView) -> tuple[ProjectionRecord, ...]:
    """How accurate earlier projections were, for a reader who may state the next one."""
    if not view.allowed_steps["evidence"].is_allowed:
        return ()
    return records_for_filing(request=review, estimator=user_of(request), now=timezone.now())


def _forms(view: RequestView, bound: BoundForms) -> dict[str, forms.Form]:
    stage = view.own_stage
    is_last = stage is not None and stage.may_settle
    first = view.voting_rights[0].in_place_of if view.voting_rights else ""
    seen = {"stage": stage.id if stage else "", "revision": view.revision, "in_place_of": first}
    voting = VoteForm(
        auto_id="vote-%s",
        initial=seen,
        rights=view.voting_rights,
        may_condition=is_last,
        earlier=view.earlier_conditions,
    )
    unbound: dict[str, forms.Form] = {
        "metric_value": MetricValueForm(auto_id="metric_value-%s"),
        "attested": AttestedForm(auto_id="attested-%s"),
        "imported": ImportForm(auto_id="imported-%s"),
        "projection": ProjectionForm(auto_id="projection-%s"),
        "vote": voting,
        "revise": StepReasonForm(auto_id="revise-%s"),
        "extend": ExtensionForm(auto_id="extend-%s"),
        "withdraw": StepReasonForm(auto_id="withdraw-%s"),
        "revoke": StepReasonForm(auto_id="revoke-%s"),
        "waive": WaiverForm(auto_id="waive-%s", rules=soft_rules(view), items=open_items(view)),
    }
    return {**unbound, **{name: form for name, form in bound.items() if ":" not in name}}


def _forms_of_changes(request: HttpRequest, snapshot: RequestSnapshot, bound: BoundForms) -> dict[str, forms.Form]:
    """The forms of the steps that change a request under review."""
    if snapshot.state not in AMENDABLE_STATES:
        return {}
    row, person = snapshot.request, person_of(request)
    unbound: dict[str, forms.Form] = {"amend": AmendForm(row=row, person=person), "exchange": ExchangeForm(row=row)}
    return unbound | {name: form for name, form in bound.items() if name in unbound}


def open_items(view: RequestView) -> list[tuple[str, str]]:
    """The checklist items that are open and can be waived, with their titles."""
    return [(item.id, item.title) for item in view.checklist if item.may_waive and not item.is_complete]


def soft_rules(view: RequestView) -> list[str]:
    """The soft rules that currently have an effect on the request: these can be waived."""
    rules = view.policy_evaluation.rules if view.policy_evaluation else ()
    return [rule.rule_id for rule in rules if rule.level == WaiverLevel.SOFT and rule.effect]
