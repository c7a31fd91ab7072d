"""Write, change and withdraw comments: each is a row, with its mentions and the update of the ticket."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse

from governance.notifications.domain.events import Occurrence
from governance.notifications.models import Notification
from governance.notifications.outbox.notices import notify
from governance.notifications.queries.relevance import found_at, number_in, waits_while
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of, person_of
from reviews.discussions.audit import record_in
from reviews.discussions.domain.comments import (
    WHOLE,
    Topic,
    check_can_edit_text,
    check_has_room,
    check_has_text_room,
    check_has_thread_room,
    check_own,
    check_text,
)
from reviews.discussions.domain.mentions import check_few, names_in
from reviews.discussions.kinds import find_comment, kind_named, place_of
from reviews.discussions.models import Comment, CommentText, CommentWithdrawal, Mention, Thread
from reviews.discussions.queries.topics import check_topic, topic_title
from reviews.discussions.queries.writing import written
from reviews.discussions.rules import check_comment
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.tickets.actions import notify_ticket
from reviews.tickets.models import Ticket

found_at("comments", find=lambda rest, person: find_comment(comment_id=number_in(rest), person=person))


def _still_mentions(notice: Notification, person: Person, now: datetime) -> bool:
    """Whether the comment still names the person: it was neither withdrawn nor changed."""
    prefix, _, number = notice.key.partition(":")
    if prefix != "comment":
        return True
    texts = CommentText.objects.filter(comment_id=int(number), comment__withdrawal=None).order_by("number")
    text = texts.last()
    return text is not None and person.username in names_in(text.text)


waits_while("mentioned", waits=_still_mentions)
OCCASION = "comment"
"""What the ticket is told; no status is configured for it, so the ticket does not move."""


def start(*, kind: str, subject: Any, text: str, topic: Topic = WHOLE, by: User, now: datetime) -> Comment:
    """Begin a thread on a thing that the person may see, or on a part of a request, with its first comment."""
    check_comment(person_of(by))
    kept = check_text(text)
    check_topic(subject, topic=topic)
    with transaction.atomic():
        row, name = _locked(subject), kind_named(kind).name
        check_has_thread_room(threads=Thread.objects.filter(**{name: row}).count())
        thread = Thread.objects.create(**{name: row}, part=topic.part, name=topic.name, opened_at=now)
        return _write(thread, row, kept, by, now)


def reply(*, thread: Thread, text: str, by: User, now: datetime) -> Comment:
    """Answer in a thread; a resolved thread stays resolved until somebody reopens it."""
    check_comment(person_of(by))
    kept = check_text(text)
    with transaction.atomic():
        row, subject = _locked_thread(thread)
        check_has_room(comments=row.comments.count())
        return _write(row, subject, kept, by, now)


def edit(*, comment: Comment, text: str, by: User, now: datetime) -> Comment:
    """Replace the text of one's own comment, within 15 minutes and before anybody answered. The old text is kept."""
    check_comment(person_of(by))
    kept = check_text(text)
    with transaction.atomic():
        thread, _ = _locked_thread(comment.thread)
        check_can_edit_text(written(comment), person_id=by.pk, now=now)
        number = comment.texts.count() + 1
        if comment.texts.get(number=number - 1).text == kept:
            return comment
        check_has_text_room(texts=number - 1)
        CommentText.objects.create(comment=comment, number=number, text=kept, written_at=now)
        _mention(comment, kept, by, now)
        record_in(kind="comment.edited", thread=thread, by=by, now=now, details={"comment": comment.pk}, text=kept)
        _tell_ticket(thread, f"(changed) {kept}", by, now)
    return comment


def withdraw(*, comment: Comment, by: User, now: datetime) -> Comment:
    """Withdraw one's own comment: its text is no longer shown, and stays on record."""
    check_comment(person_of(by))
    with transaction.atomic():
        thread, _ = _locked_thread(comment.thread)
        check_own(written(comment), person_id=by.pk)
        CommentWithdrawal.objects.create(comment=comment, withdrawn_at=now)
        record_in(kind="comment.withdrawn", thread=thread, by=by, now=now, details={"comment": comment.pk})
        _tell_ticket(thread, "withdrew a comment.", by, now)
    return comment


def _locked(subject: Any) -> Any:
    """The request under its lock, so that its revision stays; anything else as it is."""
    return lock(subject) if isinstance(subject, ReviewRequest) else subject


def _locked_thread(thread: Thread) -> tuple[Thread, Any]:
    """The thread under its lock, and what it is about under its own, which comes first."""
    subject = _locked(place_of(thread)[1])
    return Thread.objects.select_for_update().get(pk=thread.pk), subject


def _write(thread: Thread, subject: Any, text: str, by: User, now: datetime) -> Comment:
    revision = subject.revision if isinstance(subject, ReviewRequest) else None
    comment = Comment.objects.create(thread=thread, author=by, revision=revision, written_at=now)
    CommentText.objects.create(comment=comment, number=1, text=text, written_at=now)
    _mention(comment, text, by, now)
    record_in(kind="comment.written", thread=thread, by=by, now=now, details={"comment": comment.pk}, text=text)
    _tell_ticket(thread, text, by, now)
    return comment


def _mention(comment: Comment, text: str, by: User, now: datetime) -> None:
    """Record whom the text mentions for the first time, and tell them. Nobody else is mentioned: see `pieces`."""
    names = names_in(text)
    if not names:
        return
    kind, row = place_of(comment.thread)
    people = {user.username: user for user in kind.people(row).filter(username__in=names)}
    check_few(people)
    known = set(comment.mentions.values_list("person_id", flat=True)) | {by.pk}
    new = [people[name] for name in names if name in people and people[name].pk not in known]
    if not new:
        return
    Mention.objects.bulk_create(Mention(comment=comment, person=user, mentioned_at=now) for user in new)
    event = Occurrence(
        kind="mentioned",
        key=f"comment:{comment.pk}",
        reference=kind.ref(row),
        path=reverse("reviews:comment", args=[comment.pk]),
        sentence=f"{name_of(by)} mentions {', '.join(map(name_of, new))} in a comment: {kind.title(row)}.",
        team=kind.team(row),
    )
    notify(event=event, people=new, by=by, now=now)


def _tell_ticket(thread: Thread, text: str, by: User, now: datetime) -> None:
    """Tell the ticket of a request. Its own comments are known by their id, so they do not come back."""
    ticket = Ticket.objects.filter(request_id=thread.request_id).first() if thread.request_id else None
    if ticket is not None:
        title = topic_title(thread.request, topic=thread.topic)
        words = f"On {title}: {text}" if title else text
        notify_ticket(ticket=ticket, occasion=OCCASION, reason=words, by=by, now=now)
