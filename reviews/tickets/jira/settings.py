"""Settings of the Jira adapter: site, account, project, and the names used in the project."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from reviews.tickets.domain.addresses import LOOPBACK, address_problem
from reviews.tickets.domain.field_values import FieldTarget
from reviews.tickets.jira.flavors import CLOUD
from reviews.tickets.jira.flavors.flavor import Flavor
from reviews.tickets.jira.signing_in import OAuthAccess
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
"""Status or status category for each event: every project of Jira has these three categories, in any language."""

CONNECT_AGAIN = (
    "Atlassian does not accept the access of Weighbridge to the site any more: open the page of its credential, and "
    "press Connect again."
)
CONNECT_TIMEOUT_S, READ_TIMEOUT_S, SETTLE_S = 5.0, 20.0, 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JiraSettings:
    """One Jira site, the account used there, and one of its projects ("" as long as none is chosen).

    With an e-mail address, the token is that of an account of Jira Cloud; without one, it is sent as a bearer token.
    With `oauth`, there is no token. `work` is what the tickets of the route are about, "" is everything.
    `fields` go into every new ticket as they are, by field id: `{"priority": {"name": "High"}}`; a text in
    `{"paragraph": …}` goes as a document. `field_map` names the field of each of our values, `statuses` the names of
    statuses that tickets move to. `settle_s` is how long search may lag behind a write, in seconds. Raises
    Misconfigured for values that are obviously wrong. `allow_plain_http` allows http, on this machine only.
    """

    url: str
    token: str = field(default="", repr=False)
    email: str = ""
    oauth: OAuthAccess | None = None
    flavor: Flavor = CLOUD
    project: str = ""
    work: str = ""
    issue_type: str = "Task"
    fields: Mapping[str, Any] = field(default_factory=dict)
    field_map: Mapping[str, FieldTarget] = field(default_factory=dict)
    statuses: tuple[str, ...] = ()
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    read_timeout_s: float = READ_TIMEOUT_S
    settle_s: float = SETTLE_S
    allow_plain_http: bool = True

    def __post_init__(self) -> None:
        """Check the values before anything is sent."""
        if self.oauth is None and not self.token.strip():
            raise Misconfigured(f"No credential is stored for {self.url}: enter one in the settings of the site.")
        if problem := address_problem(self.url, allow_plain_http=self.allow_plain_http):
            raise Misconfigured(problem)

    @property
    def api_url(self) -> str:
        """Where the API of the site is: at the site itself, or with OAuth at Atlassian."""
        return self.url if self.oauth is None else self.oauth.api_url

    @property
    def account(self) -> str:
        """Our account in sentences."""
        return f"the account {self.email}" if self.email else "the account of the stored token"

    @property
    def refusal(self) -> str:
        """What to do when Jira does not accept the credential."""
        if self.oauth is not None:
            return CONNECT_AGAIN
        credential = f"the account {self.email} or its token" if self.email else "the stored token"
        # Two sentences: what stands after "token:" is hidden as a secret.
        return f"Jira does not accept {credential}. Create a new token and store it in the settings of the site."

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
