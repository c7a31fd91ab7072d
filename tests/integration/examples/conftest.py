"""The recording of the demo in a database of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoDbBlocker, Settings

from config.env import ROOT
from examples.recorded import recording
from examples.recorded.clock import RecordedClock

TEMPLATES = ROOT / "examples" / "recorded" / "templates"


def _server() -> psycopg.Connection[Any]:
    named, names = connection.settings_dict, {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    where = {name: named[key] for name, key in names.items() if named[key]}
    return psycopg.connect(dbname="postgres", autocommit=True, **where)


@contextmanager
def _another_database(name: str, *, template: str = "template1") -> Iterator[None]:
    """Another database of the server is the one of Django meanwhile, and is dropped at the end."""
    connection.close()
    usual = connection.settings_dict["NAME"]
    with _server() as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
        with _server() as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def a_copy_of_the_database() -> Iterator[None]:
    """A copy of the database as it is now; what is written meanwhile is in the copy."""
    usual = connection.settings_dict["NAME"]
    with _another_database(f"{usual}_copy", template=usual):
        yield


@pytest.fixture
def loaded(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    installation: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RecordedClock]:
    """The recording in a database of its own, with the settings and the clock of `make try`."""
    listed = recording.read_list()
    clock = RecordedClock(datetime.fromisoformat(listed["at"]), timezone.now())
    monkeypatch.setattr(timezone, "now", timezone.now)  # is put back afterwards
    clock.put_in_place()
    settings.RECORDED_CLOCK, settings.ROOT_URLCONF = clock, "examples.recorded.urls"
    settings.WEIGHBRIDGE |= {"SIGNING_KEY": installation / "recorded.pem"}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as when it was recorded
    pages = settings.TEMPLATES[0]
    options = pages["OPTIONS"]
    processors = [*options["context_processors"], "examples.recorded.web.recorded"]
    options = options | {"context_processors": processors}
    settings.TEMPLATES = [pages | {"DIRS": [TEMPLATES, *pages["DIRS"]], "OPTIONS": options}]
    recording.unpack(installation / "recording")
    with django_db_blocker.unblock():
        own = f"{connection.settings_dict['NAME']}_recording"
        with _another_database(own):
            call_command("restore", installation / "recording")
            yield clock
