"""The inbox of a person: every decision and every step that waits for them, with one clock and one next step."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from django.urls import reverse

from governance.absences.queries import absent_ids
from governance.people.approvals.queries import confirmers, pending_for
from governance.people.domain.roles import Person
from reviews.authorizations.domain.numbers import number_of
from reviews.inbox.domain import InboxEntry, InboxKind, ReminderKind, by_clock
from reviews.inbox.queries import evidence, findings, permissions, requests, tokens, work
from reviews.inbox.queries.reminders import ReminderLine, reminders_of

KIND_OF_REMINDER = {
    ReminderKind.VOTE: InboxKind.VOTE,
    ReminderKind.ANSWER: InboxKind.REQUEST,
    ReminderKind.CLEARANCE: InboxKind.REQUEST,
    ReminderKind.AUTHORIZATION: InboxKind.AUTHORIZATION,
    ReminderKind.CHANGE: InboxKind.CHANGE,
}


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """The inbox of one person: what waits for them, the first to lapse first, and what they wait for."""

    entries: tuple[InboxEntry, ...]
    waiting_on_others: tuple[InboxEntry, ...]


def inbox_of(*, person: Person, now: datetime) -> Inbox:
    """The inbox of this person now."""
    absent = absent_ids(now=now)
    open_requests, open_changes = requests.open_requests(person, absent=absent), pending_for(person)
    people = cache(confirmers)  # two kinds of entries ask who can confirm the same change
    entries = [
        *requests.votes(open_requests, person=person, now=now),
        *requests.own_requests(open_requests, now=now),
        *work.changes(open_changes, person=person, absent=absent, people=people),
        *work.quarterly_reviews(person),
        *work.action_items(person, absent=absent),
        *permissions.conditions(person, now=now),
        *permissions.authorizations(person, absent=absent),
        *permissions.clearances(open_requests, now=now),
        *evidence.expiring_evidence(open_requests, now=now),
        *findings.findings(person, absent=absent),
        *tokens.expiring_tokens(person, now=now),
        *work.failed_runs(person, now=now),
        *work.failed_deliveries(person),
    ]
    others = [
        *requests.waiting_on_others(open_requests, now=now),
        *work.proposals(open_changes, person=person, absent=absent, people=people),
    ]
    reminded = _with_reminders(entries, reminders_of(person, now=now))
    return Inbox(entries=by_clock(reminded), waiting_on_others=by_clock(others))


def _with_reminders(entries: Iterable[InboxEntry], reminders: Iterable[ReminderLine]) -> list[InboxEntry]:
    """Each reminder at the entry of its subject; as an entry of its own if the person has none."""
    found = list(entries)
    for reminder in reminders:
        at = next((n for n, entry in enumerate(found) if _is_about(entry, reminder)), None)
        if at is None:
            found.append(_entry(reminder))
        elif reminder.is_escalation:
            found[at] = replace(found[at], is_escalated=True)
        else:
            found[at] = replace(found[at], lapses_soon=True)
    return found


def _is_about(entry: InboxEntry, reminder: ReminderLine) -> bool:
    if reminder.kind == ReminderKind.AUTHORIZATION:
        return entry.kind is InboxKind.AUTHORIZATION and entry.ref == number_of(reminder.subject)
    return entry.ref == reminder.subject


def _entry(reminder: ReminderLine) -> InboxEntry:
    address = (
        reverse("governance:change", args=[reminder.change_id])
        if reminder.change_id
        else reverse("reviews:detail", args=[reminder.subject])
    )
    return InboxEntry(
        kind=InboxKind.ESCALATION if reminder.is_escalation else KIND_OF_REMINDER[ReminderKind(reminder.kind)],
        ref=reminder.subject,
        title=reminder.title,
        path=address,
        step=reminder.text,
        since=reminder.made_at,
        ends_at=reminder.due_at,
        in_place_of=reminder.in_place_of,
        lapses_soon=not reminder.is_escalation,
        is_escalated=reminder.is_escalation,
    )
