"""How to call every write of notifications, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.conf import settings
from django.test import override_settings

from governance.notifications.actions import mail_test, preferences, webhooks
from governance.notifications.domain.hours import MailHours
from governance.notifications.domain.kinds import NoticePace
from tests.factories.notices import make_webhook
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]
KINDS = ["decided"]


def _change(cast: Cast, now: datetime) -> None:
    webhooks.change_webhook(webhook=make_webhook(cast=cast, now=now), name="B", kinds=KINDS, by=cast.admin, now=now)


def _test_mail(cast: Cast, now: datetime) -> None:
    with override_settings(WEIGHBRIDGE=settings.WEIGHBRIDGE | {"HAS_MAIL": True}):
        mail_test.send_test_mail(by=cast.admin, now=now)


def _again(cast: Cast, now: datetime) -> None:
    row = make_webhook(cast=cast, now=now)
    dispatch = webhooks.test_webhook(webhook=row, by=cast.admin, now=now)
    webhooks.send_again(webhook=row, dispatch=dispatch, by=cast.admin, now=now)


NAME = "governance.notifications.actions"
ACTIONS: Mapping[str, Call] = {
    f"{NAME}.mail_test.send_test_mail": _test_mail,
    f"{NAME}.preferences.choose": lambda cast, now: preferences.choose(
        paces={"decided": NoticePace.PAGE}, hours=MailHours(), by=cast.author, now=now
    ),
    f"{NAME}.preferences.unsubscribe": lambda cast, now: preferences.unsubscribe(
        person=cast.author, about="decided", now=now
    ),
    f"{NAME}.webhooks.add_webhook": lambda cast, now: make_webhook(cast=cast, now=now),
    f"{NAME}.webhooks.change_webhook": _change,
    f"{NAME}.webhooks.rotate_secret": lambda cast, now: webhooks.rotate_secret(
        webhook=make_webhook(cast=cast, now=now), by=cast.admin, now=now
    ),
    f"{NAME}.webhooks.remove_webhook": lambda cast, now: webhooks.remove_webhook(
        webhook=make_webhook(cast=cast, now=now), by=cast.admin, now=now
    ),
    f"{NAME}.webhooks.test_webhook": lambda cast, now: webhooks.test_webhook(
        webhook=make_webhook(cast=cast, now=now), by=cast.admin, now=now
    ),
    f"{NAME}.webhooks.send_again": _again,
}
