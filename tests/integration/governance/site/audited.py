"""How to call every write of the site, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from governance.site import actions as answers
from governance.site.models import AnsweredPost
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]
MINUTE = timedelta(minutes=1)


def _forgotten(cast: Cast, now: datetime) -> object:
    AnsweredPost.objects.create(user=cast.author, key="k", fingerprint="f", received_at=now - answers.KEPT - MINUTE)
    return answers.delete_old_answers(now=now)


ACTIONS: Mapping[str, Call] = {
    "governance.site.actions.delete_old_answers": _forgotten,
}
