"""How to call every write of discussions; `tests/integration/test_every_action_is_audited.py`."""

from collections.abc import Callable, Mapping
from datetime import datetime

from reviews.discussions.actions import comments, threads
from reviews.discussions.domain.comments import WHOLE
from reviews.discussions.models import Comment
from tests.factories import requests as walks
from tests.factories.discussions import make_comment
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]


def written(cast: Cast, now: datetime) -> Comment:
    return make_comment(walks.make_draft(by=cast.author, now=now), by=cast.author, now=now)


def resolved(cast: Cast, now: datetime) -> object:
    return threads.resolve(thread=written(cast, now).thread, by=cast.reviewer_one, now=now)


ACTIONS: Mapping[str, Call] = {
    "reviews.discussions.actions.comments.start": lambda cast, now: comments.start(
        kind="request",
        subject=walks.make_draft(by=cast.author, now=now),
        text="Why?",
        topic=WHOLE,
        by=cast.author,
        now=now,
    ),
    "reviews.discussions.actions.comments.reply": lambda cast, now: comments.reply(
        thread=written(cast, now).thread, text="So.", by=cast.reviewer_one, now=now
    ),
    "reviews.discussions.actions.comments.edit": lambda cast, now: comments.edit(
        comment=written(cast, now), text="Better.", by=cast.author, now=now
    ),
    "reviews.discussions.actions.comments.withdraw": lambda cast, now: comments.withdraw(
        comment=written(cast, now), by=cast.author, now=now
    ),
    "reviews.discussions.actions.threads.resolve": resolved,
    "reviews.discussions.actions.threads.reopen": lambda cast, now: threads.reopen(
        thread=resolved(cast, now), by=cast.author, now=now
    ),
}
