"""Settings of the Jira adapter: site, account, project, and the names used in the project."""

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
    search may lag behind a write, in seconds. Raises Misconfigured for values that are obviously wrong.
    """

    url: str
    email: str
    token: str = field(repr=False)
    project: str
    issue_type: str = "Task"
    fields: Mapping[str, Any] = field(default_factory=dict)
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    read_timeout_s: float = READ_TIMEOUT_S
    settle_s: float = SETTLE_S
    allow_plain_http: bool = False

    def __post_init__(self) -> None:
        """Check the values before anything is sent."""
        for name in ("url", "email", "token", "project", "issue_type"):
            if not getattr(self, name).strip():
                raise Misconfigured(f"JIRA_{name.upper()} is empty: set it, or unset JIRA_URL to keep tickets queued.")
        self._check_url()

    def _check_url(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Misconfigured("JIRA_URL is not a web address: write it as https://your-site.atlassian.net.")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise Misconfigured(
                "JIRA_URL must be the plain address of the site: account and token have settings of their own."
            )
        if parts.scheme == "http" and not (self.is_loopback or self.allow_plain_http):
            raise Misconfigured("JIRA_URL begins with http://, which would send the token unencrypted: use https://.")

    @property
    def answer_s(self) -> float:
        """The maximum duration of a call, in seconds."""
        return self.connect_timeout_s + self.read_timeout_s

    @property
    def patience_s(self) -> float:
        """How long after sending a creation an empty search result proves nothing, in seconds.

        The creation can take until the time-outs; after that, search may lag, and it is queried twice.
        """
        return self.answer_s + 2 * self.settle_s

    def sendable_s(self, lease_s: float) -> float:
        """How long after it was recorded a creation may still be sent, in seconds.

        Another worker sends one only after both the lease and `patience_s`. By then search must find this one, even if
        it took the longest possible time.
        """
        return max(lease_s, self.patience_s) - self.answer_s - self.settle_s

    @property
    def is_loopback(self) -> bool:
        """Whether the address is this machine; such requests never use a proxy."""
        return urlsplit(self.url).hostname in LOOPBACK

    def browse_url(self, key: str) -> str:
        """The URL of the ticket for people."""
        return f"{self.url.rstrip('/')}/browse/{key}"
