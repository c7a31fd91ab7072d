"""Signed links in mails. They name a person and a notification, decide nothing, and log nobody in."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from governance.notifications.domain.kinds import EVERY_KIND
from weighbridge.core.errors import NotFound

OPEN_SALT, END_SALT = "notifications.open", "notifications.unsubscribe"
OPEN_VALID = timedelta(days=30)


def page_url(path: str) -> str:
    """The full address of a page of this site."""
    return f"{settings.WEIGHBRIDGE['BASE_URL']}{path}"


def open_url(notification_id: int) -> str:
    """The link that opens the object of a notification once, for its person, within 30 days."""
    token = signing.dumps(notification_id, salt=OPEN_SALT)
    return page_url(reverse("governance:notification_open", args=[token]))


def opened_id(token: str) -> int:
    """The notification of a link. Raises NotFound for a forged or an old one."""
    try:
        return int(signing.loads(token, salt=OPEN_SALT, max_age=OPEN_VALID))
    except (signing.BadSignature, TypeError, ValueError) as error:
        raise NotFound("This link is not valid any more. Open the object from the list of notifications.") from error


def unsubscribe_url(*, person_id: int, about: str = EVERY_KIND) -> str:
    """The link that ends mail of one kind, the daily mail, or all of it. It does not expire (RFC 8058)."""
    token = signing.dumps([person_id, about], salt=END_SALT)
    return page_url(reverse("governance:notification_unsubscribe", args=[token]))


def unsubscribed(token: str) -> tuple[int, str]:
    """The person of an unsubscribe link, and what it is about. Raises NotFound for a forged one."""
    try:
        person_id, about = signing.loads(token, salt=END_SALT)
        return int(person_id), str(about)
    except (signing.BadSignature, TypeError, ValueError) as error:
        raise NotFound("This link is not valid. Change your notifications on their settings page.") from error
