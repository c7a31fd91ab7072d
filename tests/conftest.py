"""What holds for every test: no telemetry, and property tests that repeat exactly in `make test` and CI."""

import gc
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, settings

from tests import template_database

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker

    from examples.support_assistant.local_model import LocalModel

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

EVERYWHERE = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("quick", derandomize=True, max_examples=20, **EVERYWHERE)  # make test-unit
settings.register_profile("ci", derandomize=True, max_examples=60, **EVERYWHERE)
settings.register_profile("local", **EVERYWHERE)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start what is marked slow at once, so that no process is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Keep what was imported out of every later garbage collection: each measurement starts with a whole one."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    django_db_use_migrations: bool,
    django_db_blocker: "DjangoDbBlocker",
) -> None:
    """The test database of this process is a copy of the migrated template."""
    if django_db_use_migrations:
        with django_db_blocker.unblock():
            name = template_database.name_of(template_database.present_migrations())
            template_database.prepared(connection, name, now=timezone.now())
        connection.settings_dict["TEST"]["TEMPLATE"] = name


@pytest.fixture(scope="session")
def language_model() -> Iterator["LocalModel"]:
    """A real language model on the processor, in a process of its own: two slots of 2,048 tokens, one thread.

    It is started for the first test that asks for it, in about a second, and takes 250 MB.
    """
    from examples.support_assistant.local_model import local_model

    with local_model() as model:
        yield model


@pytest.fixture(autouse=True)
def _unlimited_answers() -> Iterator[None]:
    """A limit that a test leaves at the connection of this process would end a slow statement of a later test."""
    yield
    assert connection.answer_s is None, "This test left a limit at the connection."


@pytest.fixture(autouse=True)
def _an_unknown_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier test found out about the broker, announced there and did in ticks, does not concern the next."""
    from governance.jobs import ticks  # models exist after the set-up of Django alone
    from governance.jobs import worker_signals as wakeups

    monkeypatch.setattr(wakeups, "CIRCUIT", wakeups.BrokerCircuit())
    monkeypatch.setattr(ticks, "PACE", ticks.TickPace())
