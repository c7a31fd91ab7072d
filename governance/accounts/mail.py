"""Mail to the owners of accounts."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail

from governance.accounts.domain import MAIL_TEXTS, SecurityEvent

IF_IT_WAS_NOT_YOU = "If you did not do or request this, tell an administrator immediately."


def send_notice(*, user: User, event: SecurityEvent, at: datetime) -> None:
    """Tell the owner of an account what happened to it."""
    where = f"{settings.WEIGHBRIDGE['BASE_URL']}/accounts/2fa/"
    text = f"{MAIL_TEXTS[event]}\n\nTime: {at:%Y-%m-%d %H:%M} UTC. {IF_IT_WAS_NOT_YOU}\n\n{where}\n"
    send_mail(f"Weighbridge: {MAIL_TEXTS[event]}", text, None, [user.email])
