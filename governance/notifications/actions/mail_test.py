"""A test of mail, for those who operate the installation."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.notifications.domain.kinds import TEST, NoticePace
from governance.notifications.models import MAIL, Dispatch, Notification
from governance.notifications.queries.messages import check_mail_server
from governance.people.queries.people import person_of
from governance.people.rules import check_operate
from weighbridge.core.errors import WrongState

SENTENCE = "You asked for this test on the page of health and mail. Mail arrives."


def send_test_mail(*, by: User, now: datetime) -> Dispatch:
    """Send a mail to the own address at once, also in quiet hours. Raises WrongState without a server or an address."""
    check_operate(person_of(by))
    check_mail_server()
    if not by.email:
        raise WrongState("Your account has no mail address. Whoever may edit the table of accounts can enter one.")
    key = f"mail:{by.pk}:{TEST}:{now.isoformat()}"
    with transaction.atomic():
        dispatch = Dispatch.objects.create(key=key, person=by, kind=TEST, made_at=now)
        Notification.objects.create(
            key=key,
            kind=TEST,
            person=by,
            reference="Mail",
            path="/settings/health/",
            sentence=SENTENCE,
            pace=NoticePace.AT_ONCE,
            made_at=now,
            dispatch=dispatch,
        )
        outbox.enqueue(kind=MAIL, key=key, lane=key, payload={"dispatch": dispatch.pk}, now=now)
        audit.record(kind="mail.tested", by=by, subject=("person", by.username), details={}, now=now)
    return dispatch
