"""Reads tickets: what people wrote, and how they moved them. The second half of the adapter; it writes nothing."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from reviews.tickets.jira.client import Json
from reviews.tickets.jira.tracker import JiraTracker, issue_path
from reviews.tickets.ports import Glance, RemoteComment, RemoteIssue, RemoteMove

PAGE, ENTRIES_MAX = 100, 2_000
GLANCE_MAX = 100
"""Jira fetches at most so many issues at once."""
_INLINE = {"text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status"}


class JiraReader(JiraTracker):
    """A TicketReader over the same connection, with the same manners."""

    def read(self, ticket_id: str) -> RemoteIssue:
        """The ticket, then its comments, then its moves: whatever changes meanwhile makes it newer than
        `updated_at`.
        """
        with self._asking("read the ticket", write=False, ticket=ticket_id) as client:
            issue = client.get_json(issue_path(ticket_id), fields="status,updated")
            us = self.own_account()
            comments = [_comment(each, us) for each in self._entries(ticket_id, "comment", "comments")]
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

    def glance(self, ticket_ids: Sequence[str]) -> dict[str, Glance]:
        """Where the tickets stand, a hundred to a request; those Jira does not show are not in the answer."""
        seen: dict[str, Glance] = {}
        for start in range(0, len(ticket_ids), GLANCE_MAX):
            wanted = {"issueIdsOrKeys": list(ticket_ids[start : start + GLANCE_MAX]), "fields": ["status", "updated"]}
            with self._asking("look at the tickets", write=False) as client:
                issues = client.post_json("issue/bulkfetch", wanted)["issues"]
                seen |= {str(issue["id"]): _glance(issue["fields"]) for issue in issues}
        return seen

    def _entries(self, ticket_id: str, part: str, name: str) -> Iterator[Json]:
        """Every entry of a paged list, oldest first."""
        start = 0
        with self._asking("read the ticket", write=False, ticket=ticket_id) as client:
            while start < ENTRIES_MAX:
                page = client.get_json(f"{issue_path(ticket_id)}/{part}", startAt=str(start), maxResults=str(PAGE))
                yield from page[name]
                start += len(page[name])
                if not page[name] or start >= page["total"]:
                    return

    def _moves(self, ticket_id: str, us: str) -> list[RemoteMove]:
        found = [
            (entry, item)
            for entry in self._entries(ticket_id, "changelog", "values")
            for item in entry["items"]
            if item.get("field") == "status"
        ]
        categories = self._categories() if any(_author(entry)[0] != us for entry, _ in found) else {}
        return [
            RemoteMove(
                id=str(entry["id"]),
                author_id=_author(entry)[0],
                author=_author(entry)[1],
                status=str(item["toString"]),
                category=categories.get(str(item["to"]), ""),
                at=_moment(entry["created"]),
                is_by_us=_author(entry)[0] == us,
            )
            for entry, item in found
        ]

    def _categories(self) -> dict[str, str]:
        with self._asking("name its statuses", write=False) as client:
            return {str(each["id"]): str(each["statusCategory"]["key"]) for each in client.get_list("status")}


def _comment(entry: Json, us: str) -> RemoteComment:
    author_id, author = _author(entry)
    return RemoteComment(
        id=str(entry["id"]),
        author_id=author_id,
        author=author,
        text=prose(entry.get("body")),
        created_at=_moment(entry["created"]),
        updated_at=_moment(entry["updated"]),
        is_by_us=author_id == us,
    )


def _glance(fields: Json) -> Glance:
    category = fields["status"].get("statusCategory", {})
    names = tuple(str(category[part]) for part in ("name", "key") if part in category)
    return Glance(status=str(fields["status"]["name"]), categories=names, updated_at=_moment(fields["updated"]))


def _author(entry: Json) -> tuple[str, str]:
    """(account id, name); both "" where the account was deleted, or an automation without one acted."""
    author = entry.get("author") or {}
    return str(author.get("accountId", "")), str(author.get("displayName", ""))


def _moment(text: str) -> datetime:
    """Jira writes `2026-11-24T12:00:00.000+0000`. Raises ValueError where it is no moment with an offset."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def prose(node: Any) -> str:
    """The text of an ADF node as people read it, a line for each block. Total: an unknown shape has no text."""
    if isinstance(node, list):
        return "".join(prose(child) for child in node)
    if not isinstance(node, dict):
        return ""
    if node.get("type") in _INLINE:
        return _inline(node)
    inner = prose(node.get("content"))
    is_block = isinstance(node.get("content"), list) and any(
        isinstance(child, dict) and child.get("type") in _INLINE for child in node["content"]
    )
    return f"{inner}\n" if is_block and not inner.endswith("\n") else inner


def _inline(node: Json) -> str:
    attributes = node.get("attrs")
    known: Json = attributes if isinstance(attributes, dict) else {}
    if node["type"] == "hardBreak":
        return "\n"
    said = node.get("text") or known.get("text") or known.get("shortName") or known.get("url") or ""
    return said if isinstance(said, str) else ""
