"""What a person wants to be told, how fast, and when. Everybody sets their own."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.notifications.domain.hours import MailHours, check_hours
from governance.notifications.domain.kinds import CATALOG, MAILED, NoticePace, ended_kinds
from governance.notifications.models import WAITS, Notification, NotificationChoice, PersonalHours
from governance.notifications.queries.preferences import choices_of
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid, NotAllowed


def choose(*, paces: Mapping[str, NoticePace], hours: MailHours, by: User, now: datetime) -> None:
    """Set one's own paces, by kind, and hours. A kind that is not named keeps its pace."""
    if not person_of(by).is_active:
        raise NotAllowed("Your account is not active. Ask an administrator.")
    unknown = sorted(paces.keys() - CATALOG.keys())
    if unknown:
        raise Invalid(f"There is no kind of notifications {unknown[0]!r}.", field="paces")
    check_hours(hours)
    with transaction.atomic():
        _store(by, paces)
        PersonalHours.objects.update_or_create(person=by, defaults=asdict(hours))
        details = {**{kind: pace.value for kind, pace in sorted(paces.items())}, **asdict(hours)}
        audit.record(kind="notification.chosen", by=by, subject=("person", by.username), details=details, now=now)


def unsubscribe(*, person: User, about: str, by: User | None = None, now: datetime) -> None:
    """End the mail that a link in a mail is about; the page still shows its kinds. Idempotent."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        if not (ended := ended_kinds(about, chosen=choices_of(person.pk))):
            return
        _store(person, dict.fromkeys(ended, NoticePace.PAGE))
        details = {"kinds": sorted(ended)}
        subject = ("person", person.username)
        audit.record(kind="notification.unsubscribed", by=by, subject=subject, details=details, now=now)


def _store(person: User, paces: Mapping[str, NoticePace]) -> None:
    """Store the paces, also for what waits to be mailed."""
    for kind, pace in sorted(paces.items()):
        NotificationChoice.objects.update_or_create(person=person, kind=kind, defaults={"pace": pace.value})
        waiting = Notification.objects.filter(WAITS, person=person, kind=kind)
        waiting.update(pace=pace if pace in MAILED else NoticePace.PAGE)
