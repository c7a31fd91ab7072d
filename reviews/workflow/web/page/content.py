"""What the tabs of a request show: the view of the request, and the forms of the steps that the reader can take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from benchmarking.projections.domain.projection_table import table_of
from governance.budgets.rules import may_see_budget
from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import refusal_of
from reviews.authorizations.domain.authorization_states import IN_FORCE
from reviews.discussions.queries.threads import DiscussionCounts, counts_of
from reviews.discussions.web import discussion_context
from reviews.evidence.queries.attested import attested_views, audit_words, trust_of
from reviews.evidence.queries.comparison import ProjectionRecord, records_for_filing
from reviews.evidence.queries.imported import imported_views
from reviews.notes.web import notes_context
from reviews.requests.domain.lifecycle import OPEN_STATES, RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.rules import check_file
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshot_of
from reviews.workflow.domain.tabs import Tab
from reviews.workflow.queries.decision.screen import decision_screen
from reviews.workflow.queries.view import RequestView, describe
from reviews.workflow.web.drafts.confirmation import draft_panel
from reviews.workflow.web.events import trail_lines
from reviews.workflow.web.page.forms import BoundForms, forms_of, open_items, soft_rules
from reviews.workflow.web.progress_steps import progress_steps
from reviews.workflow.web.step_forms import ContradictionForm, StepReasonForm, answer_form

NO_FORMS: BoundForms = MappingProxyType({})
RECENT_EVENTS = 8
ENDINGS = ("request.withdrawn", "request.expired")
ASIDE = ("revise", "amend", "exchange", "withdraw", "extend")
"""The steps beside the next one."""


@dataclass(frozen=True)
class PageReading:
    """What each tab is made from: who reads which request, as they see it, with the forms that were rejected."""

    http: HttpRequest
    snapshot: RequestSnapshot
    view: RequestView
    bound: BoundForms

    @property
    def review(self) -> ReviewRequest:
        """The row of the request."""
        return self.snapshot.request


@dataclass(frozen=True)
class TabLink:
    """A tab in the row of tabs: its title, address, what it counts, and whether it is the current one."""

    title: str
    address: str
    count: str
    is_current: bool


@dataclass(frozen=True)
class ItemEntry:
    """A checklist item, with the form to answer it if this reader may."""

    view: Any
    form: forms.Form | None
    is_refused: bool


def context_of(
    request: HttpRequest, review: ReviewRequest, *, tab: Tab, bound: BoundForms = NO_FORMS
) -> dict[str, Any]:
    """The template context of a tab and its fragments."""
    snapshot = snapshot_of(review, now=timezone.now())
    view = describe(snapshot, person=person_of(request))
    reading = PageReading(request, snapshot, view, bound)
    notes = notes_context(snapshot, request=request) if tab is Tab.DECISION else {}
    shared = {
        "view": view,
        "state_shown": state_shown(view),
        "tabs": tab_links(view, current=tab),
        "progress_steps": progress_steps(view),
        "is_measuring": snapshot.is_measuring,
        "may_see_account": may_see_budget(person_of(request), team=view.team),
        "votes_title": votes_title(view),
        "forms": forms_of(
            view, snapshot=snapshot, person=person_of(request), bound=bound, draft=notes.get("draft_vote")
        ),
        "crumbs": (("Requests", reverse("reviews:list")), (view.ref, "")),
    }
    return {**shared, **notes, **CONTENT[tab](reading)}


def votes_title(view: RequestView) -> str:
    """The title above the votes; it names the stage of the person's own vote, if there is no choice of stages."""
    if view.own_stage is None:
        return "Votes"
    is_one = len({right.stage for right in view.voting_rights}) == 1
    return f"Your vote: {view.own_stage.title}" if is_one else "Your vote"


def state_shown(view: RequestView) -> str:
    """The state that the page shows first: an authorization that ended outweighs the approval that issued it."""
    if view.authorization and view.authorization.state not in IN_FORCE:
        return view.authorization.state
    return view.outcome or view.state


def tab_links(view: RequestView, *, current: Tab) -> tuple[TabLink, ...]:
    """The tabs of the request. Those without content are left out."""
    counts = {
        Tab.EVIDENCE: f"{view.unexplained_count} contradicted" if view.unexplained_count else "",
        Tab.CHECKLIST: f"{view.answered_count}/{len(view.checklist)}",
    }
    shown = {Tab.CHECKLIST: bool(view.checklist), Tab.BILLS: view.authorization is not None}
    return tuple(
        TabLink(tab.label, reverse(f"reviews:{tab.value}", args=[view.ref]), counts.get(tab, ""), tab is current)
        for tab in Tab
        if shown.get(tab, True)
    )


def _decision(reading: PageReading) -> dict[str, Any]:
    view, review = reading.view, reading.review
    conditions = view.authorization.conditions if view.authorization else ()
    return {
        **discussion_context("request", review, request=reading.http),
        "screen": decision_screen(view, snapshot=reading.snapshot),
        "conditions": [_condition(row, reading.bound) for row in conditions],
        "panel": draft_panel(review) if view.state == RequestState.DRAFT else None,
        "has_aside": any(view.allowed_steps[name].is_allowed for name in ASIDE),
        "is_over": reading.snapshot.state not in OPEN_STATES,
        "may_file_again": _may_file_again(reading),
        "ended_because": next((event.note for event in view.events if event.action in ENDINGS), ""),
    }


def _may_file_again(reading: PageReading) -> bool:
    person, team = person_of(reading.http), reading.review.team.slug
    return refusal_of(lambda: check_file(person, team=team)) == ""


def _evidence(reading: PageReading) -> dict[str, Any]:
    review, view = reading.review, reading.view
    attested, imported = attested_views(review), imported_views(review)
    return {
        "discussion": _discussion_counts(review),
        "attested": attested,
        "imported": [file for file in imported if file.study is None],
        "studies": [file for file in imported if file.study is not None],
        "attested_chance": audit_words(review, results=len(attested)) if attested else "",
        "may_attest": bool(review.policy) and bool(trust_of(review).keys),
        "contradictions": [_contradiction(metric, reading.bound) for metric in view.contradicted],
    }


def _costs(reading: PageReading) -> dict[str, Any]:
    view = reading.view
    return {
        "costs": table_of(view.projections[0].document) if view.projections else None,
        "records": _records(reading.http, reading.review, view),
    }


def _policy(reading: PageReading) -> dict[str, Any]:
    view = reading.view
    return {"can_waive": view.allowed_steps["waive"].is_allowed and bool(soft_rules(view) or open_items(view))}


def _checklist(reading: PageReading) -> dict[str, Any]:
    items = [item_entry(reading.view, item, reading.bound) for item in reading.view.checklist]
    counts = _discussion_counts(reading.review)
    return {"discussion": counts, "items": items, "study_items": [item for item in items if item.view.studies]}


def _discussion_counts(review: ReviewRequest) -> DiscussionCounts:
    """What the links to the threads on a metric or an item show."""
    return counts_of(kind="request", ref=review.ref, subject=review)


def _history(reading: PageReading) -> dict[str, Any]:
    trail = trail_lines(reading.view.events)
    return {"recent": trail[:RECENT_EVENTS], "earlier": trail[RECENT_EVENTS:]}


def item_entry(view: RequestView, item: Any, bound: BoundForms) -> ItemEntry:
    """A checklist item with its form, for the page."""
    rejected = bound.get(f"answer:{item.id}")
    may_answer = item.id in view.answerable or rejected is not None
    return ItemEntry(item, (rejected or answer_form(item)) if may_answer else None, rejected is not None)


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


CONTENT: Mapping[Tab, Callable[[PageReading], dict[str, Any]]] = {
    Tab.DECISION: _decision,
    Tab.EVIDENCE: _evidence,
    Tab.COSTS: _costs,
    Tab.BILLS: lambda _: {},
    Tab.POLICY: _policy,
    Tab.CHECKLIST: _checklist,
    Tab.HISTORY: _history,
}
