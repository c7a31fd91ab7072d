"""Make the reminders that are due."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.notifications.domain.events import Addressee, Occurrence
from governance.notifications.outbox.notices import notify
from governance.people.approvals.kinds import kind_of
from reviews.inbox.domain import ReminderKind
from reviews.inbox.models import Reminder
from reviews.inbox.queries.conditions import DueCondition, due_conditions
from reviews.inbox.queries.reminders import DueReminder, due_reminders, key_of, line_of
from reviews.snapshots.queries.voters import who_see
from reviews.tickets import actions as ticket_actions

ENDING = (ReminderKind.AUTHORIZATION, ReminderKind.CLEARANCE)


def make_reminders(*, by: User | None = None, now: datetime) -> int:
    """Make every reminder and escalation that is due, each once. Returns how many were new.

    Each is made in a transaction of its own, so that two processes, a repetition or a jump of the clock make none twice
    and a failure keeps those before it.
    """
    made = sum(_make(due, by, now) for due in due_reminders(now=now))
    for due in due_conditions(now=now):
        _notify_of_condition(due, now)
    return made


def _make(due: DueReminder, by: User | None, now: datetime) -> int:
    made = 0
    about: dict[str, Any] = {"kind": due.kind.value, "request": due.request, "change": due.change, "due_at": due.due_at}
    about |= {"days_before": due.occasion.days_before}
    for recipient in due.recipients:
        with transaction.atomic():
            is_first = not Reminder.objects.filter(**about).exists()
            row, is_new = Reminder.objects.get_or_create(
                **about,
                person_id=recipient.person_id,
                defaults={"in_place_of_id": recipient.in_place_of_id, "made_at": now},
            )
            if is_new:
                made += 1
                _record(row, due, by, now)
                _notify(row, now)
            if is_new and is_first and due.occasion.is_escalation and due.request is not None:
                reason = f"The request has waited for too long. It expires on {due.due_at:%Y-%m-%d}."
                ticket_actions.notify_request_ticket(
                    request=due.request, occasion="escalated", reason=reason, by=by, now=now
                )
    return made


def _notify(row: Reminder, now: datetime) -> None:
    """Tell the person of the reminder. Its deputies are among the recipients already."""
    line = line_of(row)
    path = f"/changes/{row.change_id}/" if row.change_id else f"/requests/{line.subject}/"
    event = Occurrence(
        kind="authorization_ends" if row.kind in ENDING else "lapses",
        key=key_of(row),
        reference=line.subject,
        path=path,
        sentence=f"{line.title}: {line.text}",
        until=row.due_at,
        team=_team_of(row),
    )
    notify(event=event, people=[Addressee(row.person_id, row.in_place_of_id)], now=now)


def _team_of(row: Reminder) -> str:
    if row.change is not None:
        return kind_of(row.change).team(row.change)
    return row.request.team.slug if row.request is not None else ""


def _notify_of_condition(due: DueCondition, now: datetime) -> None:
    row = due.condition
    request = row.authorization.decision.request
    event = Occurrence(
        kind="condition_due",
        key=f"condition:{row.pk}:{row.due_on}:{due.days_before}",
        reference=row.authorization.number,
        path=f"/requests/{request.ref}/",
        sentence=f"A condition of {row.authorization.number} is due on {row.due_on:%Y-%m-%d}: {row.text}",
        until=due.due_at,
        team=request.team.slug,
    )
    people = who_see(row.authorization.decision.request, people=[Addressee(row.owner_id)])
    notify(event=event, people=people, now=now)


def _record(row: Reminder, due: DueReminder, by: User | None, now: datetime) -> None:
    details = {"kind": row.kind, "person": row.person.username, "due_at": row.due_at}
    details |= {"in_place_of": row.in_place_of.username} if row.in_place_of else {}
    word = "escalated" if due.occasion.is_escalation else "made"
    audit.record(kind=f"reminder.{word}", by=by, subject=row.subject, details=details, now=now)
