"""The forms of the steps on the page of a request."""

from collections.abc import Mapping
from copy import copy
from typing import Any

from django import forms

from governance.people.domain.roles import Person
from governance.rulebook.domain.policy import WaiverLevel
from reviews.notes.queries.draft_votes import DraftVoteView
from reviews.notes.web import vote_initial
from reviews.requests.domain.lifecycle import AMENDABLE_STATES
from reviews.requests.queries.requests import readers_of
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.workflow.queries.view import RequestView
from reviews.workflow.web.drafts.change_forms import AmendForm, ExchangeForm
from reviews.workflow.web.page.vote_form import VoteForm
from reviews.workflow.web.step_forms import (
    AttestedForm,
    ExtensionForm,
    ImportForm,
    MetricValueForm,
    ProjectionForm,
    SeenReasonForm,
    StepReasonForm,
    WaiverForm,
)

BoundForms = Mapping[str, forms.Form]
OF_ONE_REVISION = frozenset({"vote", "take_back", "revise"})
"""The steps that are refused on another revision than the one that the person saw."""


def forms_of(
    view: RequestView, *, snapshot: RequestSnapshot, person: Person, bound: BoundForms, draft: DraftVoteView | None
) -> dict[str, forms.Form]:
    """The form of each step by name: the rejected one, or a new one. `draft` is the vote that the person began."""
    changes = _forms_of_changes(snapshot, person=person)
    known = {name: form for name, form in bound.items() if ":" not in name}
    for name in known.keys() & OF_ONE_REVISION:
        _show_present(known[name], view)
    return {**_new_forms(view, snapshot, draft), **changes, **known}


def _show_present(form: forms.Form, view: RequestView) -> None:
    """Let a refused form be sent again: it names the revision and a stage that the page shows beside it.

    The choice of a vote on another revision is made anew, as in a draft.
    """
    data: Any = copy(form.data)  # unlike the QueryDict itself, its copy can be changed
    stages = {right.stage for right in view.voting_rights}
    if data.get("revision") not in {None, "", str(view.revision)}:
        data["revision"] = view.revision
        data.pop("choice", None)
    if "stage" in data and data["stage"] not in stages:
        data["stage"] = view.own_stage_id or ""
    form.data = data


def _new_forms(view: RequestView, snapshot: RequestSnapshot, draft: DraftVoteView | None) -> dict[str, forms.Form]:
    stage = view.own_stage
    is_last = stage is not None and stage.may_settle
    names = [right.in_place_of for right in view.voting_rights]
    seen = {"stage": stage.id if stage else "", "revision": view.revision, "in_place_of": next(iter(names), "")}
    voting = VoteForm(
        auto_id="vote-%s",
        initial=seen | vote_initial(draft, names=names),
        rights=view.voting_rights,
        people=readers_of(snapshot.request),
        may_condition=is_last,
        earlier=view.earlier_conditions,
    )
    return {
        "metric_value": MetricValueForm(auto_id="metric_value-%s"),
        "attested": AttestedForm(auto_id="attested-%s"),
        "imported": ImportForm(auto_id="imported-%s"),
        "projection": ProjectionForm(auto_id="projection-%s"),
        "vote": voting,
        "revise": SeenReasonForm(auto_id="revise-%s", initial={"revision": view.revision}),
        "extend": ExtensionForm(auto_id="extend-%s"),
        "withdraw": StepReasonForm(auto_id="withdraw-%s"),
        "take_back": SeenReasonForm(auto_id="take_back-%s", initial={"revision": view.revision}),
        "revoke": StepReasonForm(auto_id="revoke-%s"),
        "waive": WaiverForm(auto_id="waive-%s", rules=soft_rules(view), items=open_items(view)),
    }


def _forms_of_changes(snapshot: RequestSnapshot, *, person: Person) -> dict[str, forms.Form]:
    """The forms of the steps that change a request under review."""
    if snapshot.state not in AMENDABLE_STATES:
        return {}
    row = snapshot.request
    return {"amend": AmendForm(row=row, person=person), "exchange": ExchangeForm(row=row)}


def open_items(view: RequestView) -> list[tuple[str, str]]:
    """The checklist items that are open and can be waived, with their titles."""
    return [(item.id, item.title) for item in view.checklist if item.may_waive and not item.is_complete]


def soft_rules(view: RequestView) -> list[tuple[str, str]]:
    """The soft rules that currently have an effect on the request, with their conditions: these can be waived."""
    rules = view.policy_evaluation.rules if view.policy_evaluation else ()
    return [(rule.rule_id, rule.condition) for rule in rules if rule.level == WaiverLevel.SOFT and rule.effect]
