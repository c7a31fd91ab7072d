"""What production refuses to start with: a weak key, any host name, an undeclared proxy, the people of the demo."""

import logging
import zlib

from config import env

KEY_CHARS, KEY_BYTES = 50, 48
HALT = 4  # the exit status of a worker after which gunicorn stops; after others it starts the worker again and again
log = logging.getLogger(__name__)


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
