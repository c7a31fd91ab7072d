"""Writing, changing, withdrawing, resolving: what is stored, what is refused, and what the database refuses."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from governance.audit.models import AuditEvent
from governance.jobs.models import OutboxMessage
from governance.notifications.models import Notification
from governance.people.queries.people import person_of
from reviews.discussions.actions import comments, threads
from reviews.discussions.kinds import KINDS, find_comment, find_thread, kind_named
from reviews.discussions.models import Comment, CommentText, Mention, Resolution, Thread
from reviews.discussions.queries.threads import Discussion, discussion_of, entries, load
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import may_see
from reviews.workflow.actions import requests
from tests.factories.discussions import make_comment
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, Refused, WrongState

pytestmark = pytest.mark.django_db


def threads_of(request: ReviewRequest, reader: User, now: datetime):
    found = entries(kind="request", subject=request)
    return load(kind="request", subject=request, found=found, reader=person_of(reader), now=now)


def counted(request: ReviewRequest, now: datetime) -> Discussion:
    return discussion_of(kind="request", ref=request.ref, subject=request, reader=None, now=now, shown_max=9)


def refused_without_a_trace(act: Callable[[], object], error: type[Refused], reason: str) -> None:
    before = snapshot()
    with pytest.raises(error) as refused:
        act()
    assert reason in refused.value.reason
    assert snapshot() == before


def test_a_comment_belongs_to_the_revision_of_its_time(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    first = make_comment(in_review, "Which traffic?", by=cast.reviewer_one, now=now)
    requests.revise(request=in_review, reason="A better answer is here.", by=cast.author, now=now)
    comments.reply(thread=first.thread, text="That of @author.", by=cast.reviewer_two, now=now)
    (view,) = threads_of(in_review, cast.author, now)
    assert [(each.author, each.revision, each.text, each.mentions) for each in view.comments] == [
        ("Reviewer One", 1, "Which traffic?", ()),
        ("Reviewer Two", 2, "That of @author.", ("author",)),
    ]
    assert Mention.objects.get().person == cast.author
    event = AuditEvent.objects.filter(kind="comment.written").first()
    assert (event.subject, event.details["thread"], event.details["comment"]) == (
        in_review.ref,
        first.thread_id,
        first.pk,
    )
    assert "Which traffic?" not in str(event.details) + event.reason


def test_a_comment_leaves_the_frozen_evidence_as_it_is(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    frozen = in_review.revisions.get()
    make_comment(in_review, by=cast.reviewer_one, now=now)
    assert (in_review.revisions.get().digest, in_review.revisions.get().bundle) == (frozen.digest, frozen.bundle)


def test_counts_by_topic(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(in_review, by=cast.reviewer_one, now=now, about="metric:latency_p95_ms")
    comments.reply(thread=one.thread, text="Peak.", by=cast.author, now=now)
    make_comment(in_review, by=cast.author, now=now, about="item:owner-and-rollback")
    gone = make_comment(in_review, by=cast.author, now=now)
    comments.withdraw(comment=gone, by=cast.author, now=now)
    assert counted(in_review, now).counts == {
        "metric:latency_p95_ms": 2,
        "item:owner-and-rollback": 1,
    }
    assert counted(in_review, now).open_count == 2
    threads.resolve(thread=one.thread, by=cast.author, now=now)
    assert counted(in_review, now).open_count == 1


@pytest.mark.parametrize("about", ["metric:no_such_metric", "item:no-such-item"])
def test_a_request_has_only_its_own_parts(submitted: ReviewRequest, cast: Cast, now: datetime, about: str) -> None:
    part, _, name = about.partition(":")
    refused_without_a_trace(
        lambda: make_comment(submitted, by=cast.author, now=now, about=about),
        Invalid,
        f"{submitted.ref} has no {part} {name}.",
    )


def test_a_draft_has_no_items(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    refused_without_a_trace(
        lambda: make_comment(draft, by=cast.author, now=now, about="item:owner-and-rollback"), Invalid, "has no item"
    )


@pytest.mark.parametrize("name", ["outsider", "nobody", "import", "author"])
def test_whoever_cannot_see_it_is_not_mentioned(draft: ReviewRequest, cast: Cast, now: datetime, name: str) -> None:
    comment = make_comment(draft, f"@{name} look, @reviewer_one", by=cast.author, now=now)
    assert comment.texts.get().text == f"@{name} look, @reviewer_one"
    assert [each.person for each in comment.mentions.all()] == [cast.reviewer_one]
    told = Notification.objects.filter(kind="mentioned").values_list("person__username", flat=True)
    assert list(told) == ["reviewer_one"]


def test_words_that_are_nobody_are_not_counted(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    text = " ".join([*(f"@rule{n}" for n in range(40)), "@reviewer_two"])
    comment = make_comment(draft, text, by=cast.author, now=now)
    assert [each.person for each in comment.mentions.all()] == [cast.reviewer_two]
    ((shown,),) = [view.comments for view in threads_of(draft, cast.author, now)]
    assert shown.mentions == ("reviewer_two",)


def test_more_than_twenty_people_are_not_mentioned(
    draft: ReviewRequest, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviews.discussions.domain.mentions.MENTIONS_MAX", 1)
    refused_without_a_trace(
        lambda: make_comment(draft, "@reviewer_one @reviewer_two", by=cast.author, now=now),
        Invalid,
        "A comment mentions at most 1 people.",
    )


def test_nobody_mentions_themselves_and_nobody_twice(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, "@author @reviewer_one @reviewer_one", by=cast.author, now=now)
    comments.edit(comment=one, text="@reviewer_one @reviewer_two", by=cast.author, now=now)
    assert [each.person.username for each in one.mentions.all()] == ["reviewer_one", "reviewer_two"]


def test_the_readers_are_those_who_may_see_it(draft: ReviewRequest, cast: Cast) -> None:
    cast.steward.is_active = False
    cast.steward.save()
    readers = set(KINDS["request"].people(draft))
    assert readers == {
        user for user in cast.everybody() if user.is_active and may_see(person_of(user), parties_of(draft))
    }
    assert cast.outsider not in readers
    assert cast.author in readers


def test_an_edit_keeps_the_old_text(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, "Frist.", by=cast.author, now=now)
    later = now + timedelta(minutes=15)
    comments.edit(comment=one, text="First.", by=cast.author, now=later)
    comments.edit(comment=one, text="First.", by=cast.author, now=later)
    (view,) = threads_of(draft, cast.author, later)
    (shown,) = view.comments
    assert (shown.text, shown.earlier_texts, shown.edited_at, shown.may_edit) == ("First.", ("Frist.",), later, True)
    assert AuditEvent.objects.filter(kind="comment.edited").count() == 1


def test_texts_and_threads_are_limited(
    draft: ReviewRequest, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviews.discussions.domain.comments.TEXTS_MAX", 2)
    monkeypatch.setattr("reviews.discussions.domain.comments.THREADS_MAX", 1)
    one = make_comment(draft, "One.", by=cast.author, now=now)
    comments.edit(comment=one, text="Two.", by=cast.author, now=now)
    comments.edit(comment=one, text="Two.", by=cast.author, now=now)
    refused_without_a_trace(
        lambda: comments.edit(comment=one, text="Three.", by=cast.author, now=now), WrongState, "can have 2 texts"
    )
    refused_without_a_trace(
        lambda: make_comment(draft, "Another.", by=cast.author, now=now), WrongState, "At most 1 threads"
    )


def test_an_edit_tells_whom_it_mentions_first(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, "See @reviewer_one.", by=cast.author, now=now)
    for text in ("See @reviewer_one and @finance.", "See @finance.", "See @reviewer_one, @finance."):
        comments.edit(comment=one, text=text, by=cast.author, now=now)
    told = Notification.objects.filter(kind="mentioned").order_by("pk").values_list("person__username", flat=True)
    assert list(told) == ["reviewer_one", "finance"]
    comments.edit(comment=one, text="See @finance.", by=cast.author, now=now)
    ((shown,),) = [view.comments for view in threads_of(draft, cast.author, now)]
    assert shown.mentions == ("finance",)


def test_each_write_locks_once(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(submitted, by=cast.author, now=now)
    for act in (
        lambda: make_comment(submitted, by=cast.author, now=now),
        lambda: comments.reply(thread=one.thread, text="Well.", by=cast.author, now=now),
        lambda: comments.edit(comment=one, text="Better.", by=cast.author, now=now),
    ):
        with CaptureQueriesContext(connection) as queries:
            act()
        locks = [each["sql"] for each in queries if 'FROM "requests_reviewrequest"' in each["sql"]]
        assert sum("FOR UPDATE" in sql for sql in locks) == 1


def test_an_edit_is_refused_after_an_answer_and_to_others(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, by=cast.author, now=now)
    edit = comments.edit
    refused_without_a_trace(
        lambda: edit(comment=one, text="x", by=cast.admin, now=now), NotAllowed, "Only its author may change"
    )
    late = now + timedelta(minutes=15, seconds=1)
    refused_without_a_trace(lambda: edit(comment=one, text="x", by=cast.author, now=late), WrongState, "is over")
    comments.reply(thread=one.thread, text="And?", by=cast.author, now=now)
    edit(comment=one, text="Still mine.", by=cast.author, now=now)
    comments.reply(thread=one.thread, text="Well.", by=cast.reviewer_one, now=now)
    refused_without_a_trace(lambda: edit(comment=one, text="x", by=cast.author, now=now), WrongState, "somebody has")


def test_a_withdrawn_comment_shows_no_text(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, "A secret for @reviewer_one", by=cast.author, now=now)
    refused_without_a_trace(
        lambda: comments.withdraw(comment=one, by=cast.admin, now=now), NotAllowed, "Only its author"
    )
    comments.withdraw(comment=one, by=cast.author, now=now)
    refused_without_a_trace(
        lambda: comments.withdraw(comment=one, by=cast.author, now=now), WrongState, "This comment is withdrawn."
    )
    ((shown,),) = [view.comments for view in threads_of(draft, cast.author, now)]
    assert (shown.text, shown.mentions, shown.withdrawn_at, shown.may_edit, shown.may_withdraw) == (
        "",
        (),
        now,
        False,
        False,
    )
    assert one.texts.get().text == "A secret for @reviewer_one"


def test_a_thread_is_resolved_and_reopened_in_turn(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    thread = make_comment(draft, by=cast.author, now=now).thread
    refused_without_a_trace(
        lambda: threads.reopen(thread=thread, by=cast.author, now=now), WrongState, "This thread is open."
    )
    threads.resolve(thread=thread, by=cast.reviewer_one, now=now)
    (view,) = threads_of(draft, cast.author, now)
    assert (view.is_resolved, view.resolved_by, view.resolved_at) == (True, "Reviewer One", now)
    refused_without_a_trace(
        lambda: threads.resolve(thread=thread, by=cast.author, now=now), WrongState, "resolved already"
    )
    threads.reopen(thread=thread, by=cast.author, now=now)
    (view,) = threads_of(draft, cast.author, now)
    assert (view.is_resolved, view.resolved_by, view.resolved_at) == (False, "", None)


def test_a_thread_is_full(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    thread = make_comment(draft, by=cast.author, now=now).thread
    for _ in range(99):
        Comment.objects.create(thread=thread, author=cast.author, revision=1, written_at=now)
    refused_without_a_trace(
        lambda: comments.reply(thread=thread, text="x", by=cast.author, now=now), WrongState, "at most 100 comments"
    )


def test_a_closed_account_writes_nothing(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, by=cast.author, now=now)
    cast.author.is_active = False
    cast.author.save()
    for act in (
        lambda: make_comment(draft, by=cast.author, now=now),
        lambda: comments.reply(thread=one.thread, text="x", by=cast.author, now=now),
        lambda: comments.edit(comment=one, text="x", by=cast.author, now=now),
        lambda: comments.withdraw(comment=one, by=cast.author, now=now),
        lambda: threads.resolve(thread=one.thread, by=cast.author, now=now),
    ):
        refused_without_a_trace(act, NotAllowed, "Your account is not active.")


def test_a_stranger_finds_no_thread(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, by=cast.author, now=now)
    stranger, reader = person_of(cast.outsider), person_of(cast.auditor)
    assert find_thread(thread_id=one.thread_id, person=reader) == one.thread
    assert find_comment(comment_id=one.pk, person=reader) == one
    for act in (
        lambda: find_thread(thread_id=one.thread_id, person=stranger),
        lambda: find_thread(thread_id=0, person=reader),
    ):
        refused_without_a_trace(act, NotFound, "There is no such thread that you can see.")
    for act in (
        lambda: find_comment(comment_id=one.pk, person=stranger),
        lambda: find_comment(comment_id=0, person=reader),
    ):
        refused_without_a_trace(act, NotFound, "There is no such")
    refused_without_a_trace(lambda: kind_named("vote"), NotFound, "Nothing of the kind vote is discussed")


def test_the_latest_threads_are_shown(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    for minute in range(4):
        make_comment(draft, f"No. {minute}", by=cast.author, now=now + timedelta(minutes=minute))
    found = discussion_of(kind="request", ref=draft.ref, subject=draft, reader=None, now=now, shown_max=3)
    assert [view.comments[0].text for view in found.threads] == ["No. 1", "No. 2", "No. 3"]
    assert (found.earlier_count, found.open_count, found.counts) == (1, 4, {"": 4})


def test_the_ticket_is_told(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    before = OutboxMessage.objects.count()
    one = make_comment(submitted, "Peak?", by=cast.reviewer_one, now=now, about="metric:latency_p95_ms")
    comments.reply(thread=one.thread, text="Yes.", by=cast.author, now=now)
    two = make_comment(submitted, "A.", by=cast.author, now=now)
    comments.edit(comment=two, text="B.", by=cast.author, now=now)
    comments.withdraw(comment=two, by=cast.author, now=now)
    rows = OutboxMessage.objects.order_by("pk")[before:]
    assert [(row.payload["by"], row.payload["occasion"], row.payload["text"]) for row in rows] == [
        ("Reviewer One", "comment", "On Latency p95: Peak?"),
        ("Author", "comment", "On Latency p95: Yes."),
        ("Author", "comment", "A."),
        ("Author", "comment", "(changed) B."),
        ("Author", "comment", "withdrew a comment."),
    ]


def test_without_a_ticket_nobody_is_told(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    make_comment(draft, by=cast.author, now=now)
    assert OutboxMessage.objects.count() == 0
    assert not AuditEvent.objects.filter(kind="ticket.not_wanted").exists()


def test_the_database_keeps_every_row(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one = make_comment(draft, "@reviewer_one", by=cast.author, now=now)
    two = make_comment(draft, by=cast.author, now=now)
    comments.withdraw(comment=two, by=cast.author, now=now)
    threads.resolve(thread=one.thread, by=cast.author, now=now)
    rows = [one, one.thread, one.texts.get(), one.mentions.get(), two.withdrawal, one.thread.resolutions.get()]
    for row in rows:
        with pytest.raises(DatabaseError), transaction.atomic():
            row.save(force_update=True)
        with pytest.raises(DatabaseError), transaction.atomic():
            type(row).objects.filter(pk=row.pk)._raw_delete("default")


def test_the_database_refuses_what_the_rules_refuse(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    one, two = (make_comment(draft, by=cast.author, now=now) for _ in range(2))
    comments.withdraw(comment=two, by=cast.author, now=now)
    answered = make_comment(draft, by=cast.author, now=now)
    comments.reply(thread=answered.thread, text="And?", by=cast.reviewer_one, now=now)
    late = now + timedelta(minutes=15, seconds=1)
    for make in (
        lambda: Comment.objects.create(thread=one.thread, author=cast.author, revision=2, written_at=now),
        lambda: Comment.objects.create(thread=one.thread, author=cast.author, revision=None, written_at=now),
        lambda: CommentText.objects.create(comment=one, number=2, text="x", written_at=late),
        lambda: CommentText.objects.create(comment=one, number=3, text="x", written_at=now),
        lambda: CommentText.objects.create(comment=two, number=2, text="x", written_at=now),
        lambda: CommentText.objects.create(comment=answered, number=2, text="x", written_at=now),
        lambda: Resolution.objects.create(thread=one.thread, number=1, is_resolved=False, by=cast.author, at=now),
        lambda: Resolution.objects.create(thread=one.thread, number=2, is_resolved=False, by=cast.author, at=now),
        lambda: Thread.objects.create(opened_at=now),
        lambda: Thread.objects.create(request=draft, part="metric", opened_at=now),
        lambda: Thread.objects.create(request=draft, name="x", opened_at=now),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            make()
