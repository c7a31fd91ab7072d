"""Rules of comments: how long a text may be, until when its author may change it, and the parts of a request."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from weighbridge.core.errors import Invalid, NotAllowed, Refused, WrongState

TEXT_CHARS_MAX, TEXTS_MAX, COMMENTS_MAX, THREADS_MAX = 4_000, 20, 100, 500
EDIT_MINUTES = 15
_EDITABLE = f"A comment can be edited for {EDIT_MINUTES} minutes, until somebody answers it"


class RequestPart(StrEnum):
    """What a thread on a request is about: the whole request, one metric, or one item of its checklist."""

    WHOLE = ""
    METRIC = "metric"
    ITEM = "item"


@dataclass(frozen=True)
class Topic:
    """A part of a request, with the name of the metric or the id of the item; both are "" for the whole."""

    part: RequestPart = RequestPart.WHOLE
    name: str = ""

    @property
    def text(self) -> str:
        """The topic as it stands in an address: "metric:latency_p95_ms", "item:owner-and-rollback", or ""."""
        return f"{self.part}:{self.name}" if self.part else ""


WHOLE = Topic()


def topic_of(text: str) -> Topic:
    """The topic of such a text. Raises Invalid for any other."""
    part, _, name = text.partition(":")
    if text == "":
        return WHOLE
    if part not in set(RequestPart) - {RequestPart.WHOLE} or not name:
        raise Invalid(f"“{text[:80]}” is not a topic; write metric:NAME, item:ID, or nothing.", field="about")
    return Topic(RequestPart(part), name)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What decides whether a comment may be changed. `is_answered`: another person wrote later in its thread."""

    author_id: int
    written_at: datetime
    is_answered: bool
    is_withdrawn: bool


def check_text(text: str) -> str:
    """The text without blanks around it. Raises Invalid if nothing is left, or if it is too long."""
    kept = text.replace("\r\n", "\n").strip()
    if not kept:
        raise Invalid("Write a comment.", field="text")
    if len(kept) > TEXT_CHARS_MAX:
        raise Invalid(f"A comment has at most {TEXT_CHARS_MAX:,} characters; this one has {len(kept):,}.", field="text")
    return kept


def check_own(comment: Written, *, person_id: int) -> None:
    """Raise unless the person wrote the comment and did not withdraw it."""
    if comment.author_id != person_id:
        raise NotAllowed("Only its author may change or withdraw a comment.")
    if comment.is_withdrawn:
        raise WrongState("This comment is withdrawn.")


def check_can_edit_text(comment: Written, *, person_id: int, now: datetime) -> None:
    """Raise unless the person may change the text now: for 15 minutes, until another person writes in the thread."""
    check_own(comment, person_id=person_id)
    if comment.is_answered:
        raise WrongState(f"{_EDITABLE}; somebody has. Write another comment.", code="answered")
    if now > comment.written_at + timedelta(minutes=EDIT_MINUTES):
        raise WrongState(f"{_EDITABLE}; that time is over. Write another comment.", code="too_late")


def is_own(comment: Written, *, person_id: int) -> bool:
    """Whether `check_own` passes."""
    return comment.author_id == person_id and not comment.is_withdrawn


def may_edit_text(comment: Written, *, person_id: int, now: datetime) -> bool:
    """Whether `check_can_edit_text` passes."""
    try:
        check_can_edit_text(comment, person_id=person_id, now=now)
    except Refused:
        return False
    return True


def check_has_room(*, comments: int) -> None:
    """Raise if a thread is full."""
    if comments >= COMMENTS_MAX:
        raise WrongState(f"A thread has at most {COMMENTS_MAX} comments; begin another one.")


def check_has_thread_room(*, threads: int) -> None:
    """Raise if a thing has too many threads."""
    if threads >= THREADS_MAX:
        raise WrongState(f"At most {THREADS_MAX} threads can be opened here; answer in one of them.", code="full")


def check_has_text_room(*, texts: int) -> None:
    """Raise if a comment was changed too often: each of its texts is kept and shown."""
    if texts >= TEXTS_MAX:
        raise WrongState(f"A comment can have {TEXTS_MAX} texts, and this one has. Write another comment.", code="full")


def check_resolution(*, is_resolved: bool, wanted: bool) -> None:
    """Raise unless resolving or reopening changes something."""
    if is_resolved == wanted:
        raise WrongState("This thread is resolved already." if wanted else "This thread is open.")
