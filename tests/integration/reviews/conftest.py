"""A world with its rulebook published."""

from datetime import datetime

import pytest

from governance.rulebook.models import PolicyVersion
from tests.factories.people import Cast
from tests.integration.reviews.workflow.worlds import World, make_world


@pytest.fixture
def world(policy: PolicyVersion, cast: Cast, now: datetime) -> World:
    return make_world(cast=cast, now=now)
