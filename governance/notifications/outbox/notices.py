"""Notify people and the webhooks of a team, in the transaction of what happened."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User

from governance.absences.queries import deputies
from governance.notifications.domain.events import Addressee, Occurrence
from governance.notifications.domain.kinds import CATALOG, MAILED, NoticePace, channel_pace, pace_of
from governance.notifications.models import (
    REFERENCE_CHARS_MAX,
    SENTENCE_CHARS_MAX,
    Notification,
    NotificationChoice,
    TeamWebhook,
)


def notify(*, event: Occurrence, people: Iterable[User | Addressee], by: User | None = None, now: datetime) -> None:
    """Write a notification for each person and each webhook of the team, in the caller's transaction.

    Nobody is told of their own step (`by`), nobody twice of the same `key`, and nobody with a closed account. For an
    absent person, the deputy is told too, if the kind says so and two people agreed that the deputy acts for them.
    """
    told = {one.person_id: one for one in map(_addressee, people)}
    if CATALOG[event.kind].for_deputies:
        told = _with_deputies(told, now)
    if by is not None:
        told.pop(by.pk, None)
    users = User.objects.filter(pk__in=told, is_active=True).order_by("pk")
    chosen = dict(NotificationChoice.objects.filter(person__in=told, kind=event.kind).values_list("person", "pace"))
    paces = {user.pk: _pace(event.kind, user, chosen.get(user.pk)) for user in users}
    rows = [
        _row(event, pace, now, person_id=pk, in_place_of_id=told[pk].in_place_of_id)
        for pk, pace in paces.items()
        if pace is not NoticePace.NONE
    ]
    rows += [_row(event, channel_pace(event.kind, chosen=pace), now, webhook_id=pk) for pk, pace in _webhooks(event)]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)


def _addressee(one: User | Addressee) -> Addressee:
    return one if isinstance(one, Addressee) else Addressee(one.pk)


def _with_deputies(told: dict[int, Addressee], now: datetime) -> dict[int, Addressee]:
    away = deputies(now=now) if told else {}
    acting = [one for pk in told if (one := away.get(pk)) is not None and one.roles]
    return {one.deputy.id: Addressee(one.deputy.id, one.absent.id) for one in acting} | told


def _pace(kind: str, user: User, chosen: str | None) -> NoticePace:
    """The chosen pace; without an address, or where no mail is set up, the page at most."""
    pace = pace_of(kind, chosen={} if chosen is None else {kind: chosen})
    has_mail = bool(user.email) and settings.WEIGHBRIDGE["HAS_MAIL"]
    return pace if has_mail or pace not in MAILED else NoticePace.PAGE


def _webhooks(event: Occurrence) -> list[tuple[int, str]]:
    """ID and chosen pace of each webhook that is told."""
    if not event.team:
        return []
    rows = TeamWebhook.objects.filter(team__slug=event.team, removed_at=None, kinds__contains=[event.kind])
    return list(rows.order_by("pk").values_list("pk", "pace"))


def _row(event: Occurrence, pace: NoticePace, now: datetime, **recipient: int | None) -> Notification:
    return Notification(
        key=event.key,
        kind=event.kind,
        reference=event.reference[:REFERENCE_CHARS_MAX],
        path=event.path,
        sentence=event.sentence[:SENTENCE_CHARS_MAX],
        until=event.until,
        meets_at=event.meets_at,
        pace=pace.value,
        made_at=now,
        **recipient,
    )
