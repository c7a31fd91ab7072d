"""What a message carries, read when it is delivered."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User

from governance.jobs.queries import message_id_of
from governance.notifications.domain.kinds import CATALOG, DAILY, MAILED, pace_of
from governance.notifications.domain.lines import NoticeLine
from governance.notifications.models import Dispatch, Notification
from governance.notifications.queries.due import DIGEST
from governance.notifications.queries.links import open_url, page_url, unsubscribe_url
from governance.notifications.queries.preferences import choices_of
from governance.notifications.queries.relevance import concerning, readable
from governance.people.queries.people import name_of, person_of
from weighbridge.core.errors import WrongState


@dataclass(frozen=True)
class MailMessage:
    """A mail to one person; `unsubscribe_url` ends mail like this, `end_all_url` all of it."""

    message_id: str
    person: User
    lines: tuple[NoticeLine, ...]
    is_digest: bool
    unsubscribe_url: str
    end_all_url: str


def mail_of(dispatch: Dispatch, *, now: datetime, is_repetition: bool = False) -> MailMessage | None:
    """The mail of a dispatch; None if the person has no open account with an address, or nothing concerns them now.

    What the person may not see any more is left out. Unless the mail may have been sent before, so is what they have
    read, what has lapsed, what asks for something that is done, and the kinds of which they want no mail any more.
    """
    person = dispatch.person
    if person is None or not person.is_active or not person.email:
        return None
    rows, reader = _rows(dispatch), person_of(person)
    if is_repetition:
        rows = readable(rows, person=reader)
    else:
        current = [row for row in rows if row.read_at is None and (row.until is None or row.until > now)]
        rows = concerning(_wanted(current, person), person=reader, now=now)
    if not rows:
        return None
    is_digest = dispatch.kind == DIGEST
    return MailMessage(
        message_id=message_id_of(dispatch.key),
        person=person,
        lines=tuple(_line(row, open_url(row.pk)) for row in rows),
        is_digest=is_digest,
        unsubscribe_url=unsubscribe_url(person_id=person.pk, about=DAILY if is_digest else dispatch.kind),
        end_all_url=unsubscribe_url(person_id=person.pk),
    )


def check_mail_server() -> None:
    """Raise WrongState if no mail server is set."""
    if not settings.WEIGHBRIDGE["HAS_MAIL"]:
        raise WrongState("No mail server is set, so nobody gets mail. Set EMAIL_URL and EMAIL_FROM, and restart.")


def lines_for_webhook(dispatch: Dispatch, *, is_repetition: bool = False) -> tuple[NoticeLine, ...]:
    """The lines of a message to a webhook, with plain links to the objects.

    Unless the message may have been sent before, kinds that were taken from the webhook meanwhile are left out.
    """
    kinds = dispatch.webhook.kinds if dispatch.webhook is not None else ()
    rows = [row for row in _rows(dispatch) if is_repetition or row.kind in kinds]
    return tuple(_line(row, page_url(row.path)) for row in rows)


def _rows(dispatch: Dispatch) -> list[Notification]:
    return list(dispatch.notifications.select_related("in_place_of").order_by("made_at", "pk"))


def _wanted(rows: list[Notification], person: User) -> list[Notification]:
    """Those of a kind of which the person has not ended mail; nobody can end a kind that is in no catalog."""
    chosen = choices_of(person.pk)
    return [row for row in rows if row.kind not in CATALOG or pace_of(row.kind, chosen=chosen) in MAILED]


def _line(row: Notification, url: str) -> NoticeLine:
    return NoticeLine(
        kind=row.kind,
        reference=row.reference,
        sentence=row.sentence,
        url=url,
        at=row.made_at,
        until=row.until,
        meets_at=row.meets_at,
        in_place_of=name_of(row.in_place_of) if row.in_place_of else "",
    )
