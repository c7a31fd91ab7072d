"""Make the reminders that are due."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from reviews.inbox.models import Reminder
from reviews.inbox.queries.reminders import DueReminder, due_reminders
from reviews.tickets import actions as ticket_actions


def make_reminders(*, by: User | None = None, now: datetime) -> int:
    """Make every reminder and escalation that is due, each once. Returns how many were new.

    Each is made in a transaction of its own, so that two processes, a repetition or a jump of the clock make none twice
    and a failure keeps those before it.
    """
    return sum(_make(due, by, now) for due in due_reminders(now=now))


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
            if is_new and is_first and due.occasion.is_escalation and due.request is not None:
                reason = f"The request has waited for too long. It expires on {due.due_at:%Y-%m-%d}."
                ticket_actions.notify_request_ticket(
                    request=due.request, occasion="escalated", reason=reason, by=by, now=now
                )
    return made


def _record(row: Reminder, due: DueReminder, by: User | None, now: datetime) -> None:
    details = {"kind": row.kind, "person": row.person.username, "due_at": row.due_at}
    details |= {"in_place_of": row.in_place_of.username} if row.in_place_of else {}
    word = "escalated" if due.occasion.is_escalation else "made"
    audit.record(kind=f"reminder.{word}", by=by, subject=row.subject, details=details, now=now)
