"""What production refuses to start with: a weak key, any host name, an undeclared proxy, the people of the demo."""

import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from config import env

KEY_CHARS, KEY_BYTES = 50, 48
SET_AGAIN = "Correct it in the environment and start again."
HALT = 4  # the exit status of a worker after which gunicorn stops; after others it starts the worker again and again
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over, and whether TLS begins at once or after a greeting."""

    host: str
    port: int
    user: str
    password: str
    uses_tls_at_once: bool
    starts_tls: bool


def mail_server(url: str) -> MailServer:
    """The mail server of a URL: `smtp` without TLS, `smtp+tls` with STARTTLS, `smtps` with TLS at once.

    Exits with a message for another kind of URL, because the mail would go nowhere.
    """
    try:
        found = urlsplit(url)
        port = found.port or MAIL_PORTS[found.scheme]
    except (KeyError, ValueError) as error:
        wrong = "EMAIL_URL must begin with smtp://, smtp+tls:// or smtps://, and its port must be a number."
        raise env.MissingVariable(f"{wrong} {SET_AGAIN}") from error
    if not found.hostname or found.scheme not in MAIL_PORTS:
        raise env.MissingVariable(f"EMAIL_URL must be like smtp+tls://user:password@host:587. {SET_AGAIN}")
    user, password = unquote(found.username or ""), unquote(found.password or "")
    return MailServer(found.hostname, port, user, password, found.scheme == "smtps", found.scheme == "smtp+tls")


def sender(address: str, *, hosts: Sequence[str]) -> str:
    """The address that mail comes from; without one, `weighbridge` at the first host. Exits if it is no address."""
    if not address:
        return f"weighbridge@{hosts[0].strip().lstrip('.')}"
    try:
        validate_email(address)
    except ValidationError as error:
        wrong = "EMAIL_FROM must be an address such as weighbridge@example.com."
        raise env.MissingVariable(f"{wrong} {SET_AGAIN}") from error
    return address


def check_secret_key(key: str) -> str:
    """The key. Exits with a message if it is short, an example, or so regular that it compresses well."""
    is_random = len(key) >= KEY_CHARS and len(zlib.compress(key.encode(), 9)) >= KEY_BYTES
    if not is_random or key.startswith("django-insecure-"):
        make = "python -c 'import secrets; print(secrets.token_urlsafe(60))'"
        wrong = f"WEIGHBRIDGE_SECRET_KEY must have {KEY_CHARS} random characters or more."
        raise env.MissingVariable(f"{wrong} Make one with {make} and start again.")
    return key


def check_hosts(hosts: list[str]) -> list[str]:
    """The host names. Exits with a message if one of them stands for any host."""
    if not hosts or any(host.strip().strip(".") in {"", "*"} for host in hosts):
        wrong = "WEIGHBRIDGE_HOSTS must name the hosts that people use; * would accept any."
        raise env.MissingVariable(f"{wrong} Correct it in the environment and start again.")
    return hosts


def refuse_demo_people() -> None:
    """Exit with a message if people of the demo can log in. Without a database, only log that it was not checked."""
    from django.db import Error  # noqa: PLC0415 -- the settings import this module

    from governance.accounts.queries import demo_people  # noqa: PLC0415 -- tables exist after the set-up alone

    try:
        found = demo_people()
    except Error as error:
        log.warning("Not checked for people of the demo: %s", error)
        return
    if found:
        close = "Use another database, or close these accounts or change their passwords"
        raise SystemExit(f"People of the demo can log in with its known password: {', '.join(found)}. {close}.")
