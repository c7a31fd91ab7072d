"""The threads of a thing as they are shown: in time order, with the comments of the ticket of a request among them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from reviews.discussions.domain.comments import Topic, Written, is_own, may_edit_text
from reviews.discussions.domain.mentions import names_in
from reviews.discussions.models import Comment, Thread
from reviews.discussions.queries.topics import topic_title
from reviews.discussions.rules import may_comment
from reviews.tickets.models import ExternalIdentity, TicketComment

OURS, TICKET = "weighbridge", "ticket"
NOBODY = 0
"""The id of no person."""
_PARTS = (
    "comments__author",
    "comments__texts",
    "comments__withdrawal",
    "comments__mentions__person",
    "resolutions__by",
)


@dataclass(frozen=True, kw_only=True)
class CommentView:
    """A comment. Its text is "" if it was withdrawn; `earlier_texts` are those that edits replaced, oldest first.

    `username` is "" for a comment of the ticket whose author is not linked to a user.
    """

    id: int
    author: str
    username: str
    text: str
    earlier_texts: tuple[str, ...] = ()
    # The user names that its texts mention, also those that edits replaced. The API has only `mentions`.
    told: tuple[str, ...] = ()
    revision: int | None = None
    written_at: datetime
    edited_at: datetime | None = None
    withdrawn_at: datetime | None = None
    may_edit: bool = False
    may_withdraw: bool = False

    @property
    def mentions(self) -> tuple[str, ...]:
        """Whom the present text mentions."""
        return tuple(name for name in self.told if name in names_in(self.text))


@dataclass(frozen=True, kw_only=True)
class ThreadView:
    """A thread, or a comment of the ticket, whose `source` is "ticket" and whose `id` is that of the comment.

    `about` is the topic as in an address, and `title` the same in words; both are "" for the whole thing.
    """

    id: int
    source: str = OURS
    about: str = ""
    title: str = ""
    opened_at: datetime
    comments: tuple[CommentView, ...]
    is_resolved: bool = False
    resolved_by: str = ""
    resolved_at: datetime | None = None

    @property
    def is_from_ticket(self) -> bool:
        """Whether it was written in the ticket tracker."""
        return self.source == TICKET


@dataclass(frozen=True, order=True)
class ThreadPlace:
    """The place of a thread or of a comment of the ticket in time."""

    at: datetime
    source: str
    id: int


@dataclass(frozen=True, kw_only=True)
class DiscussionCounts:
    """How many open threads and comments a thing has: the comments by topic, those of the whole thing under ""."""

    kind: str
    ref: str
    open_count: int
    counts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Discussion(DiscussionCounts):
    """The latest threads of a thing, and the number of earlier ones."""

    threads: tuple[ThreadView, ...]
    earlier_count: int


@dataclass(frozen=True, kw_only=True)
class ThreadState:
    """A thread without its texts: how many comments are not withdrawn, and whether it is open."""

    place: ThreadPlace
    about: str
    comment_count: int
    is_open: bool


def discussion_of(
    *, kind: str, ref: str, subject: Any, reader: Person | None, now: datetime, shown_max: int
) -> Discussion:
    """The latest `shown_max` threads of a thing, with its counts."""
    states = thread_states(kind=kind, subject=subject)
    found = _with_ticket(states, kind, subject)
    return Discussion(
        **vars(_counts(states, kind, ref)),
        threads=load(kind=kind, subject=subject, found=found[-shown_max:], reader=reader, now=now),
        earlier_count=max(0, len(found) - shown_max),
    )


def counts_of(*, kind: str, ref: str, subject: Any) -> DiscussionCounts:
    """The counts alone."""
    return _counts(thread_states(kind=kind, subject=subject), kind, ref)


def _counts(states: Iterable[ThreadState], kind: str, ref: str) -> DiscussionCounts:
    counts, open_count = Counter[str](), 0
    for state in states:
        counts[state.about] += state.comment_count
        open_count += state.is_open
    by_topic = {about: count for about, count in counts.items() if count}
    return DiscussionCounts(kind=kind, ref=ref, open_count=open_count, counts=by_topic)


def thread_states(*, kind: str, subject: Any) -> tuple[ThreadState, ...]:
    """Every thread of the thing. A thread is open if it is not resolved and has a comment that is not withdrawn."""
    rows = Thread.objects.filter(**{kind: subject}).annotate(
        turns=Count("resolutions", distinct=True),
        left=Count("comments", filter=Q(comments__withdrawal__isnull=True), distinct=True),
    )
    return tuple(
        ThreadState(
            place=ThreadPlace(row.opened_at, OURS, row.pk),
            about=row.topic.text,
            comment_count=row.left,
            is_open=row.left > 0 and row.turns % 2 == 0,
        )
        for row in rows
    )


def entries(*, kind: str, subject: Any, topic: Topic | None = None) -> list[ThreadPlace]:
    """The place of every thread of the thing or of one topic, and of the comments of people in the ticket."""
    states = thread_states(kind=kind, subject=subject)
    if topic is None:
        return _with_ticket(states, kind, subject)
    chosen = [state for state in states if state.about == topic.text]
    return sorted(state.place for state in chosen) if topic.part else _with_ticket(chosen, kind, subject)


def _with_ticket(states: Iterable[ThreadState], kind: str, subject: Any) -> list[ThreadPlace]:
    places = [state.place for state in states]
    if kind == "request":
        theirs = TicketComment.objects.filter(ticket__request=subject, is_ours=False)
        places += [ThreadPlace(at, TICKET, pk) for pk, at in theirs.values_list("pk", "created_at")]
    return sorted(places)


def load(
    *, kind: str, subject: Any, found: Sequence[ThreadPlace], reader: Person | None, now: datetime
) -> tuple[ThreadView, ...]:
    """The threads at these places, in their order, with what the reader may change; None changes nothing."""
    reader_id = reader.id if reader is not None and may_comment(reader) else NOBODY
    ours = Thread.objects.filter(pk__in=[one.id for one in found if one.source == OURS]).prefetch_related(*_PARTS)
    request = subject if kind == "request" else None
    views = {(OURS, row.pk): _thread_view(row, request, reader_id, now) for row in ours}
    views |= {(TICKET, view.id): view for view in _ticket_views([one.id for one in found if one.source == TICKET])}
    return tuple(views[one.source, one.id] for one in found)


def _thread_view(row: Thread, request: Any, reader_id: int, now: datetime) -> ThreadView:
    comments = list(row.comments.all())
    last = next(iter(reversed(row.resolutions.all())), None)
    is_resolved = last is not None and last.is_resolved
    return ThreadView(
        id=row.pk,
        about=row.topic.text,
        title=topic_title(request, topic=row.topic),
        opened_at=row.opened_at,
        comments=tuple(_comment_view(each, comments, reader_id, now) for each in comments),
        is_resolved=is_resolved,
        resolved_by=name_of(last.by) if last and is_resolved else "",
        resolved_at=last.at if last and is_resolved else None,
    )


def _comment_view(row: Comment, thread: Sequence[Comment], reader_id: int, now: datetime) -> CommentView:
    withdrawal, texts = getattr(row, "withdrawal", None), list(row.texts.all())
    state = Written(
        author_id=row.author_id,
        written_at=row.written_at,
        is_answered=any(each.pk > row.pk and each.author_id != row.author_id for each in thread),
        is_withdrawn=withdrawal is not None,
    )
    return CommentView(
        id=row.pk,
        author=name_of(row.author),
        username=row.author.username,
        text="" if withdrawal else texts[-1].text,
        earlier_texts=() if withdrawal else tuple(each.text for each in texts[:-1]),
        told=tuple(each.person.username for each in row.mentions.all()),
        revision=row.revision,
        written_at=row.written_at,
        edited_at=texts[-1].written_at if len(texts) > 1 else None,
        withdrawn_at=withdrawal.withdrawn_at if withdrawal else None,
        may_edit=may_edit_text(state, person_id=reader_id, now=now),
        may_withdraw=is_own(state, person_id=reader_id),
    )


def _ticket_views(ids: Sequence[int]) -> list[ThreadView]:
    """Comments of people in the ticket, each as a thread of its own."""
    rows = list(TicketComment.objects.filter(pk__in=ids).select_related("ticket"))
    sites = {row.ticket.site_id for row in rows}
    authors = {row.author_id for row in rows}
    linked = ExternalIdentity.objects.filter(site__in=sites, account_id__in=authors).select_related("user")
    # With its site: on another site, the same id may be another person's.
    known: dict[tuple[int | None, str], Any] = {(each.site_id, each.account_id): each.user for each in linked}
    return [_ticket_view(row, known.get((row.ticket.site_id, row.author_id))) for row in rows]


def _ticket_view(row: TicketComment, user: Any) -> ThreadView:
    comment = CommentView(
        id=row.pk,
        author=name_of(user) if user else row.author or "A user",
        username=user.username if user else "",
        text=row.text,
        written_at=row.created_at,
        edited_at=row.updated_at if row.is_edited else None,
    )
    return ThreadView(id=row.pk, source=TICKET, opened_at=row.created_at, comments=(comment,))
