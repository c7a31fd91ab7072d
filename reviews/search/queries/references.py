"""The page of a reference, if the person may see it."""

from collections.abc import Callable
from datetime import datetime

from django.urls import reverse

from benchmarking.runs.queries import runs
from governance.absences import queries as absences
from governance.bills.queries import bills
from governance.findings import queries as findings
from governance.notifications.queries import webhooks
from governance.people.approvals import queries as approvals
from governance.people.domain.roles import Person
from reviews.authorizations.domain.numbers import request_ref_of
from reviews.quarterly.queries import action_items, cycles
from reviews.requests.queries import requests
from reviews.search.domain import Reference, ReferenceKind
from weighbridge.core.errors import NotAllowed, NotFound


def page_of(reference: Reference, *, person: Person, now: datetime) -> str | None:
    """The address of what the reference names; None if there is nothing that the person may see.

    An absence is found until it is over.
    """
    try:
        if reference.kind is ReferenceKind.ABSENCE:
            return _absence(int(reference.text), person, now)
        return _FINDERS[reference.kind](reference.text, person)
    except (NotFound, NotAllowed):
        return None


def _request(text: str, person: Person) -> str:
    return reverse("reviews:detail", args=[requests.find(ref=text, person=person).ref])


def _authorization(text: str, person: Person) -> str:
    request = requests.find(ref=request_ref_of(text), person=person)
    part = "#authorization" if hasattr(request, "decision") and hasattr(request.decision, "authorization") else ""
    if not part:
        raise NotFound(f"There is no authorization {text} that you can see.")
    return f"{reverse('reviews:detail', args=[request.ref])}{part}"


def _change(text: str, person: Person) -> str:
    return reverse("governance:change", args=[approvals.find(change_id=int(text), person=person).pk])


def _finding(text: str, person: Person) -> str:
    return reverse("governance:finding", args=[findings.find(finding_id=int(text), person=person).pk])


def _action_item(text: str, person: Person) -> str:
    return reverse("reviews:action", args=[action_items.find_action(ref=text, person=person).ref])


def _absence(number: int, person: Person, now: datetime) -> str:
    return f"{reverse('governance:absences')}#{absences.find(absence_id=number, person=person, now=now)}"


def _webhook(text: str, person: Person) -> str:
    return reverse("governance:webhook", args=[webhooks.find_webhook(webhook_id=int(text), person=person).pk])


def _bill(text: str, person: Person) -> str:
    return reverse("governance:bill", args=[bills.find(bill_id=int(text), person=person).pk])


def _run(text: str, person: Person) -> str:
    return reverse("benchmarking:run", args=[runs.find(run_id=int(text), person=person).pk])


def _quarter(text: str, person: Person) -> str:
    return reverse("reviews:cycle", args=[cycles.find(quarter=text, person=person).quarter])


_FINDERS: dict[ReferenceKind, Callable[[str, Person], str]] = {
    ReferenceKind.REQUEST: _request,
    ReferenceKind.AUTHORIZATION: _authorization,
    ReferenceKind.CHANGE: _change,
    ReferenceKind.FINDING: _finding,
    ReferenceKind.ACTION_ITEM: _action_item,
    ReferenceKind.WEBHOOK: _webhook,
    ReferenceKind.BILL: _bill,
    ReferenceKind.RUN: _run,
    ReferenceKind.QUARTER: _quarter,
}
