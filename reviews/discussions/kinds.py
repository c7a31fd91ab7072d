"""The kinds of things that are discussed: how each is found, who may read it, and how the audit trail names it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from governance.findings import queries as findings
from governance.findings.models import Finding
from governance.findings.rules import READERS
from governance.people.domain.roles import Person
from governance.site.domain.numbers import whole_number
from reviews.discussions.models import Comment, Thread
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find, first_of, readers_of
from weighbridge.core.errors import NotFound, Refused

NO_THREAD, NO_COMMENT = "There is no such thread that you can see.", "There is no such comment that you can see."


@dataclass(frozen=True, kw_only=True)
class DiscussedKind:
    """A kind of thing. `name` is the column of a thread that holds it.

    `find` returns the thing with a reference, or raises NotFound for a person who may not see it. `people` are the
    active people who may see it, by user name; `ref` is its reference, `subject` its name in the audit trail, and
    `page` the address of the page that shows it: the name of a URL and its arguments. `team` is the slug
    of its team, "" if it has none.
    """

    name: str
    find: Callable[[str, Person], Any]
    people: Callable[[Any], QuerySet[User]]
    ref: Callable[[Any], str]
    title: Callable[[Any], str]
    subject: Callable[[Any], tuple[str, str]]
    page: Callable[[Any], tuple[str, list[object]]]
    team: Callable[[Any], str] = lambda _: ""


KINDS: dict[str, DiscussedKind] = {}


def discuss(kind: DiscussedKind) -> None:
    """Register a kind of thing that is discussed."""
    KINDS[kind.name] = kind


def kind_named(name: str) -> DiscussedKind:
    """The kind with this name. Raises NotFound."""
    if name not in KINDS:
        raise NotFound(f"Nothing of the kind {name[:40]} is discussed; known are {', '.join(KINDS)}.")
    return KINDS[name]


def place_of(thread: Thread) -> tuple[DiscussedKind, Any]:
    """The kind and the thing of a thread."""
    return next((kind, row) for kind in KINDS.values() if (row := getattr(thread, kind.name)) is not None)


def find_thread(*, thread_id: int, person: Person) -> Thread:
    """The thread. Raises NotFound if there is none, or if the person may not see what it is about."""
    thread = first_of(Thread.objects.filter(pk=thread_id), otherwise=NO_THREAD)
    kind, row = place_of(thread)
    try:
        kind.find(kind.ref(row), person)
    except Refused as refusal:
        raise NotFound(NO_THREAD) from refusal
    return thread


def find_comment(*, comment_id: int, person: Person) -> Comment:
    """The comment. Raises NotFound like `find_thread`."""
    rows = Comment.objects.select_related("thread", "author").filter(pk=comment_id)
    comment = first_of(rows, otherwise=NO_COMMENT)
    find_thread(thread_id=comment.thread_id, person=person)
    return comment


def _find_request(ref: str, person: Person) -> ReviewRequest:
    return find(ref=ref, person=person)


def row_id(ref: str, *, otherwise: str) -> int:
    """The id that a reference is. Raises NotFound, with `otherwise` as the reason, for any other text."""
    number = whole_number(ref)
    if number is None:
        raise NotFound(otherwise)
    return number


def _find_finding(ref: str, person: Person) -> Finding:
    number = row_id(ref.removeprefix("FND-"), otherwise=f"There is no finding {ref[:40]}.")
    return findings.find(finding_id=number, person=person)


def active(chosen: Q) -> QuerySet[User]:
    """The active people among the chosen, by user name."""
    return User.objects.filter(chosen, is_active=True).distinct().order_by("username")


def _readers_of_finding(finding: Finding) -> QuerySet[User]:
    """The people who may read the finding: those who read all findings, and its owner."""
    return active(Q(role_grants__role__in=READERS) | Q(pk=finding.owner_id))


discuss(
    DiscussedKind(
        name="request",
        find=_find_request,
        people=readers_of,
        ref=lambda row: row.ref,
        title=lambda row: row.title,
        subject=lambda row: ("request", row.ref),
        page=lambda row: ("reviews:detail", [row.ref]),
        team=lambda row: row.team.slug,
    )
)
discuss(
    DiscussedKind(
        name="finding",
        find=_find_finding,
        people=_readers_of_finding,
        ref=str,
        title=lambda row: row.text,
        subject=lambda row: ("finding", str(row)),
        page=lambda row: ("governance:finding", [row.pk]),
    )
)
