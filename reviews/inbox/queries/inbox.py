"""The inbox of a person: every decision and every step that waits for them, with one clock and one next step."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from itertools import islice

from django.urls import reverse

from governance.absences.queries import deputyships_of, last_days
from governance.people.approvals.queries import confirmers, pending_for
from governance.people.domain.roles import Person
from reviews.authorizations.domain.numbers import number_of
from reviews.inbox.domain import LISTED_MAX, InboxEntry, InboxKind, ReminderKind, by_clock
from reviews.inbox.queries import evidence, findings, permissions, requests, tokens, work
from reviews.inbox.queries.reminders import ReminderLine, reminders_of_present

KIND_OF_REMINDER = {
    ReminderKind.VOTE: InboxKind.VOTE,
    ReminderKind.ANSWER: InboxKind.REQUEST,
    ReminderKind.CLEARANCE: InboxKind.REQUEST,
    ReminderKind.AUTHORIZATION: InboxKind.AUTHORIZATION,
    ReminderKind.CHANGE: InboxKind.CHANGE,
}
CHANGES_MAX = 500
"""So many open changes that the person may see are looked at, to find those that wait for them."""


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """The inbox of one person: what waits for them, the first to lapse first, and what they wait for.

    At most `LISTED_MAX` entries come from each source; `is_cut` if there may be more open requests or changes than were
    looked at.
    `absent_until` is the last day of an absence of this person that is in force.
    """

    entries: tuple[InboxEntry, ...]
    waiting_on_others: tuple[InboxEntry, ...]
    is_cut: bool = False
    absent_until: date | None = None

    @property
    def counts(self) -> Counter[InboxKind]:
        """How many entries of each kind are listed."""
        return Counter(entry.kind for entry in self.entries)

    @property
    def is_complete(self) -> bool:
        """Whether no more than what is listed can wait."""
        return not self.is_cut and all(count < LISTED_MAX for count in self.counts.values())


def inbox_of(*, person: Person, now: datetime) -> Inbox:
    """The inbox of this person now."""
    away = last_days(now=now)
    absent, deputyships = away.keys(), deputyships_of(person.id, now=now) if away else ()
    open_requests, open_changes = requests.open_requests(person, absent=absent), pending_for(person)[:CHANGES_MAX]
    people = cache(confirmers)  # two kinds of entries ask who can confirm the same change
    entries = [
        *islice(requests.votes(person=person, deputyships=deputyships, now=now), LISTED_MAX),
        *requests.own_requests(open_requests, person=person, now=now),
        *islice(work.changes(open_changes, person=person, absent=absent, people=people), LISTED_MAX),
        *work.quarterly_reviews(person),
        *work.action_items(person, absent=absent),
        *islice(permissions.conditions(person, now=now), LISTED_MAX),
        *permissions.authorizations(person, absent=absent),
        *permissions.clearances(open_requests, now=now),
        *evidence.expiring_evidence(open_requests, now=now),
        *findings.findings(person, absent=absent),
        *tokens.expiring_tokens(person, now=now),
        *work.failed_runs(person, now=now),
        *work.failed_deliveries(person),
    ]
    others = [
        *requests.waiting_on_others(open_requests, person=person, now=now),
        *islice(work.proposals(open_changes, person=person, absent=absent, people=people), LISTED_MAX),
    ]
    reminded = _with_reminders(entries, () if person.id in absent else reminders_of_present(person, now=now))
    is_cut = len(open_changes) >= CHANGES_MAX or any(map(requests.is_last, open_requests))
    return Inbox(
        entries=by_clock(reminded),
        waiting_on_others=by_clock(others),
        is_cut=is_cut,
        absent_until=away.get(person.id),
    )


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
