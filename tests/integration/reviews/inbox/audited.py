"""How to call every write of reminders, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from reviews.inbox import actions as reminders
from tests.factories.people import Cast
from tests.integration.reviews.workflow.worlds import make_world

Call = Callable[[Cast, datetime], object]


def _make(cast: Cast, now: datetime) -> None:
    make_world(cast=cast, now=now).evidence()
    assert reminders.make_reminders(now=now + timedelta(days=29, hours=20))


ACTIONS: Mapping[str, Call] = {"reviews.inbox.actions.make_reminders": _make}
