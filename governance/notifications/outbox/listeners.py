"""Notify of what happens in subjects below this one, which cannot import it: changes by two people, dead effects."""

from datetime import datetime

from django.contrib.auth.models import User

from governance.jobs.kinds import on_dead_effect
from governance.jobs.models import Leased, OutboxMessage
from governance.notifications.domain.events import Occurrence
from governance.notifications.models import CALL, MAIL, Notification
from governance.notifications.outbox.notices import notify
from governance.notifications.queries.relevance import found_at, number_in, waits_while
from governance.people.approvals.enums import ChangeState
from governance.people.approvals.kinds import check_confirm, kind_of, on_step
from governance.people.approvals.models import Change
from governance.people.approvals.queries import confirmers, find
from governance.people.domain.roles import Person
from governance.people.queries.people import people_with
from governance.people.rules import OPERATORS, check_operate, may

OF_DEAD_EFFECT = "outbox:"
"""How the key of a notification of a dead effect begins."""


found_at("changes", find=lambda rest, person: find(change_id=number_in(rest), person=person))
found_at("integrations", find=lambda _, person: check_operate(person))


def _can_confirm(row: Notification, person: Person, _: datetime) -> bool:
    """Whether the change of this notification is open, and this person may confirm it."""
    change = find(change_id=number_in(row.path.strip("/").partition("/")[2]), person=person)
    return change.state == ChangeState.PENDING and may(check_confirm)(person, change)


waits_while("change_waits", waits=_can_confirm)


def operators() -> list[User]:
    """Those who may repeat a delivery, each once."""
    return list(dict.fromkeys(user for role in OPERATORS for user in people_with(role)))


@on_step
def notify_of_change(change: Change, by: User | None, now: datetime) -> None:
    """Tell those who can confirm a change that it waits, and its proposer how it ended."""
    waits = change.state == ChangeState.PENDING
    what = change.description if waits else f"{change.description}: {change.get_state_display()}."
    event = Occurrence(
        kind="change_waits" if waits else "decided",
        key=f"change:{change.pk}:{change.state}",
        reference=str(change),
        path=f"/changes/{change.pk}/",
        sentence=what,
        until=change.expires_at if waits else None,
        team=kind_of(change).team(change),
    )
    notify(event=event, people=confirmers(change) if waits else [change.proposed_by], by=by, now=now)


@on_dead_effect
def notify_of_dead_effect(message: Leased, now: datetime) -> None:
    """Tell operators of an effect that used up its attempts; of a message about such effects, tell nobody."""
    assert isinstance(message, OutboxMessage)  # noqa: S101 -- effects are outbox messages
    if message.kind in {MAIL, CALL} and _tells_of_dead_effects(message.payload["dispatch"]):
        return
    event = Occurrence(
        kind="failed",
        key=f"{OF_DEAD_EFFECT}{message.pk}:{message.fence}",
        reference="Delivery",
        path="/integrations/",
        sentence=f"A delivery used up its attempts: {message.error}",
    )
    notify(event=event, people=operators(), now=now)


def _tells_of_dead_effects(dispatch_id: int) -> bool:
    """Whether a message has such a notification: alone, collected with others of its kind, or in a digest."""
    return Notification.objects.filter(dispatch=dispatch_id, key__startswith=OF_DEAD_EFFECT).exists()
