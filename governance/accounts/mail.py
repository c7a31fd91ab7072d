"""Mail to the owners of accounts."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage

from governance.accounts.domain import MAIL_TEXTS, SecurityEvent
from governance.jobs.mail import post
from governance.jobs.queries import message_id_of

IF_IT_WAS_NOT_YOU = "If you did not do or request this, tell an administrator immediately."


def send_notice(*, user: User, event: SecurityEvent, at: datetime, key: str) -> None:
    """Tell the owner of an account what happened to it. The same `key` is the same mail again."""
    where = f"{settings.WEIGHBRIDGE['BASE_URL']}/accounts/2fa/"
    text = f"{MAIL_TEXTS[event]}\n\nTime: {at:%Y-%m-%d %H:%M} UTC. {IF_IT_WAS_NOT_YOU}\n\n{where}\n"
    mail = EmailMessage(subject=f"Weighbridge: {MAIL_TEXTS[event]}", body=text)
    post(mail, to=user, message_id=message_id_of(key))
