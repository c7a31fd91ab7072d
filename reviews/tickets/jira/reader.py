"""Read tickets from Jira: comments and moves by people. It writes nothing."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from reviews.tickets.jira.client import Json, identifier, label
from reviews.tickets.jira.flavors.flavor import Flavor
from reviews.tickets.jira.tracker import JiraTracker, issue_path
from reviews.tickets.ports import RemoteComment, RemoteIssue, RemoteMove, TicketStatus

ENTRIES_MAX = 2_000
YEARS = (1990, 2200)
INTERNAL = "sd.public.comment"
"""The property by which Jira Service Management marks an internal comment."""
STATUSES_MAX = 100
"""The maximum number of issues in one bulk request."""


class JiraReader(JiraTracker):
    """A TicketReader that uses the connection and error handling of JiraTracker."""

    def read(self, ticket_id: str) -> RemoteIssue:
        """Read the ticket, then its comments, then its moves, so that the result is at least as new as `updated_at`."""
        with self._asking("read the ticket", write=False, ticket=ticket_id) as client:
            issue = client.get_json(issue_path(ticket_id), fields="status,updated")
            us = self.own_account()
            entries = self._oldest(ticket_id, "comment", "comments", expand="properties")
            comments = [_comment(entry, us, self.settings.flavor) for entry in entries if _is_for_everybody(entry)]
            moves = self._moves(ticket_id, us)
            ticket, updated_at = self._ticket(issue), _moment(issue["fields"]["updated"])
        return RemoteIssue(
            id=ticket.id,
            key=ticket.key,
            url=ticket.url,
            status=ticket.status,
            updated_at=updated_at,
            comments=tuple(comments),
            moves=tuple(moves),
        )

    def read_statuses(self, ticket_ids: Sequence[str]) -> dict[str, TicketStatus]:
        """The statuses of the tickets, 100 per request. Tickets that Jira does not show are left out."""
        seen: dict[str, TicketStatus] = {}
        for start in range(0, len(ticket_ids), STATUSES_MAX):
            wanted = ticket_ids[start : start + STATUSES_MAX]
            with self._asking("read the statuses of the tickets", write=False) as client:
                issues = self.settings.flavor.issues(client, wanted, fields=["status", "updated"])
                seen |= {identifier(issue["id"]): _ticket_status(issue["fields"]) for issue in issues}
        return seen

    def _oldest(self, ticket_id: str, part: str, name: str, **more: str) -> Iterator[Json]:
        return islice(self._entries("read the ticket", ticket_id, part, name, **more), ENTRIES_MAX)

    def _changes(self, ticket_id: str) -> Iterator[Json]:
        """The changes of the ticket, oldest first: a list of its own with pages, or a part of the ticket."""
        place = self.settings.flavor.changes(issue_path(ticket_id))
        if not place.inside:
            return self._oldest(ticket_id, "changelog", place.name)
        with self._asking("read the ticket", write=False, ticket=ticket_id) as client:
            entries = client.get_json(place.path, **dict(place.params))[place.inside][place.name]
            return islice(iter(sorted(entries, key=lambda entry: int(entry["id"]))), ENTRIES_MAX)

    def _moves(self, ticket_id: str, us: str) -> list[RemoteMove]:
        flavor = self.settings.flavor
        items = (
            (entry, item)
            for entry in self._changes(ticket_id)
            for item in entry["items"]
            if item.get("field") == "status"
        )
        moves = list(islice(items, ENTRIES_MAX))
        categories = self._categories() if any(_author(entry, flavor)[0] != us for entry, _ in moves) else {}
        return [
            RemoteMove(
                id=identifier(entry["id"]),
                author_id=_author(entry, flavor)[0],
                author=_author(entry, flavor)[1],
                status=label(item["toString"]),
                category=categories.get(str(item["to"]), ""),
                at=_moment(entry["created"]),
                is_by_us=_author(entry, flavor)[0] == us,
            )
            for entry, item in moves
        ]

    def _categories(self) -> dict[str, str]:
        with self._asking("list its statuses", write=False) as client:
            statuses = client.get_list("status")
            return {identifier(status["id"]): label(status["statusCategory"]["key"]) for status in statuses}


def _is_for_everybody(entry: Json) -> bool:
    """Whether everybody who sees the ticket sees the comment: it is for no group or role, and not internal."""
    marks = [each["value"] for each in entry.get("properties") or [] if each["key"] == INTERNAL]
    is_internal = any(not isinstance(mark, dict) or mark.get("internal") not in (False, "false") for mark in marks)
    return entry.get("visibility") is None and entry.get("jsdPublic") is not False and not is_internal


def _comment(entry: Json, us: str, flavor: Flavor) -> RemoteComment:
    author_id, author = _author(entry, flavor)
    return RemoteComment(
        id=identifier(entry["id"]),
        author_id=author_id,
        author=author,
        text=flavor.prose(entry.get("body")),
        created_at=_moment(entry["created"]),
        updated_at=_moment(entry["updated"]),
        is_by_us=author_id == us,
    )


def _ticket_status(fields: Json) -> TicketStatus:
    category = fields["status"].get("statusCategory", {})
    names = tuple(label(category[part]) for part in ("name", "key") if part in category)
    return TicketStatus(status=label(fields["status"]["name"]), categories=names, updated_at=_moment(fields["updated"]))


def _author(entry: Json, flavor: Flavor) -> tuple[str, str]:
    """(account id, name); both "" if the account was deleted, or for an automation without an account."""
    author = entry.get("author") or {}
    return flavor.user_id(author), str(author.get("displayName", ""))


def _moment(text: str) -> datetime:
    """Jira writes `2026-11-24T12:00:00.000+0000`. Raises ValueError for other formats, and years that cannot be."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise ValueError("not a time of a ticket")
    return moment
