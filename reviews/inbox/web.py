"""The page of the inbox, and the steps that are taken for several of its entries at once."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.absences.queries import absent_ids
from governance.accounts.web.second_factor import confirmation_before_step
from governance.findings import actions as findings
from governance.findings.rules import check_assign_finding
from governance.operations.web.findings import AssignForm, find_one
from governance.people.approvals import actions as approvals
from governance.people.approvals import queries as changes
from governance.people.approvals.enums import Changed
from governance.people.domain.roles import Person, Role
from governance.people.queries.people import name_of
from governance.people.queries.people import person_of as person_behind
from governance.people.web.current_user import person_of, user_of
from governance.site.domain.numbers import whole_number
from governance.site.web.refusals import refusals_shown
from reviews.inbox.domain import LISTED_MAX, InboxBatch, InboxEntry, InboxKind
from reviews.inbox.queries.findings import waits_for_owner
from reviews.inbox.queries.inbox import inbox_of
from reviews.quarterly.actions import action_items
from reviews.quarterly.queries.action_items import find_action
from weighbridge.core.errors import Invalid, NotAllowed, Refused, WrongState

SELECTED_MAX = 100
_NONE: Mapping[InboxBatch, forms.Form] = MappingProxyType({})


@dataclass(frozen=True)
class KindLink:
    """A kind of entries, how many there are, and whether only these are shown."""

    kind: str
    count: int
    is_current: bool


@dataclass(frozen=True)
class InboxStep:
    """How a step is taken for one entry, by its reference, and what the page calls it.

    `form` asks for what all selected entries get; `check` raises for a person who may not take the step at all.
    `needs_factor` is True where the same step on the page of the entry asks for the second factor.
    """

    label: str
    noun: str
    done: str
    act: Callable[..., object]
    form: type[forms.Form] = forms.Form
    check: Callable[[Person], None] = lambda _: None
    needs_factor: bool = False


@dataclass(frozen=True)
class BatchForm:
    """The form of a step on the page; the selected entries belong to it by its `anchor`."""

    batch: InboxBatch
    label: str
    anchor: str
    form: forms.Form


def _acknowledge(ref: str, *, by: User, now: datetime) -> None:
    action_items.acknowledge(item=find_action(ref=ref, person=person_behind(by)), by=by, now=now)


def _accept(ref: str, *, by: User, now: datetime) -> None:
    number = whole_number(ref.removeprefix("CHG-"))
    if number is None:
        raise Invalid(f"{ref[:40]!r} is no change.", field="entry")
    change = changes.find(change_id=number, person=person_behind(by))
    if change.kind != Changed.OWNER:
        raise NotAllowed(f"{change} is not the ownership of a model; read it, and decide it on its page.")
    approvals.confirm(change=change, by=by, now=now)


def _assign(ref: str, *, by: User, now: datetime, **fields: Any) -> None:
    finding = find_one(ref.removeprefix("FND-"), person_behind(by))
    if finding.owner is not None and not waits_for_owner(finding_id=finding.pk, absent=absent_ids(now=now)):
        raise WrongState(f"Meanwhile {name_of(finding.owner)} is responsible for {finding}.")
    findings.assign_all(findings=[finding], seen_owners={finding.pk: finding.owner_id}, **fields, by=by, now=now)


STEPS: Mapping[InboxBatch, InboxStep] = {
    InboxBatch.ACKNOWLEDGE: InboxStep(
        "Acknowledge the selected action items", "action item", "acknowledged", _acknowledge
    ),
    InboxBatch.ACCEPT: InboxStep("Accept the selected ownerships", "ownership", "accepted", _accept, needs_factor=True),
    InboxBatch.ASSIGN: InboxStep(
        "Assign the selected findings", "finding", "assigned", _assign, AssignForm, check_assign_finding
    ),
}


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """`/`: everything that needs an action of this person. `?kind=` shows one kind alone."""
    return _page(request)


def _page(
    request: HttpRequest,
    refused: Mapping[InboxBatch, forms.Form] = _NONE,
    chosen: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    """The inbox, with the form that was refused and the entries that were selected for it."""
    person, now = person_of(request), timezone.now()
    content, kind = inbox_of(person=person, now=now), request.GET.get("kind", "")
    counts = content.counts
    shown = kind if kind in counts else ""
    shown_entries = [entry for entry in content.entries if shown in ("", entry.kind)]
    context = {
        "inbox": content,
        "entries": shown_entries,
        "kinds": [KindLink(each.value, counts[each], each == shown) for each in InboxKind if counts[each]],
        "shown": shown,
        "listed_max": LISTED_MAX,
        "steps": _forms(shown_entries, person, refused),
        "chosen": chosen,
        "now": now,
        "absent_until": content.absent_until,
        "may_file": person.has_role(Role.REQUESTER),
        "may_vote": bool(person.roles & {Role.REVIEWER, Role.PLATFORM_LEAD, Role.FINANCE}),
    }
    return render(request, "reviews/inbox/inbox.html", context, status=status)


def _forms(entries: list[InboxEntry], person: Person, refused: Mapping[InboxBatch, forms.Form]) -> list[BatchForm]:
    """A form for each step that can be taken for two entries or more; a finding is assigned to oneself by default."""
    counts = Counter(entry.batch for entry in entries)
    shown = {
        batch: step.form(auto_id=f"{batch}-%s", initial={"owner": person.username})
        for batch, step in STEPS.items()
        if counts[batch] > 1
    }
    return [
        BatchForm(batch, STEPS[batch].label, f"inbox-{batch}", form) for batch, form in {**shown, **refused}.items()
    ]


@require_POST
def take_steps(request: HttpRequest) -> HttpResponse:
    """Take one step for each selected entry, each in a transaction of its own; those refused are told by reference."""
    name = request.POST.get("step", "")
    with refusals_shown(request):
        if name not in list(InboxBatch):
            raise Invalid("Choose a step of the inbox.", field="step")
        batch = InboxBatch(name)
        step, form = STEPS[batch], STEPS[batch].form(request.POST, auto_id=f"{batch}-%s")
        step.check(person_of(request))
        confirmation = confirmation_before_step(request) if step.needs_factor else None
        if confirmation is not None:
            return confirmation
        refs = list(dict.fromkeys(request.POST.getlist("entry")))
        if not 0 < len(refs) <= SELECTED_MAX:
            raise Invalid(f"Select at least one {step.noun}, and at most {SELECTED_MAX}.", field="entry")
        if not form.is_valid():
            return _page(request, {batch: form}, refs, status=400)
        _take(request, step, refs, form.cleaned_data)
    return redirect("reviews:inbox")


def _take(request: HttpRequest, step: InboxStep, refs: Sequence[str], fields: Mapping[str, Any]) -> None:
    refused, now = [], timezone.now()
    for ref in refs:
        try:
            step.act(ref, **fields, by=user_of(request), now=now)
        except Refused as refusal:
            refused.append(refusal.reason if ref in refusal.reason else f"{ref[:40]}: {refusal.reason}")
    if done := len(refs) - len(refused):
        nouns = f"1 {step.noun} is" if done == 1 else f"{done} {step.noun}s are"
        messages.success(request, f"{nouns} {step.done}.")
    for reason in refused:
        messages.error(request, reason)
