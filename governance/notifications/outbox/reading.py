"""Record what a person has read. That is the state of a delivery, so the audit trail does not get it."""

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.notifications.models import Notification
from governance.notifications.queries.links import opened_id
from governance.notifications.queries.notices import notices_of
from weighbridge.core.errors import NotFound, WrongState


def mark_read(*, person: User, ids: Collection[int] | None = None, now: datetime) -> int:
    """Mark these notifications of the person as read, all of them without `ids`. Returns how many were unread."""
    rows = notices_of(person.pk).filter(read_at=None)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    return rows.update(read_at=now)


def mark_unread(*, person: User, read_at: datetime) -> int:
    """Mark the notifications that the person marked as read at this moment as unread again. Returns how many."""
    return notices_of(person.pk).filter(read_at=read_at).update(read_at=None)


def open_link(*, token: str, person: User, now: datetime) -> str:
    """The path of the object of a link in a mail, which works once and for its person alone.

    Raises NotFound for a link of another person, WrongState for one that was used.
    """
    pk = opened_id(token)
    with transaction.atomic():
        row = notices_of(person.pk).select_for_update(of=("self",)).filter(pk=pk).first()
        if row is None:
            raise NotFound("This link is not for you. Log in as the person who got the mail.")
        if row.opened_at is not None:
            raise WrongState("This link was used before. Open the object from the list of your notifications.")
        Notification.objects.filter(pk=row.pk).update(opened_at=now, read_at=row.read_at or now)
    return row.path
