"""The TicketTracker for every flavor of Jira. It neither sleeps nor retries: the outbox decides when to try again."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

from reviews.tickets.jira import health
from reviews.tickets.jira.client import JiraClient, Json, identifier, label
from reviews.tickets.jira.errors import Operation, translate_errors
from reviews.tickets.jira.fields import field_values, fixed_values
from reviews.tickets.jira.flavors.texts import summary_line
from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.jira.workflow import find_transition, status_if_reached
from reviews.tickets.ports import (
    Block,
    FailureReach,
    LabelLost,
    Misconfigured,
    RateLimited,
    RemoteTicket,
    TicketDraft,
    TooLate,
    TrackerError,
    TrackerHealth,
    TrackerUnreachable,
    TransitionUnavailable,
    Value,
)

_FOUND_MAX = 50
PAGE, PAGES_MAX, LIST_S = 100, 100, 60.0
_DEFAULT_WAIT_S = 5.0
_READ_FIELDS = "labels,status"


class JiraTracker:
    """One Jira project. `clock` returns the time in UTC, for a Retry-After given as a date. Close it after use.

    After a rate limit it sends nothing until the named time (a few seconds if none was named).
    """

    def __init__(self, settings: JiraSettings, *, clock: Callable[[], datetime]) -> None:
        self.settings = settings
        self._clock = clock
        self._client: JiraClient | None = None
        self._account_id = ""
        self._limited_until: datetime | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.disconnect()
            self._client = None

    def open(self, ticket: TicketDraft, *, not_after: datetime | None = None) -> RemoteTicket:
        """Create the ticket and verify its label. Raises LabelLost with the ticket if Jira did not store the label."""
        payload = self._payload(ticket)
        with self._asking("open the ticket", write=True) as client:
            if not_after is not None and self._clock() > not_after:
                raise TooLate(
                    "This worker was delayed too long, so Jira was not asked to open the ticket; a later attempt will."
                )
            created = client.post_json("issue", payload)
            key = identifier(created["key"])
            opened = RemoteTicket(identifier(created["id"]), key, self.settings.browse_url(key), status="")
        return self._with_label_checked(opened, ticket.label)

    def find(self, label: str) -> RemoteTicket | None:
        """The oldest ticket with the label, even if people moved it; newer ones are in `duplicates`."""
        quoted = label.replace("\\", "\\\\").replace('"', '\\"')
        jql = f'labels = "{quoted}" ORDER BY created ASC'
        with self._asking("search for the ticket", write=False) as client:
            fields = ["labels", "status", "created"]
            issues = self.settings.flavor.search(client, jql, fields=fields, results_max=_FOUND_MAX)
            exact = [issue for issue in issues if label in issue["fields"]["labels"]]
            tickets = [self._ticket(issue) for issue in sorted(exact, key=lambda issue: int(issue["id"]))]
        return replace(tickets[0], duplicates=tuple(twin.key for twin in tickets[1:])) if tickets else None

    def comment(self, ticket_id: str, blocks: tuple[Block, ...], *, marker: str, may_exist: bool = True) -> str:
        """Add the comment, unless one of our comments already has the marker. Returns its id."""
        if may_exist and (existing := self._own_comment(ticket_id, marker)):
            return existing
        with self._asking("add a comment", write=True, ticket=ticket_id) as client:
            body = self.settings.flavor.marked_document(blocks, marker=marker)
            return identifier(client.post_json(f"{issue_path(ticket_id)}/comment", {"body": body})["id"])

    def transition(self, ticket_id: str, target: str) -> str:
        """Move the ticket by a transition that currently leads to the target. Returns the resulting status."""
        path = issue_path(ticket_id)
        with self._asking("read the ticket", write=False, ticket=ticket_id) as client:
            current = client.get_json(path, fields=_READ_FIELDS)["fields"]["status"]
            if (settled := status_if_reached(current, target)) is not None:
                return settled
            transitions = client.get_json(f"{path}/transitions")["transitions"]
            transition = find_transition(transitions, current=current, target=target)
        if transition.transition_id is None:
            return transition.status
        try:
            with self._asking(f"move the ticket to {transition.status}", write=True, ticket=ticket_id) as client:
                client.post_json(f"{path}/transitions", {"transition": {"id": transition.transition_id}})
        except Misconfigured as error:
            if not error.fields:
                raise
            raise TransitionUnavailable(error.reason) from error
        return transition.status

    def link(self, ticket_id: str, *, url: str, title: str, global_id: str) -> None:
        """Set or overwrite the remote link with this global id."""
        payload = {"globalId": global_id, "object": {"url": url, "title": title}}
        with self._asking("set the link back", write=True, ticket=ticket_id) as client:
            client.post_json(f"{issue_path(ticket_id)}/remotelink", payload)

    def fill(self, ticket_id: str, values: Mapping[str, Value | None]) -> None:
        """Set the fields of these values; None empties a field. Values without a field are left out."""
        fields = field_values(tuple(values.items()), self.settings.field_map, self.settings.flavor)
        if fields:
            with self._asking("set its fields", write=True, ticket=ticket_id) as client:
                client.put_json(issue_path(ticket_id), {"fields": fields})

    def attach(self, ticket_id: str, *, name: str, content: bytes, media_type: str) -> None:
        """Attach the file, unless the ticket already has an attachment of this name."""
        with self._asking("read the attachments", write=False, ticket=ticket_id) as client:
            attached = client.get_json(issue_path(ticket_id), fields="attachment")["fields"].get("attachment") or []
            if name in {str(entry.get("filename", "")) for entry in attached}:
                return
        with self._asking("attach the file", write=True, ticket=ticket_id) as client:
            path = f"{issue_path(ticket_id)}/attachments"
            client.post_file(path, name=name, content=content, media_type=media_type)

    def check(self) -> TrackerHealth:
        """Test everything from the address to the fields of the create screen, and report the first problem."""
        self.close()  # the test must also identify the server again
        test = health.ConnectionTest(self.settings)
        try:
            with self._asking("answer", write=False) as client:
                test.run(client)
        except TrackerError as error:
            test.fail(error)
            return test.result(retry_after_s=error.retry_after_s if isinstance(error, TrackerUnreachable) else None)
        return test.result()

    @contextmanager
    def _asking(self, what: str, *, write: bool, ticket: str = "") -> Iterator[JiraClient]:
        operation = Operation(what=what, write=write, ticket=ticket)
        self._check_rate_limit(operation)
        try:
            client = self._connected()
            with translate_errors(operation, settings=self.settings, clock=self._clock):
                yield client
        except RateLimited as limited:
            wait_s = _DEFAULT_WAIT_S if limited.retry_after_s is None else limited.retry_after_s
            self._limited_until = self._clock() + timedelta(seconds=wait_s)
            raise

    def _check_rate_limit(self, operation: Operation) -> None:
        left_s = (self._limited_until - self._clock()).total_seconds() if self._limited_until else 0.0
        if left_s > 0:
            raise RateLimited(
                f"Jira limited the request rate, so it was not asked to {operation.what}.", retry_after_s=left_s
            )

    def _connected(self) -> JiraClient:
        if self._client is None:
            client = JiraClient(self.settings)
            with translate_errors(
                Operation(what="say what it is", write=False), settings=self.settings, clock=self._clock
            ):
                client.identify()
            self._client = client
        return self._client

    def _payload(self, ticket: TicketDraft) -> Json:
        fields = {
            **fixed_values(self.settings.fields, self.settings.flavor),
            **field_values(ticket.values, self.settings.field_map, self.settings.flavor),
            "project": {"key": self.settings.project},
            "issuetype": {"name": self.settings.issue_type},
            "summary": summary_line(ticket.summary),
            "description": self.settings.flavor.document(ticket.body),
            "labels": [ticket.label],
        }
        return {"fields": fields, "properties": [{"key": "weighbridge", "value": {"label": ticket.label}}]}

    def _with_label_checked(self, opened: RemoteTicket, label: str) -> RemoteTicket:
        try:
            with self._asking("read the ticket", write=False, ticket=opened.id) as client:
                seen = client.get_json(issue_path(opened.id), fields=_READ_FIELDS)
                labels, ticket = seen["fields"]["labels"], self._ticket(seen)
        except TrackerError:
            return opened  # the ticket is open and its id known: a failed check must not lead to a second ticket
        if label not in labels:
            raise LabelLost(
                f"Jira opened {opened.key} but did not store its label {label}: add the field Labels to the screens of "
                f"project {self.settings.project}, and make sure that no automation removes it.",
                ticket=ticket,
            )
        return ticket

    def _own_comment(self, ticket_id: str, marker: str) -> str:
        """The id of our comment that ends with the marker: before it are texts of people, who may name markers."""
        what, flavor = "read the comments", self.settings.flavor
        wanted = flavor.prose(flavor.marked_document((), marker=marker)).strip()
        with self._asking(what, write=False, ticket=ticket_id):
            us = self.own_account()
            for comment in self._entries(what, ticket_id, "comment", "comments", orderBy="-created"):
                author = flavor.user_id(comment.get("author") or {})
                if author == us and flavor.prose(comment["body"]).rstrip().endswith(wanted):
                    return identifier(comment["id"])
        return ""

    def _entries(self, what: str, ticket_id: str, part: str, name: str, **more: str) -> Iterator[Json]:
        """The first entries of a paged list of a ticket, page by page, up to a number of pages and a time."""
        start, ends_at_s = 0, time.monotonic() + LIST_S
        with self._asking(what, write=False, ticket=ticket_id) as client:
            for _ in range(PAGES_MAX):
                if time.monotonic() > ends_at_s:
                    raise TrackerUnreachable(f"Jira took too long to {what}.", reach=FailureReach.TICKET)
                span = {"startAt": str(start), "maxResults": str(PAGE)}
                page = client.get_json(f"{issue_path(ticket_id)}/{part}", **span, **more)
                yield from page[name]
                start += len(page[name])
                if not page[name] or start >= page["total"]:
                    return

    def own_account(self) -> str:
        """Our account id in Jira, read once. Raises TrackerError."""
        if not self._account_id:
            with self._asking("name our account", write=False) as client:
                self._account_id = account_id(self.settings.flavor.user_id(client.get_json("myself")))
        return self._account_id

    def _ticket(self, issue: Json) -> RemoteTicket:
        key, status = identifier(issue["key"]), label(issue["fields"]["status"]["name"])
        return RemoteTicket(id=identifier(issue["id"]), key=key, url=self.settings.browse_url(key), status=status)


def account_id(text: str) -> str:
    """The id of our account. Raises ValueError if the answer had none."""
    if not text:
        raise ValueError("no account id")
    return text


def issue_path(ticket_id: str) -> str:
    """The path of a ticket below the API root."""
    return f"issue/{quote(ticket_id, safe='')}"
