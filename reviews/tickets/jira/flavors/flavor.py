"""What differs between the flavors of Jira: endpoints, document format, users, search, changes, and what is absent.

The tracker and the reader are the same for each; they ask the flavor of the settings. A flavor is named by the server
itself (`serverInfo`), never guessed from its address.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol
from urllib.parse import quote

from reviews.tickets.ports import ACCOUNT_CHARS_MAX, Block

Json = dict[str, Any]
PAGE, PAGES_MAX = 100, 50
Version = tuple[int, ...]


class Api(Protocol):
    """The calls that a flavor makes below the root of its API."""

    def get_json(self, path: str, **params: str) -> Json:
        """GET an object."""
        ...

    def get_list(self, path: str, **params: str) -> list[Json]:
        """GET a list of objects."""
        ...

    def post_json(self, path: str, payload: Json) -> Json:
        """POST once."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """Where the paged list of the changes of a ticket is: `path` with `params`, its entries under `name`."""

    path: str
    name: str
    params: tuple[tuple[str, str], ...] = ()
    inside: str = ""
    """The part of the answer that holds the list; "" is the answer itself, and only such a list has pages."""


class Flavor(ABC):
    """One flavor of Jira."""

    key: ClassVar[str]
    name: ClassVar[str]
    api_version: ClassVar[str]
    deployments: ClassVar[frozenset[str]]
    """What `serverInfo` calls it, in lower case."""

    @abstractmethod
    def document(self, blocks: tuple[Block, ...]) -> Any:
        """The blocks in its document format."""

    @abstractmethod
    def marked_document(self, blocks: tuple[Block, ...], *, marker: str) -> Any:
        """The same, ended by the marker of a comment."""

    @abstractmethod
    def prose(self, body: Any) -> str:
        """A body as people read it."""

    @abstractmethod
    def user_id(self, user: Json) -> str:
        """The id of a user in an answer, stable when the user is renamed; "" if there is none."""

    @abstractmethod
    def search(self, api: Api, jql: str, *, fields: list[str], results_max: int) -> list[Json]:
        """The first issues that match."""

    @abstractmethod
    def issues(self, api: Api, ids: Sequence[str], *, fields: list[str]) -> list[Json]:
        """The issues with these ids; those that are hidden or gone are left out."""

    @abstractmethod
    def changes(self, ticket_path: str) -> Page:
        """Where the changes of a ticket are."""

    @abstractmethod
    def projects(self, api: Api) -> list[Json]:
        """The projects that the account sees."""

    @abstractmethod
    def issue_types(self, api: Api, project: str) -> list[Json]:
        """The issue types that the account may create in the project."""

    @abstractmethod
    def fields(self, api: Api, project: str, type_id: str) -> list[Json]:
        """The fields of the create screen of an issue type."""

    @abstractmethod
    def people(self, api: Api, email: str) -> list[Json]:
        """The users that match an e-mail address."""

    @abstractmethod
    def signs_webhooks(self, version: Version) -> bool:
        """Whether a webhook of this version can be signed with a secret."""

    @abstractmethod
    def limits(self, version: Version) -> tuple[str, ...]:
        """What this version cannot do, one sentence each."""

    @abstractmethod
    def refusal(self, version: Version) -> str:
        """Why this version is not supported; "" if it is."""

    def field_kind(self, schema: Json) -> str:
        """The type of a field in our words: the one that its `schema` names, unless the flavor tells more apart."""
        return str(schema.get("type", ""))

    def statuses(self, api: Api, project: str) -> list[Json]:
        """The statuses of each issue type of the project."""
        return api.get_list(f"project/{part(project)}/statuses")


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


def paged(api: Api, path: str, name: str) -> list[Json]:
    """Every entry of a paged list, up to a number of pages."""
    entries: list[Json] = []
    for _ in range(PAGES_MAX):
        page = api.get_json(path, startAt=str(len(entries)), maxResults=str(PAGE))
        entries += page[name]
        if not page[name] or page.get("isLast") is True or len(entries) >= page.get("total", len(entries) + 1):
            break
    return entries


def short_id(value: object) -> str:
    """An id of a user as text, cut to what can be stored."""
    return str(value)[:ACCOUNT_CHARS_MAX] if isinstance(value, str | int) else ""
