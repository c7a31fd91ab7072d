"""Which Jira, as whom, and what its project calls things."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from reviews.tickets.ports import Misconfigured

STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "screening": "To Do",
        "evidence": "In Progress",
        "in_review": "In Progress",
        "changes_requested": "In Progress",
        "cleared": "Done",
        "approved": "Done",
        "approved_with_conditions": "Done",
        "rejected": "Done",
        "withdrawn": "Done",
        "expired": "Done",
        "acknowledged": "In Progress",
        "done": "Done",
        "dropped": "Done",
    }
)
"""Status or status category for each event: these three names exist in every project Jira creates."""

CONNECT_TIMEOUT_S, READ_TIMEOUT_S, SETTLE_S = 5.0, 20.0, 45.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JiraSettings:
    """One Jira project and the account used in it.

    `fields` go into every new ticket as they are, by field id: `{"priority": {"name": "High"}}`. `settle_s` is how long
    search may lag behind a write, in seconds. Raises Misconfigured in words for what can be seen to be wrong at once.
    """

    url: str
    email: str
    token: str = field(repr=False)
    project: str
    issue_type: str = "Task"
    fields: Mapping[str, Any] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=lambda: STATUSES)
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    read_timeout_s: float = READ_TIMEOUT_S
    settle_s: float = SETTLE_S
    allow_plain_http: bool = False

    def __post_init__(self) -> None:
        """Refuse what no Jira could answer, before anything is sent."""
        for name in ("url", "email", "token", "project", "issue_type"):
            if not getattr(self, name).strip():
                raise Misconfigured(f"JIRA_{name.upper()} is empty: set it, or unset JIRA_URL to let tickets wait.")
        self._check_url()

    def _check_url(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Misconfigured("JIRA_URL is not a web address: write it as https://your-site.atlassian.net.")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise Misconfigured("JIRA_URL must be the plain address of the site: account and token have own settings.")
        if parts.scheme == "http" and not (self.is_loopback or self.allow_plain_http):
            raise Misconfigured("JIRA_URL begins with http://, which would send the token readable: use https://.")

    @property
    def answer_s(self) -> float:
        """How long a call may be under way, in seconds."""
        return self.connect_timeout_s + self.read_timeout_s

    @property
    def patience_s(self) -> float:
        """How long after a creation was sent a search that finds nothing still proves nothing.

        The creation may be under way until the time-outs are over; then search may lag, and is asked twice.
        """
        return self.answer_s + 2 * self.settle_s

    def sendable_s(self, lease_s: float) -> float:
        """How long after it was written down a creation may still be sent, in seconds.

        Nobody else sends one before the lease and `patience_s` are both over; by then search must have known this one
        for a while, whatever it took to be done.
        """
        return max(lease_s, self.patience_s) - self.answer_s - self.settle_s

    @property
    def is_loopback(self) -> bool:
        """Whether the address is this machine; such traffic never goes through a proxy."""
        return urlsplit(self.url).hostname in LOOPBACK

    def status_for(self, event: str) -> str | None:
        """The status, or status category, a ticket moves to at `event` (a request state or an outcome); None: stays."""
        return self.statuses.get(event)

    def browse_url(self, key: str) -> str:
        """Where a person sees the ticket."""
        return f"{self.url.rstrip('/')}/browse/{key}"
