"""A world with its rulebook published, and the clock of the tasks of tickets."""

from datetime import datetime

import pytest

from governance.rulebook.models import PolicyVersion
from reviews.ticket_sync import tasks
from tests.factories.people import Cast
from tests.integration.reviews.ticket_sync.delivery import Clock
from tests.integration.reviews.workflow.worlds import World, make_world


@pytest.fixture
def world(policy: PolicyVersion, cast: Cast, now: datetime) -> World:
    return make_world(cast=cast, now=now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Clock:
    """The time that the tasks of tickets read; it passes as the test says."""
    clock = Clock(now)
    monkeypatch.setattr(tasks, "timezone", clock)
    return clock
