"""The page of a discussion, and its steps: write, answer, change, withdraw, resolve, reopen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from governance.people.queries.people import name_of
from governance.people.web.current_user import person_of, user_of
from governance.site.queries import bounded_page
from governance.site.web.refusals import attempt, settled
from reviews.discussions.actions import comments as writes
from reviews.discussions.actions import threads as turns
from reviews.discussions.domain.comments import TEXT_CHARS_MAX, WHOLE, Topic, topic_of
from reviews.discussions.domain.mentions import names_in
from reviews.discussions.kinds import DiscussedKind, find_comment, find_thread, kind_named, place_of
from reviews.discussions.models import Comment, Thread
from reviews.discussions.queries.mentionable import mentionable
from reviews.discussions.queries.threads import OURS, ThreadPlace, ThreadView, discussion_of, entries, load
from reviews.discussions.queries.topics import check_topic, topic_title
from reviews.discussions.rules import may_comment

PAGE_SIZE, SHOWN_MAX, PEOPLE_MAX, WORDS_MAX = 25, 10, 100, 3
LATEST = 10**9
"""A page that no discussion has: the last one is shown."""


class CommentForm(forms.Form):
    """The text of a comment; `about` is its topic, `page` says that it was written on the page of the thing itself."""

    text = forms.CharField(
        label="Comment",
        max_length=TEXT_CHARS_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Plain text. Write @ and a user name to mention a person.",
    )


@dataclass(frozen=True)
class Place:
    """A discussion that the reader may see: the kind and the thing, and the topic of the page."""

    kind: DiscussedKind
    row: Any
    topic: Topic = WHOLE

    @property
    def address(self) -> str:
        """The page of the discussion."""
        return self._with()

    def address_of(self, thread: Thread, anchor: str) -> str:
        """The address of a part of a thread: the page of the discussion on which it stands now, with the anchor."""
        return f"{self._with(page=self.page_of(thread))}#{anchor}"

    def entries(self) -> list[ThreadPlace]:
        """The places of its threads."""
        topic = self.topic if self.topic.part else None
        return entries(kind=self.kind.name, subject=self.row, topic=topic)

    def page_of(self, thread: Thread) -> int:
        """The number of the page on which the thread stands now."""
        index = next(i for i, one in enumerate(self.entries()) if (one.source, one.id) == (OURS, thread.pk))
        return index // PAGE_SIZE + 1

    def _with(self, **query: int) -> str:
        own = reverse("reviews:discussion", args=[self.kind.name, self.kind.ref(self.row)])
        asked: dict[str, str | int] = {"about": self.topic.text, **query} if self.topic.part else {**query}
        return f"{own}?{urlencode(asked)}" if asked else own

    @property
    def subject_page(self) -> str:
        """The page of the thing itself."""
        name, arguments = self.kind.page(self.row)
        return reverse(name, args=arguments)


@require_safe
def discussion(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """`/discussions/<kind>/<ref>/`: every thread of a thing, or of the part that `about` names, in time order."""
    place = _place(request, kind, ref, request.GET.get("about", ""))
    return _page(request, place, number=request.GET.get("page") or LATEST)


@require_safe
def people(request: HttpRequest, kind: str, ref: str) -> JsonResponse:
    """`/discussions/<kind>/<ref>/people/`: whom a comment can mention, as `q` is typed. Nothing keeps the answer."""
    place = _place(request, kind, ref, "")
    typed, reader = request.GET.get("q", ""), person_of(request)
    found = mentionable(people=place.kind.people(place.row), typed=typed, reader=reader)
    offered = [{"username": user.username, "name": name_of(user)} for user in found]
    return JsonResponse({"people": offered}, headers={"Cache-Control": "no-store"})


@require_safe
def comment(request: HttpRequest, comment_id: int) -> HttpResponse:
    """`/comments/<id>/`: to the comment, wherever its thread stands now."""
    row = find_comment(comment_id=comment_id, person=person_of(request))
    return redirect(Place(*place_of(row.thread)).address_of(row.thread, f"comment-{row.pk}"))


@require_safe
def thread(request: HttpRequest, thread_id: int) -> HttpResponse:
    """`/threads/<id>/`: to the thread, wherever it stands now."""
    row = find_thread(thread_id=thread_id, person=person_of(request))
    return redirect(Place(*place_of(row)).address_of(row, f"thread-{row.pk}"))


@require_POST
def start(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Begin a thread."""
    place = _place(request, kind, ref, request.POST.get("about", ""))

    def act(text: str) -> Comment:
        return writes.start(
            kind=kind, subject=place.row, topic=place.topic, text=text, by=user_of(request), now=timezone.now()
        )

    return _write(request, place, "start", act)


@require_POST
def reply(request: HttpRequest, thread_id: int) -> HttpResponse:
    """Answer in a thread."""
    row = find_thread(thread_id=thread_id, person=person_of(request))

    def act(text: str) -> Comment:
        return writes.reply(thread=row, text=text, by=user_of(request), now=timezone.now())

    return _write(request, _place_of(request, row), f"reply-{row.pk}", act, thread=row)


@require_POST
def edit(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Change one's own comment."""
    row = find_comment(comment_id=comment_id, person=person_of(request))

    def act(text: str) -> Comment:
        return writes.edit(comment=row, text=text, by=user_of(request), now=timezone.now())

    return _write(request, _place_of(request, row.thread), f"edit-{row.pk}", act, thread=row.thread)


@require_POST
def withdraw(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Withdraw one's own comment."""
    row = find_comment(comment_id=comment_id, person=person_of(request))

    def act() -> str:
        writes.withdraw(comment=row, by=user_of(request), now=timezone.now())
        return "The comment is withdrawn. Its text stays on record and is not shown any more."

    attempt(request, act)
    return redirect(_back(request, _place_of(request, row.thread), f"comment-{row.pk}", row.thread))


@require_POST
def turn(request: HttpRequest, thread_id: int, *, wanted: bool) -> HttpResponse:
    """Resolve a thread, or reopen it."""
    row = find_thread(thread_id=thread_id, person=person_of(request))

    def act() -> str:
        (turns.resolve if wanted else turns.reopen)(thread=row, by=user_of(request), now=timezone.now())
        return "The thread is resolved." if wanted else "The thread is open again."

    attempt(request, act)
    return redirect(_back(request, _place_of(request, row), f"thread-{row.pk}", row))


def discussion_context(kind: str, row: Any, *, request: HttpRequest) -> dict[str, Any]:
    """What `reviews/discussions/thread.html` shows on the page of a thing: its latest threads, and a form."""
    ref = kind_named(kind).ref(row)
    now, reader = timezone.now(), person_of(request)
    found = discussion_of(kind=kind, ref=ref, subject=row, reader=reader, now=now, shown_max=SHOWN_MAX)
    return {"discussion": found, "discussed": _discussed(request, Place(kind_named(kind), row), found.threads, {}, "1")}


def _place(request: HttpRequest, kind: str, ref: str, about: str) -> Place:
    found, topic = kind_named(kind), topic_of(about)
    row = found.find(ref, person_of(request))
    check_topic(row, topic=topic)
    return Place(found, row, topic)


def _place_of(request: HttpRequest, thread: Thread) -> Place:
    """The discussion from which a form of the thread was sent: that of its topic, or the whole."""
    topic = thread.topic if request.POST.get("about") == thread.topic.text else WHOLE
    return Place(*place_of(thread), topic)


def _write(
    request: HttpRequest, place: Place, name: str, act: Callable[[str], Comment], *, thread: Thread | None = None
) -> HttpResponse:
    """Write the comment of a form and go to it; or show the form again where its thread stands, with the reason."""
    form, done = CommentForm(request.POST, auto_id=f"{name}-%s"), list[Comment]()

    def write() -> str:
        text = form.cleaned_data["text"]
        done.append(act(text))
        return f"Your comment is {'changed' if name.startswith('edit') else 'written'}.{_nobody(done[0], text)}"

    is_done, status = settled(request, form, write)
    if is_done:
        return redirect(_back(request, place, f"comment-{done[0].pk}", done[0].thread))
    number = place.page_of(thread) if thread else LATEST
    return _page(request, place, number=number, bound={name: form}, status=status)


def _nobody(comment: Comment, text: str) -> str:
    """Which words after @ mention nobody, for an author who mistyped a user name; "" if none."""
    people = {comment.author.username, *comment.mentions.values_list("person__username", flat=True)}
    words = [f"@{name}" for name in names_in(text) if name not in people]
    shown = f"{', '.join(words[:WORDS_MAX])}{' and others' if len(words) > WORDS_MAX else ''}"
    return f" {shown} {'mentions' if len(words) == 1 else 'mention'} nobody who can see this." if words else ""


def _back(request: HttpRequest, place: Place, anchor: str, thread: Thread) -> str:
    """Where the reader came from, if the thread is still shown there: the page of the thing, or of the discussion."""
    latest = entries(kind=place.kind.name, subject=place.row)[-SHOWN_MAX:] if request.POST.get("page") else []
    if any((one.source, one.id) == (OURS, thread.pk) for one in latest):
        return f"{place.subject_page}#{anchor}"
    return place.address_of(thread, anchor)


def _page(
    request: HttpRequest,
    place: Place,
    *,
    number: object,
    bound: Mapping[str, forms.Form] | None = None,
    status: int = 200,
) -> HttpResponse:
    page = bounded_page(place.entries(), size=PAGE_SIZE, number=number)
    now, reader = timezone.now(), person_of(request)
    views = load(kind=place.kind.name, subject=place.row, found=list(page.object_list), reader=reader, now=now)
    context = {
        "page": page,
        "threads": views,
        "topic_title": topic_title(place.row, topic=place.topic) if place.topic.part else "",
        "ref": place.kind.ref(place.row),
        "title": place.kind.title(place.row),
        "discussed": _discussed(request, place, views, bound or {}, "1" if request.POST.get("page") else ""),
    }
    return render(request, "reviews/discussions/discussion.html", context, status=status)


def _discussed(
    request: HttpRequest, place: Place, views: tuple[ThreadView, ...], bound: Mapping[str, forms.Form], page: str
) -> dict[str, Any]:
    """The forms of a discussion, its addresses, and the people who can be mentioned."""
    may_write = may_comment(person_of(request))
    people = list(place.kind.people(place.row)[: PEOPLE_MAX + 1]) if may_write else []
    return {
        "kind": place.kind.name,
        "ref": place.kind.ref(place.row),
        "about": place.topic.text,
        "page": page,
        "address": place.address,
        "people_address": reverse("reviews:discussion_people", args=[place.kind.name, place.kind.ref(place.row)]),
        "whole_address": Place(place.kind, place.row).address,
        "subject_page": place.subject_page,
        "may_write": may_write,
        "start": bound.get("start") or (CommentForm(auto_id="start-%s") if may_write else None),
        "threads": [_with_forms(view, bound, may_write=may_write) for view in views],
        "people": [(user.username, name_of(user)) for user in people[:PEOPLE_MAX]],
        "more_people": len(people) > PEOPLE_MAX,
    }


def _with_forms(view: ThreadView, bound: Mapping[str, forms.Form], *, may_write: bool) -> dict[str, Any]:
    """A thread with the forms to answer it and to change one's own comments."""
    name = f"reply-{view.id}"
    new = CommentForm(auto_id=f"{name}-%s") if may_write else None
    return {
        "view": view,
        "reply": None if view.is_from_ticket else bound.get(name) or new,
        "comments": [(each, _edit_form(each, bound)) for each in view.comments],
    }


def _edit_form(view: Any, bound: Mapping[str, forms.Form]) -> forms.Form | None:
    name = f"edit-{view.id}"
    if not view.may_edit:
        return bound.get(name)
    return bound.get(name) or CommentForm(auto_id=f"{name}-%s", initial={"text": view.text})
