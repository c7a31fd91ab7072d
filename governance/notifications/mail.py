"""Mail with notifications, as text and HTML, with a one-click unsubscribe (RFC 2369, RFC 8058)."""

from datetime import datetime

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from governance.jobs.mail import post
from governance.notifications.domain.calendars import calendar_file
from governance.notifications.domain.lines import SHOWN_MAX, headline
from governance.notifications.queries.links import page_url
from governance.notifications.queries.messages import MailMessage

SETTINGS_PATH, LIST_PATH = "/notifications/settings/", "/notifications/"


def send(message: MailMessage, *, now: datetime) -> None:
    """Send the mail of notifications, with the errors of `post`."""
    post(_mail(message, now), to=message.person, message_id=message.message_id)


def _mail(message: MailMessage, now: datetime) -> EmailMultiAlternatives:
    context = {
        "headline": headline(message.lines),
        "lines": message.lines[:SHOWN_MAX],
        "more": max(len(message.lines) - SHOWN_MAX, 0),
        "list_url": page_url(LIST_PATH),
        "settings_url": page_url(SETTINGS_PATH),
        "message": message,
    }
    mail = EmailMultiAlternatives(
        subject=_subject(message),
        body=_text(message),
        headers={
            "List-Unsubscribe": f"<{message.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    mail.attach_alternative(render_to_string("governance/notifications/mail.html", context), "text/html")
    for name, text in _calendars(message, now):
        mail.attach(name, text, "text/calendar")
    return mail


def _subject(message: MailMessage) -> str:
    prefix = "Weighbridge, daily" if message.is_digest else "Weighbridge"
    return f"{prefix}: {headline(message.lines)}"


def _text(message: MailMessage) -> str:
    blocks = [f"{line.title}: {line.reference}\n{line.text}\n{line.url}" for line in message.lines[:SHOWN_MAX]]
    if len(message.lines) > SHOWN_MAX:
        blocks.append(f"And {len(message.lines) - SHOWN_MAX} more: {page_url(LIST_PATH)}")
    blocks.append(f"Change what you are told: {page_url(SETTINGS_PATH)}\nNo more of these: {message.unsubscribe_url}")
    return "\n\n".join(blocks) + "\n"


def _calendars(message: MailMessage, now: datetime) -> list[tuple[str, str]]:
    """(name, text) of the calendar file of each meeting, at the time that was stated last."""
    host = message.message_id.strip("<>").partition("@")[2]
    files = {
        f"{line.reference}.ics": calendar_file(
            uid=f"{line.kind}-{line.reference}@{host}",
            title=f"{line.title}: {line.reference}",
            url=page_url(LIST_PATH),
            starts_at=line.meets_at,
            stated_at=line.at,
            now=now,
        )
        for line in message.lines[:SHOWN_MAX]
        if line.meets_at is not None
    }
    return list(files.items())
