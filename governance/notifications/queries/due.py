"""Which messages are due now."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time

from django.db.models import Min, Q, QuerySet

from governance.absences.queries import absent_ids, absent_until
from governance.notifications.domain.hours import DAY, WINDOW, MailHours, is_quiet, last_digest, quiet_end
from governance.notifications.domain.kinds import NoticePace
from governance.notifications.models import AT_ONCE, WAITS, Dispatch, Notification, PersonalHours, TeamWebhook

DIGEST = ""
"""The kind of a digest."""


def made_since(then: datetime) -> QuerySet[Notification]:
    """What was made since then and waits to be sent at once."""
    return Notification.objects.filter(AT_ONCE, made_at__gt=then).order_by("made_at")


def due_mails(*, since: datetime | None = None, now: datetime) -> list[tuple[int, str]]:
    """(person, kind) of each mail that is due: not in quiet hours, not after a young one, nor while they are absent.

    `since` restricts them to what waits to be sent at once since then.
    """
    rows = Notification.objects.filter(WAITS) if since is None else made_since(since)
    rows = rows.filter(person__is_active=True).exclude(person__in=absent_ids(now=now))
    groups = rows.order_by().values_list("person", "kind", "pace").annotate(first=Min("made_at"))
    found = list(groups.order_by("person", "kind"))
    people = [person for person, *_ in found]
    hours, paused = _hours_of(people), _paused_mails(people, now)
    due: dict[tuple[int, str], None] = {}
    for person, kind, pace, first in found:
        own = hours.get(person, MailHours())
        if is_quiet(own, now=now):
            continue
        if pace == NoticePace.AT_ONCE:
            due |= {} if (person, kind) in paused else {(person, kind): None}
        elif first < last_digest(own, now=now)[1]:
            due[person, DIGEST] = None
    return list(due)


def _paused_mails(people: Collection[int], now: datetime) -> set[tuple[int | None, str]]:
    """(person, kind) of each mail so young that what happened since is collected."""
    rows = Dispatch.objects.filter(person__in=people, made_at__gt=now - WINDOW)
    return set(rows.values_list("person", "kind"))


def digest_of(person_id: int, *, now: datetime) -> tuple[date, datetime]:
    """The local day of the digest of a person that is due, and its time: what was made before it is in it."""
    return last_digest(hours_of(person_id), now=now)


def due_webhooks(*, since: datetime | None = None, now: datetime) -> list[TeamWebhook]:
    """The webhooks for which something waits that is due: not in their quiet hours. `since` as for mails."""
    waiting = Notification.objects.filter(WAITS) if since is None else made_since(since)
    ids = waiting.filter(webhook__isnull=False).values("webhook")
    rows = TeamWebhook.objects.filter(removed_at=None, pk__in=ids).order_by("pk")
    return [row for row in rows if not is_quiet(row.hours, now=now) and due_for(row, now=now).exists()]


def due_for(webhook: TeamWebhook, *, now: datetime) -> QuerySet[Notification]:
    """What waits for a webhook and is due outside its quiet hours: what goes at once, and its digest once a day."""
    key, before = digest_key(webhook, now=now)
    due = Q(pace=NoticePace.AT_ONCE)
    if not Dispatch.objects.filter(key=key).exists():
        due |= Q(pace=NoticePace.DIGEST, made_at__lt=before)
    return Notification.objects.filter(WAITS, due, webhook=webhook.pk)


def digest_key(webhook: TeamWebhook, *, now: datetime) -> tuple[str, datetime]:
    """The key of the digest of a webhook that is due, and its time: what was made before it is in it."""
    day, before = last_digest(webhook.hours, now=now)
    return f"call:{webhook.pk}:digest:{day}", before


def webhook_silent_until(webhook: TeamWebhook, *, now: datetime) -> datetime | None:
    """The end of the quiet hours of a webhook; None outside them."""
    end = quiet_end(webhook.hours, now=now)
    return end if end > now else None


def is_paused(*, now: datetime, **recipient: object) -> bool:
    """Whether the last message to this recipient is so young that what happened since is collected."""
    return Dispatch.objects.filter(**recipient, made_at__gt=now - WINDOW).exclude(kind="test").exists()


def hours_of(person_id: int) -> MailHours:
    """The hours of a person."""
    return _hours_of([person_id]).get(person_id, MailHours())


def silent_until(person_id: int, *, now: datetime) -> datetime | None:
    """Until when the person gets no mail: the end of the absence or of the quiet hours; None if they get it now."""
    last_day = absent_until(person_id=person_id, now=now)
    if last_day is not None:
        return datetime.combine(last_day + DAY, time.min, tzinfo=UTC)
    end = quiet_end(hours_of(person_id), now=now)
    return end if end > now else None


def _hours_of(person_ids: list[int]) -> Mapping[int, MailHours]:
    return {row.person_id: row.hours for row in PersonalHours.objects.filter(person__in=person_ids)}
