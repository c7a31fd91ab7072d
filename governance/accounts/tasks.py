"""Tasks for workers and the tick."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail

from governance.accounts import actions as accounts
from governance.accounts.domain import MAIL_TEXTS, SecurityEvent
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage

IF_IT_WAS_NOT_YOU = "If you did not do or request this, tell an administrator immediately."


@outbox.handles(accounts.TELL)
def notify_owner(message: OutboxMessage) -> None:
    """Notify the owner of an account by mail. A deleted account gets no mail."""
    user = User.objects.filter(pk=message.payload["user"]).exclude(email="").first()
    if user is not None:
        sentence = MAIL_TEXTS[SecurityEvent(message.payload["happening"])]
        at = datetime.fromisoformat(message.payload["at"])
        where = f"{settings.WEIGHBRIDGE['BASE_URL']}/accounts/2fa/"
        text = f"{sentence}\n\nTime: {at:%Y-%m-%d %H:%M} UTC. {IF_IT_WAS_NOT_YOU}\n\n{where}\n"
        send_mail(f"Weighbridge: {sentence}", text, None, [user.email])
