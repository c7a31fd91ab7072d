"""Work that a worker or the tick does."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail

from governance.accounts import actions as accounts
from governance.accounts.domain import TOLD, Happening
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage

IF_IT_WAS_NOT_YOU = "If you did not do this and asked nobody to, tell an administrator at once."


@outbox.handles(accounts.TELL)
def tell_owner(message: OutboxMessage) -> None:
    """Tell somebody by mail what happened to their account; an account that is gone is told nothing."""
    user = User.objects.filter(pk=message.payload["user"]).exclude(email="").first()
    if user is not None:
        said, at = TOLD[Happening(message.payload["happening"])], datetime.fromisoformat(message.payload["at"])
        where = f"{settings.WEIGHBRIDGE['BASE_URL']}/accounts/2fa/"
        text = f"{said}\n\nIt was on {at:%Y-%m-%d at %H:%M} UTC. {IF_IT_WAS_NOT_YOU}\n\n{where}\n"
        send_mail(f"Weighbridge: {said}", text, None, [user.email])
