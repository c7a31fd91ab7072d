"""The API of discussions."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from reviews.discussions.models import Comment
from reviews.requests.models import ReviewRequest
from tests.factories.discussions import make_comment
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot

pytestmark = pytest.mark.django_db
Enter = Callable[[User], APIClient]


def test_the_life_of_a_thread(draft: ReviewRequest, cast: Cast, api: Enter) -> None:
    mine, theirs = api(cast.author), api(cast.reviewer_one)
    path = f"/api/v1/discussions/request/{draft.ref}/"
    answer = mine.post(path, {"text": "Which traffic, @reviewer_one?", "about": "metric:latency_p95_ms"}, format="json")
    assert answer.status_code == 201
    assert {name: answer.data[name] for name in ("source", "about", "title", "is_resolved")} == {
        "source": "weighbridge",
        "about": "metric:latency_p95_ms",
        "title": "Latency p95",
        "is_resolved": False,
    }
    thread, comment = answer.data["id"], answer.data["comments"][0]
    assert (comment["author"], comment["username"], comment["mentions"], comment["revision"], comment["may_edit"]) == (
        "Author",
        "author",
        ["reviewer_one"],
        1,
        True,
    )
    edited = mine.post(f"/api/v1/comments/{comment['id']}/edit/", {"text": "Which one?"}, format="json")
    assert (edited.status_code, edited.data["comments"][0]["earlier_texts"]) == (200, ["Which traffic, @reviewer_one?"])
    replied = theirs.post(f"/api/v1/threads/{thread}/replies/", {"text": "Peak."}, format="json")
    assert (replied.status_code, [each["text"] for each in replied.data["comments"]]) == (201, ["Which one?", "Peak."])
    resolved = theirs.post(f"/api/v1/threads/{thread}/resolve/", format="json")
    assert (resolved.status_code, resolved.data["resolved_by"]) == (200, "Reviewer One")
    assert mine.post(f"/api/v1/threads/{thread}/resolve/", format="json").status_code == 409
    assert mine.post(f"/api/v1/threads/{thread}/reopen/", format="json").data["is_resolved"] is False
    gone = mine.post(f"/api/v1/comments/{comment['id']}/withdraw/", format="json")
    assert (gone.status_code, gone.data["comments"][0]["text"]) == (200, "")
    assert [row["id"] for row in theirs.get(path).data["results"]] == [thread]
    assert theirs.get(path, {"about": "metric:accuracy"}).data["results"] == []
    assert [row["id"] for row in theirs.get(path, {"about": "metric:latency_p95_ms"}).data["results"]] == [thread]


def test_a_repeated_call_writes_once(draft: ReviewRequest, cast: Cast, api: Enter) -> None:
    path, client = f"/api/v1/discussions/request/{draft.ref}/", api(cast.author)
    answers = [
        client.post(path, {"text": "Once."}, format="json", headers={"Idempotency-Key": "once-and-for-all"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Comment.objects.count() == 1


def test_what_is_refused_leaves_nothing(draft: ReviewRequest, cast: Cast, api: Enter, now: datetime) -> None:
    one = make_comment(draft, by=cast.author, now=now)
    path = f"/api/v1/discussions/request/{draft.ref}/"
    before = snapshot()
    for user, address, given, status in (
        (cast.outsider, path, {"text": "x"}, 404),
        (cast.outsider, f"/api/v1/threads/{one.thread_id}/replies/", {"text": "x"}, 404),
        (cast.outsider, f"/api/v1/comments/{one.pk}/withdraw/", {}, 404),
        (cast.admin, f"/api/v1/comments/{one.pk}/withdraw/", {}, 403),
        (cast.admin, f"/api/v1/comments/{one.pk}/edit/", {"text": "x"}, 403),
        (cast.author, path, {"text": "x", "about": "vote:1"}, 400),
        (cast.author, path, {"text": "x", "about": "metric:none"}, 400),
        (cast.author, path, {"text": ""}, 400),
        (cast.author, path, {"text": "x" * 4001}, 400),
        (cast.author, "/api/v1/discussions/vote/1/", {"text": "x"}, 404),
        (cast.author, f"/api/v1/threads/{one.thread_id}/reopen/", {}, 409),
    ):
        assert api(user).post(address, given, format="json").status_code == status, (address, given)
    assert snapshot() == before
