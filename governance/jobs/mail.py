"""Send one mail of the outbox: a repetition can be recognized, and each refusal says what becomes of the message."""

import smtplib

from django.contrib.auth.models import User
from django.core.mail import EmailMessage

from governance.jobs import outbox
from governance.jobs.enums import Reach

PERMANENT = 500
NOBODY_IS_SERVED = (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPAuthenticationError)


def post(mail: EmailMessage, *, to: User, message_id: str) -> None:
    """Send a mail of the outbox. A repetition has the same Message-ID, so that mail programs show it once.

    Raises NeedsPerson if the server refuses the address, and TryLater if it does not take this mail, or any, now.
    """
    mail.to = [to.email]
    mail.extra_headers |= {"Message-ID": message_id, "Auto-Submitted": "auto-generated"}
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        if all(code >= PERMANENT for code, _ in error.recipients.values()):
            raise outbox.NeedsPerson(f"The mail server refuses the address of {to.username}.") from error
        raise outbox.TryLater(_words(error), is_uncertain=True) from error
    except NOBODY_IS_SERVED as error:
        raise outbox.TryLater(_words(error), reach=Reach.CHANNEL) from error
    except smtplib.SMTPException as error:
        raise outbox.TryLater(_words(error), is_uncertain=True) from error
    except OSError as error:
        raise outbox.TryLater(_words(error), reach=Reach.CHANNEL) from error


def _words(error: OSError) -> str:
    return f"The mail server does not take the mail: {type(error).__name__}: {error}"
