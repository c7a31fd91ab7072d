"""Tasks for workers and the tick."""

from datetime import datetime

from django.contrib.auth.models import User

from governance.accounts import actions as accounts
from governance.accounts import mail
from governance.accounts.domain import SecurityEvent
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage


@outbox.handles(accounts.TELL, channel="mail")
def notify_owner(message: OutboxMessage) -> None:
    """Notify the owner of an account by mail. A deleted account gets no mail."""
    user = User.objects.filter(pk=message.payload["user"]).exclude(email="").first()
    if user is not None:
        event, at = SecurityEvent(message.payload["happening"]), datetime.fromisoformat(message.payload["at"])
        mail.send_notice(user=user, event=event, at=at, key=message.key)
