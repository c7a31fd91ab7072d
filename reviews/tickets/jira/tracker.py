"""The TicketTracker that speaks to Jira Cloud. It neither sleeps nor repeats: the outbox decides when to try again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import quote

from reviews.tickets.jira import health
from reviews.tickets.jira.client import JiraClient, Json
from reviews.tickets.jira.errors import Doing, in_words
from reviews.tickets.jira.mapping import document, marked_document, marker_text, plain_text, summary_line
from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.jira.workflow import settled_status, way_to
from reviews.tickets.ports import (
    Block,
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
)

_FOUND_MAX = 50
_COMMENT_PAGE = 100
_COURTESY_S = 5.0
_READ_FIELDS = "labels,status"


class JiraTracker:
    """One Jira project. `clock` tells the time in UTC, for a Retry-After given as a date. Close it after use.

    Once asked to slow down it sends nothing before the time named (a few seconds where none was), whoever asks for
    what.
    """

    def __init__(self, settings: JiraSettings, *, clock: Callable[[], datetime]) -> None:
        self.settings = settings
        self._clock = clock
        self._client: JiraClient | None = None
        self._account_id = ""
        self._silent_until: datetime | None = None

    def close(self) -> None:
        """Let the connection go."""
        if self._client is not None:
            self._client.hang_up()
            self._client = None

    def open(self, ticket: TicketDraft, *, not_after: datetime | None = None) -> RemoteTicket:
        """Create the ticket and see that its label was kept. Raises LabelLost, with the ticket, where it was not."""
        payload = self._payload(ticket)
        with self._asking("open the ticket", write=True) as client:
            if not_after is not None and self._clock() > not_after:
                raise TooLate(
                    "This worker was held up, so Jira was not asked to open the ticket; another attempt will."
                )
            created = client.post_json("issue", payload)
            ticket_id, key = str(created["id"]), str(created["key"])
        opened = RemoteTicket(id=ticket_id, key=key, url=self.settings.browse_url(key), status="")
        return self._with_label_seen(opened, ticket.label)

    def find(self, label: str) -> RemoteTicket | None:
        """The oldest ticket with the label, wherever people have moved it; younger ones in `duplicates`."""
        quoted = label.replace("\\", "\\\\").replace('"', '\\"')
        jql = f'labels = "{quoted}" ORDER BY created ASC'
        with self._asking("search for the ticket", write=False) as client:
            issues = client.search(jql, fields=["labels", "status", "created"], results_max=_FOUND_MAX)
            exact = [issue for issue in issues if label in issue["fields"]["labels"]]
            found = sorted(exact, key=lambda issue: int(issue["id"]))
            tickets = [self._ticket(issue) for issue in found]
        if not tickets:
            return None
        oldest, *younger = tickets
        return RemoteTicket(oldest.id, oldest.key, oldest.url, oldest.status, tuple(twin.key for twin in younger))

    def comment(self, ticket_id: str, blocks: tuple[Block, ...], *, marker: str, may_exist: bool = True) -> str:
        """Add the comment unless one of our own already carries the marker; answers its id."""
        if may_exist and (existing := self._own_comment(ticket_id, marker)):
            return existing
        with self._asking("add a comment", write=True, ticket=ticket_id) as client:
            body = marked_document(blocks, marker=marker)
            return str(client.post_json(f"{issue_path(ticket_id)}/comment", {"body": body})["id"])

    def transition(self, ticket_id: str, target: str) -> str:
        """Move the ticket by whatever transition leads to the target just now; answers the status it then has."""
        path = issue_path(ticket_id)
        with self._asking("read the ticket", write=False, ticket=ticket_id) as client:
            current = client.get_json(path, fields=_READ_FIELDS)["fields"]["status"]
            if (settled := settled_status(current, target)) is not None:
                return settled
            transitions = client.get_json(f"{path}/transitions")["transitions"]
            way = way_to(transitions, current=current, target=target)
        if way.transition_id is None:
            return way.status
        try:
            with self._asking(f"move the ticket to {way.status}", write=True, ticket=ticket_id) as client:
                client.post_json(f"{path}/transitions", {"transition": {"id": way.transition_id}})
        except Misconfigured as error:
            if not error.fields:
                raise
            raise TransitionUnavailable(error.reason) from error
        return way.status

    def link(self, ticket_id: str, *, url: str, title: str, global_id: str) -> None:
        """Set or overwrite the remote link with this global id."""
        payload = {"globalId": global_id, "object": {"url": url, "title": title}}
        with self._asking("set the link back", write=True, ticket=ticket_id) as client:
            client.post_json(f"{issue_path(ticket_id)}/remotelink", payload)

    def check(self) -> TrackerHealth:
        """Walk from the address to the fields of the create screen, and say the first thing that is wrong."""
        self.close()  # a test of the connection asks anew what the server is
        try:
            with self._asking("answer", write=False) as client:
                return health.examine(client, self.settings)
        except TrackerError as error:
            wait_s = error.retry_after_s if isinstance(error, TrackerUnreachable) else None
            return TrackerHealth(ok=False, sentence=error.reason, retry_after_s=wait_s)

    @contextmanager
    def _asking(self, what: str, *, write: bool, ticket: str = "") -> Iterator[JiraClient]:
        doing = Doing(what=what, write=write, ticket=ticket)
        self._check_silence(doing)
        try:
            client = self._connected()
            with in_words(doing, settings=self.settings, clock=self._clock):
                yield client
        except RateLimited as limited:
            wait_s = _COURTESY_S if limited.retry_after_s is None else limited.retry_after_s
            self._silent_until = self._clock() + timedelta(seconds=wait_s)
            raise

    def _check_silence(self, doing: Doing) -> None:
        left_s = (self._silent_until - self._clock()).total_seconds() if self._silent_until else 0.0
        if left_s > 0:
            raise RateLimited(f"Jira asked to slow down, so it was not asked to {doing.what}.", retry_after_s=left_s)

    def _connected(self) -> JiraClient:
        if self._client is None:
            client = JiraClient(self.settings)
            with in_words(Doing(what="say what it is", write=False), settings=self.settings, clock=self._clock):
                client.identify()
            self._client = client
        return self._client

    def _payload(self, ticket: TicketDraft) -> Json:
        fields = {
            **self.settings.fields,
            "project": {"key": self.settings.project},
            "issuetype": {"name": self.settings.issue_type},
            "summary": summary_line(ticket.summary),
            "description": document(ticket.body),
            "labels": [ticket.label, *ticket.extra_labels],
        }
        return {"fields": fields, "properties": [{"key": "weighbridge", "value": {"label": ticket.label}}]}

    def _with_label_seen(self, opened: RemoteTicket, label: str) -> RemoteTicket:
        try:
            with self._asking("read the ticket", write=False, ticket=opened.id) as client:
                seen = client.get_json(issue_path(opened.id), fields=_READ_FIELDS)
                labels, ticket = seen["fields"]["labels"], self._ticket(seen)
        except TrackerError:
            return opened  # it is open and known: a failed look must not make anybody open it again
        if label not in labels:
            raise LabelLost(
                f"Jira opened {opened.key} but did not keep its label {label}: put the field Labels on the screens of "
                f"project {self.settings.project}, and see that no automation there removes it.",
                ticket=ticket,
            )
        return ticket

    def _own_comment(self, ticket_id: str, marker: str) -> str:
        wanted, start = marker_text(marker), 0
        with self._asking("read the comments", write=False, ticket=ticket_id) as client:
            self.own_account()
            while True:
                page = client.get_json(
                    f"{issue_path(ticket_id)}/comment",
                    startAt=str(start),
                    maxResults=str(_COMMENT_PAGE),
                    orderBy="-created",
                )
                for comment in page["comments"]:
                    if comment["author"]["accountId"] == self._account_id and wanted in plain_text(comment["body"]):
                        return str(comment["id"])
                start += len(page["comments"])
                if not page["comments"] or start >= page["total"]:
                    return ""

    def own_account(self) -> str:
        """The account id we have there, asked for once. Raises TrackerError."""
        if not self._account_id:
            with self._asking("say who we are", write=False) as client:
                self._account_id = str(client.get_json("myself")["accountId"])
        return self._account_id

    def _ticket(self, issue: Json) -> RemoteTicket:
        key = str(issue["key"])
        status = str(issue["fields"]["status"]["name"])
        return RemoteTicket(id=str(issue["id"]), key=key, url=self.settings.browse_url(key), status=status)


def issue_path(ticket_id: str) -> str:
    """The address of a ticket below the API root."""
    return f"issue/{quote(ticket_id, safe='')}"
