"""Topics, texts, and until when a comment may be changed."""

from datetime import UTC, datetime, timedelta

import pytest

from reviews.discussions.domain.comments import (
    WHOLE,
    RequestPart,
    Topic,
    Written,
    check_can_edit_text,
    check_has_room,
    check_has_text_room,
    check_has_thread_room,
    check_own,
    check_resolution,
    check_text,
    is_own,
    may_edit_text,
    topic_of,
)
from weighbridge.core.errors import Invalid, NotAllowed, Refused, WrongState

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def comment(**changes: object) -> Written:
    return Written(**({"author_id": 7, "written_at": AT, "is_answered": False, "is_withdrawn": False} | changes))


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("", WHOLE),
        ("metric:latency_p95_ms", Topic(RequestPart.METRIC, "latency_p95_ms")),
        ("metric:ndcg:10", Topic(RequestPart.METRIC, "ndcg:10")),
        ("item:owner-and-rollback", Topic(RequestPart.ITEM, "owner-and-rollback")),
    ],
)
def test_a_topic_is_read_as_it_is_written(text: str, topic: Topic) -> None:
    assert (topic_of(text), topic.text) == (topic, text)


@pytest.mark.parametrize("text", ["metric", "metric:", ":x", "vote:1", "whole", "METRIC:x"])
def test_other_topics_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        topic_of(text)
    assert refused.value.reason == f"“{text}” is not a topic; write metric:NAME, item:ID, or nothing."


@pytest.mark.parametrize(
    ("text", "kept"), [(" one ", "one"), ("a\r\nb\n", "a\nb"), ("x" * 4000, "x" * 4000), ("  x  y ", "x  y")]
)
def test_a_text_loses_the_blanks_around_it(text: str, kept: str) -> None:
    assert check_text(text) == kept


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Write a comment."),
        (" \r\n ", "Write a comment."),
        ("x" * 4001, "A comment has at most 4,000 characters; this one has 4,001."),
    ],
)
def test_an_empty_or_long_text_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_text(text)
    assert (refused.value.reason, refused.value.field) == (reason, "text")


NOT_OWN = "Only its author may change or withdraw a comment."
LATE = "A comment can be edited for 15 minutes, until somebody answers it; that time is over. Write another comment."
ANSWERED = "A comment can be edited for 15 minutes, until somebody answers it; somebody has. Write another comment."


@pytest.mark.parametrize(
    ("changes", "person_id", "minutes", "error", "reason"),
    [
        ({}, 7, 0, None, ""),
        ({}, 7, 15, None, ""),
        ({}, 7, 15.1, WrongState, LATE),
        ({"is_answered": True}, 7, 1, WrongState, ANSWERED),
        ({"is_withdrawn": True}, 7, 1, WrongState, "This comment is withdrawn."),
        ({}, 8, 1, NotAllowed, "Only its author may change or withdraw a comment."),
        (
            {"is_withdrawn": True, "is_answered": True},
            8,
            99,
            NotAllowed,
            "Only its author may change or withdraw a comment.",
        ),
    ],
)
def test_who_may_change_a_text_and_when(
    changes: dict[str, object], person_id: int, minutes: float, error: type[Refused] | None, reason: str
) -> None:
    row, now = comment(**changes), AT + timedelta(minutes=minutes)
    assert may_edit_text(row, person_id=person_id, now=now) is (error is None)
    if error is None:
        check_can_edit_text(row, person_id=person_id, now=now)
    else:
        with pytest.raises(error) as refused:
            check_can_edit_text(row, person_id=person_id, now=now)
        assert refused.value.reason == reason


@pytest.mark.parametrize(("author_id", "withdrawn", "own"), [(7, False, True), (7, True, False), (8, False, False)])
def test_one_withdraws_ones_own_comment_once(author_id: int, *, withdrawn: bool, own: bool) -> None:
    row = comment(author_id=author_id, is_withdrawn=withdrawn)
    assert is_own(row, person_id=7) is own
    if not own:
        with pytest.raises(Refused):
            check_own(row, person_id=7)


def test_a_thread_is_full_with_a_hundred_comments() -> None:
    check_has_room(comments=99)
    with pytest.raises(WrongState, match=r"A thread has at most 100 comments; begin another one."):
        check_has_room(comments=100)


def test_a_comment_has_twenty_texts_and_a_thing_five_hundred_threads() -> None:
    check_has_text_room(texts=19)
    with pytest.raises(WrongState, match=r"A comment can have 20 texts, and this one has. Write another comment."):
        check_has_text_room(texts=20)
    check_has_thread_room(threads=499)
    with pytest.raises(WrongState, match=r"At most 500 threads can be opened here; answer in one of them."):
        check_has_thread_room(threads=500)


@pytest.mark.parametrize(
    ("is_resolved", "wanted", "reason"),
    [(True, True, "This thread is resolved already."), (False, False, "This thread is open.")],
)
def test_resolving_changes_something(*, is_resolved: bool, wanted: bool, reason: str) -> None:
    check_resolution(is_resolved=is_resolved, wanted=not wanted)
    with pytest.raises(WrongState) as refused:
        check_resolution(is_resolved=is_resolved, wanted=wanted)
    assert refused.value.reason == reason
