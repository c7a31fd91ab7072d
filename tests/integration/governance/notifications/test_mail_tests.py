"""Whoever operates the installation can see whether mail arrives."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from governance.jobs.models import OutboxMessage
from governance.notifications.actions.preferences import choose
from governance.notifications.domain.hours import MailHours
from tests.factories.people import Cast
from tests.integration.governance.notifications.conftest import deliver_all
from tests.integration.reviews.requests.reading import enter, words
from tests.standins.mail_server import MailServer

pytestmark = pytest.mark.django_db


def test_whoever_operates_sends_a_test_mail_to_themselves(cast: Cast, mailbox: MailServer, settings: Settings) -> None:
    client = enter(cast.admin)
    assert "Send a test mail to me" in words(client.get("/settings/health/"))
    choose(paces={}, hours=MailHours(quiet_from=0, quiet_to=23), by=cast.admin, now=timezone.now())
    client.post("/settings/health/mail/")
    (sent,) = deliver_all(timezone.now())
    assert sent.state == "done"
    (message,) = mailbox.messages
    assert (message["To"], message["Subject"]) == (cast.admin.email, "Weighbridge: Test: Mail")
    before = OutboxMessage.objects.count()
    assert enter(cast.author).post("/settings/health/mail/").status_code == 403
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"HAS_MAIL": False}
    assert "Send a test mail to me" not in words(client.get("/settings/health/"))
    assert "No mail server is set" in words(client.post("/settings/health/mail/", follow=True))
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"HAS_MAIL": True}
    User.objects.filter(pk=cast.admin.pk).update(email="")
    assert "Your account has no mail address." in words(client.post("/settings/health/mail/", follow=True))
    assert OutboxMessage.objects.count() == before
