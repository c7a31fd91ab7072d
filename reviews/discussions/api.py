"""`discussions/`: the threads of a request, a finding or an agenda item, and the steps of their comments."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.people.domain.roles import Person
from governance.site.api.shapes import Input, Nothing, answer_of, read, read_for
from reviews.discussions.actions import comments as writes
from reviews.discussions.actions import threads as turns
from reviews.discussions.domain.comments import TEXT_CHARS_MAX, check_own, topic_of
from reviews.discussions.kinds import find_comment, find_thread, kind_named, place_of
from reviews.discussions.models import Comment, Thread
from reviews.discussions.queries.threads import OURS, CommentView, ThreadPlace, ThreadView, entries, load
from reviews.discussions.queries.writing import written
from reviews.discussions.rules import check_comment

answer_of(CommentView, without=("told",), properties=("mentions",), after={"mentions": "earlier_texts"})
ThreadAnswer = answer_of(
    ThreadView,
    helps={
        "source": "weighbridge, or ticket for a comment that was written in the ticket.",
        "about": "metric:NAME or item:ID for a thread on a part of a request.",
    },
)
ABOUT = "metric:NAME or item:ID for a part of a request; empty for the whole."
ABOUT_CHARS_MAX = 100


class ThreadFilters(Input):
    """Which threads to list."""

    page = serializers.IntegerField(required=False, min_value=1)
    about = serializers.CharField(required=False, max_length=ABOUT_CHARS_MAX, help_text=ABOUT)


class CommentInput(Input):
    """The text of a comment."""

    text = serializers.CharField(max_length=TEXT_CHARS_MAX, help_text="Plain text; @ and a user name mention a person.")


class ThreadInput(CommentInput):
    """The first comment of a thread, and what it is about."""

    about = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=ABOUT_CHARS_MAX, help_text=ABOUT
    )


class Threads(GenericAPIView[Any]):
    """The threads of a thing."""

    serializer_class = ThreadAnswer

    @extend_schema(operation_id="discussions_list", parameters=[ThreadFilters], responses=ThreadAnswer(many=True))
    def get(self, request: Request, kind: str, ref: str) -> Response:
        """Every thread, the oldest first, and among them the comments that were written in the ticket."""
        _, person, now = asker(request)
        subject = kind_named(kind).find(ref, person)
        about = read(ThreadFilters, request.query_params).get("about", "")
        found = entries(kind=kind, subject=subject, topic=topic_of(about) if about else None)
        page: list[ThreadPlace] = self.paginate_queryset(found)  # type: ignore[assignment]  # never None: pages are numbered
        views = load(kind=kind, subject=subject, found=page, reader=person, now=now)
        return self.get_paginated_response(ThreadAnswer(views, many=True).data)

    @extend_schema(operation_id="discussions_start", request=ThreadInput, responses={201: ThreadAnswer})
    def post(self, request: Request, kind: str, ref: str) -> Response:
        """Begin a thread; whoever may see the thing may comment on it."""
        user, person, now = asker(request)
        subject = kind_named(kind).find(ref, person)
        given = read_for(request, ThreadInput, lambda: check_comment(person))
        topic, text = topic_of(given["about"]), given["text"]
        comment = writes.start(kind=kind, subject=subject, text=text, topic=topic, by=user, now=now)
        return Response(_shown(comment.thread, request), status=201)


class ThreadReplies(APIView):
    """The answers of a thread."""

    @extend_schema(operation_id="discussions_reply", request=CommentInput, responses={201: ThreadAnswer})
    def post(self, request: Request, thread_id: int) -> Response:
        """Answer in a thread."""
        user, person, now = asker(request)
        thread = find_thread(thread_id=thread_id, person=person)
        given = read_for(request, CommentInput, lambda: check_comment(person))
        writes.reply(thread=thread, **given, by=user, now=now)
        return Response(_shown(thread, request), status=201)


class ThreadResolving(APIView):
    """The end of a thread."""

    @extend_schema(operation_id="discussions_resolve", request=Nothing, responses=ThreadAnswer)
    def post(self, request: Request, thread_id: int) -> Response:
        """Resolve an open thread."""
        user, person, now = asker(request)
        thread = find_thread(thread_id=thread_id, person=person)
        read_for(request, Nothing, lambda: check_comment(person))
        return Response(_shown(turns.resolve(thread=thread, by=user, now=now), request))


class ThreadReopening(APIView):
    """The new beginning of a thread."""

    @extend_schema(operation_id="discussions_reopen", request=Nothing, responses=ThreadAnswer)
    def post(self, request: Request, thread_id: int) -> Response:
        """Open a resolved thread again."""
        user, person, now = asker(request)
        thread = find_thread(thread_id=thread_id, person=person)
        read_for(request, Nothing, lambda: check_comment(person))
        return Response(_shown(turns.reopen(thread=thread, by=user, now=now), request))


class CommentEditing(APIView):
    """The text of a comment."""

    @extend_schema(operation_id="discussions_edit", request=CommentInput, responses=ThreadAnswer)
    def post(self, request: Request, comment_id: int) -> Response:
        """Change one's own comment, within 15 minutes and before anybody answered; the old text is kept."""
        user, person, now = asker(request)
        comment = find_comment(comment_id=comment_id, person=person)
        given = read_for(request, CommentInput, lambda: _check_own(comment, person))
        writes.edit(comment=comment, **given, by=user, now=now)
        return Response(_shown(comment.thread, request))


class CommentWithdrawing(APIView):
    """The withdrawal of a comment."""

    @extend_schema(operation_id="discussions_withdraw", request=Nothing, responses=ThreadAnswer)
    def post(self, request: Request, comment_id: int) -> Response:
        """Withdraw one's own comment: its text stays on record and is not shown any more."""
        user, person, now = asker(request)
        comment = find_comment(comment_id=comment_id, person=person)
        read_for(request, Nothing, lambda: _check_own(comment, person))
        writes.withdraw(comment=comment, by=user, now=now)
        return Response(_shown(comment.thread, request))


def _check_own(comment: Comment, person: Person) -> None:
    check_comment(person)
    check_own(written(comment), person_id=person.id)


def _shown(thread: Thread, request: Request) -> Any:
    """The thread as it stands now."""
    _, person, now = asker(request)
    kind, row = place_of(thread)
    found = [ThreadPlace(thread.opened_at, OURS, thread.pk)]
    return ThreadAnswer(load(kind=kind.name, subject=row, found=found, reader=person, now=now)[0]).data
