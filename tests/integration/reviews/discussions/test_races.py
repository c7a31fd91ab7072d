"""Two people at once: an edit and an answer, two resolutions, many comments."""

from datetime import datetime

import pytest

from governance.audit.queries.trail import first_broken
from governance.jobs.models import OutboxMessage
from reviews.discussions.actions import comments, threads
from reviews.discussions.models import Comment, CommentText, Resolution
from reviews.requests.models import ReviewRequest
from tests.factories.discussions import make_comment
from tests.factories.people import Cast
from tests.threads import together
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db(transaction=True)


def codes(results: list[object]) -> list[str]:
    return sorted(each.code if isinstance(each, WrongState) else type(each).__name__ for each in results)


def test_an_answered_comment_is_not_changed(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(submitted, by=cast.author, now=now)
    results = together(
        [
            lambda: comments.edit(comment=one, text="Better.", by=cast.author, now=now),
            lambda: comments.reply(thread=one.thread, text="Well.", by=cast.reviewer_one, now=now),
        ]
    )
    is_edited = CommentText.objects.filter(comment=one).count() == 2
    assert codes(results) == (["Comment", "Comment"] if is_edited else ["Comment", "answered"])
    assert Comment.objects.count() == 2
    assert first_broken() is None


def test_a_thread_is_resolved_once(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    thread = make_comment(submitted, by=cast.author, now=now).thread
    results = together([lambda: threads.resolve(thread=thread, by=cast.author, now=now)] * 4)
    assert codes(results) == ["Thread", *["wrong_state"] * 3]
    assert Resolution.objects.count() == 1


def test_every_comment_reaches_the_ticket(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    before = OutboxMessage.objects.filter(kind="ticket.tell").count()
    one = make_comment(submitted, by=cast.author, now=now)
    results = together(
        [
            *[lambda: make_comment(submitted, by=cast.author, now=now)] * 3,
            *[lambda: comments.reply(thread=one.thread, text="Well.", by=cast.reviewer_one, now=now)] * 3,
            lambda: comments.withdraw(comment=one, by=cast.author, now=now),
        ]
    )
    assert codes(results) == ["Comment"] * 7
    assert OutboxMessage.objects.filter(kind="ticket.tell").count() == before + 8
    assert first_broken() is None
