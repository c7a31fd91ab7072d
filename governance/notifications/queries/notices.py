"""Reads of the notifications of one person."""

from django.db.models import QuerySet

from governance.notifications.domain.events import Addressee
from governance.notifications.models import Notification
from governance.site.queries import compiled_once

BADGE_MAX = 99


def notices_of(person_id: int) -> QuerySet[Notification]:
    """The notifications of a person, newest first."""
    return Notification.objects.filter(person=person_id).select_related("in_place_of").order_by("-made_at", "-pk")


def addressees_of(key: str) -> list[Addressee]:
    """The people who were told of what happened under this key."""
    rows = Notification.objects.filter(key=key).exclude(person=None)
    return [Addressee(*ids) for ids in rows.order_by("pk").values_list("person_id", "in_place_of_id")]


def _unread_of(person_id: int) -> QuerySet[Notification, tuple[int]]:
    return Notification.objects.filter(person=person_id, read_at=None).values_list("pk")[: BADGE_MAX + 1]


_unread = compiled_once(_unread_of, marker=-1)


def unread_count(person_id: int) -> int:
    """How many notifications are unread, counted up to one more than the badge shows."""
    return len(_unread(person_id))
