"""The values that go to a ticket tracker and come from it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from weighbridge.core.documents import cleaned
from weighbridge.core.masking import mask

ID_CHARS_MAX, ACCOUNT_CHARS_MAX, NAME_CHARS_MAX, STATUS_CHARS_MAX = 40, 128, 200, 60
URL_CHARS_MAX, COMMENT_CHARS_MAX, REASON_CHARS_MAX = 300, 32_767, 2_000
CATEGORIES: Mapping[str, str] = MappingProxyType({"To Do": "new", "In Progress": "indeterminate", "Done": "done"})
"""The categories of statuses: the English name and the key. A tracker translates the name for each account."""
SIGN_IN = "Account"
"""The step of a connection test at which the tracker accepts the credential."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain text; line breaks are kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Fields:
    """A table of names and values, one pair per row."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a page, with its text."""

    text: str
    url: str


Block = Heading | Paragraph | Fields | Link


Value = str | Decimal | date


@dataclass(frozen=True, slots=True)
class TicketDraft:
    """A ticket to be opened once. `label` is its unique search key (see `ticket_label`).

    `values` are what fields of the tracker may hold, by our names.
    """

    label: str
    summary: str
    body: tuple[Block, ...]
    values: tuple[tuple[str, Value], ...] = ()

    def with_values(self, values: Mapping[str, Value | None]) -> "TicketDraft":
        """The same ticket with these values, except None."""
        return replace(self, values=tuple((name, value) for name, value in values.items() if value is not None))


@dataclass(frozen=True, slots=True)
class RemoteTicket:
    """A ticket in the tracker. Its `id` survives a move to another project, its `key` may not; `status` may be "".

    `duplicates` are keys of newer tickets with the same label; a person should close them.
    """

    id: str
    key: str
    url: str
    status: str
    duplicates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _clean(self, status=STATUS_CHARS_MAX, url=URL_CHARS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteComment:
    """A comment in the tracker. `is_by_us`: our account wrote it."""

    id: str
    author_id: str
    author: str
    text: str
    created_at: datetime
    updated_at: datetime
    is_by_us: bool = False

    def __post_init__(self) -> None:
        _clean(self, author_id=ACCOUNT_CHARS_MAX, author=NAME_CHARS_MAX, text=COMMENT_CHARS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteMove:
    """A move of the ticket to a status. `category` is "new", "indeterminate", "done", or "" if unknown."""

    id: str
    author_id: str
    author: str
    status: str
    category: str
    at: datetime
    is_by_us: bool = False

    def __post_init__(self) -> None:
        _clean(self, author_id=ACCOUNT_CHARS_MAX, author=NAME_CHARS_MAX, status=STATUS_CHARS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStatus:
    """The status of a ticket and its last change. `categories` are the names of the category of the status."""

    status: str
    categories: tuple[str, ...]
    updated_at: datetime

    def is_in(self, wanted: str) -> bool:
        """Whether this is the wanted status, or a status in the category of that name."""
        names = {name.strip().casefold() for name in (self.status, *self.categories)}
        return bool(names & {wanted.strip().casefold(), category_key(wanted)})


def category_key(wanted: str) -> str:
    """The key of the category that has this English name; any other text in lower case."""
    keys = {name.casefold(): key for name, key in CATEGORIES.items()}
    return keys.get(wanted.strip().casefold(), wanted.strip().casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteIssue:
    """A ticket as read: `comments` and `moves` oldest first, at least as new as `updated_at`."""

    id: str
    key: str
    url: str
    status: str
    updated_at: datetime
    comments: tuple[RemoteComment, ...] = ()
    moves: tuple[RemoteMove, ...] = ()

    def __post_init__(self) -> None:
        _clean(self, status=STATUS_CHARS_MAX, url=URL_CHARS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerServer:
    """What a server says it is: a flavor of the adapter, its version, and both in words."""

    flavor: str
    version: str
    words: str
    signs_webhooks: bool

    def __post_init__(self) -> None:
        _clean(self, version=ID_CHARS_MAX, words=2 * STATUS_CHARS_MAX)


@dataclass(frozen=True, slots=True)
class RemoteProject:
    """A project of the tracker."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class RemoteAccount:
    """A user of the tracker: the id by which it names them in changes, and the name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChoice:
    """A field of the create screen: its type in the tracker's words, and the values that it allows, if it lists any.

    `items` is the type of the values of a list.
    """

    id: str
    name: str
    kind: str
    is_required: bool
    items: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One step of a connection test: what was tested, and what the tracker answered, in one sentence."""

    name: str
    ok: bool
    sentence: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "sentence", mask(self.sentence))
        _clean(self, name=NAME_CHARS_MAX, sentence=REASON_CHARS_MAX)


@dataclass(frozen=True, slots=True)
class TrackerHealth:
    """The result of a connection test: one sentence for people, and the name of our account ("" if unknown).

    `retry_after_s` is set if the tracker limited the request rate. `steps` are in order, up to the first that failed.
    `tested` is the digest of the configuration that was tested; "" if the result holds for any. `broken` are the ids of
    the routes that were not found to work.
    """

    ok: bool
    sentence: str
    account: str = ""
    retry_after_s: float | None = None
    steps: tuple[CheckStep, ...] = ()
    tested: str = ""
    broken: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sentence", mask(self.sentence))  # a server may repeat what it was sent
        _clean(self, sentence=REASON_CHARS_MAX, account=NAME_CHARS_MAX)

    @classmethod
    def failed(cls, step: str, sentence: str) -> "TrackerHealth":
        """A test that ended at a step before anything was asked."""
        return cls(ok=False, sentence=sentence, steps=(CheckStep(step, ok=False, sentence=sentence),))

    @property
    def is_signed_in(self) -> bool:
        """Whether the tracker accepted the credential, whatever a later step found."""
        answers = [step.ok for step in self.steps if step.name == SIGN_IN]
        return self.ok or (bool(answers) and all(answers))

    @property
    def words(self) -> str:
        """What becomes of a credential that was tested, in words."""
        if self.ok or not self.is_signed_in:
            return self.sentence
        return f"The credential is stored. One of the routes does not work yet: {self.sentence}"


def _clean(row: object, **chars_max: int) -> None:
    """Replace what cannot be stored in these texts of a tracker, and cut them, in a frozen dataclass under way."""
    for name, limit in chars_max.items():
        object.__setattr__(row, name, cleaned(getattr(row, name), chars_max=limit))
