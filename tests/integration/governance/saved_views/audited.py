"""How to call every write of saved views, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from governance.saved_views import actions
from tests.factories.people import Cast
from tests.factories.saved_views import make_view

Call = Callable[[Cast, datetime], object]


def _save(cast: Cast, now: datetime) -> None:
    make_view(cast.author, now=now)


def _remove(cast: Cast, now: datetime) -> None:
    actions.remove_view(view=make_view(cast.author, now=now), by=cast.author, now=now)


ACTIONS: Mapping[str, Call] = {
    "governance.saved_views.actions.save_view": _save,
    "governance.saved_views.actions.remove_view": _remove,
}
