"""Access to a site of Jira Cloud by OAuth 2.0: the hosts of Atlassian, the page of consent, and the site in a list."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from urllib.parse import urlencode, urlsplit

from reviews.tickets.domain.addresses import LOOPBACK

SCOPES = ("read:jira-work", "write:jira-work", "read:jira-user", "offline_access")
"""What Weighbridge does, attachments included. An administrator of Jira sets up the webhook, so no scope is for it."""
CONSENT_WITHIN = timedelta(minutes=10)
RENEWED_BEFORE = timedelta(minutes=1)
"""How long before its end an access token counts as expired."""


@dataclass(frozen=True, slots=True)
class AtlassianHosts:
    """Where people consent and tokens are given, and where the API of every site is."""

    auth: str
    api: str

    @property
    def token_url(self) -> str:
        """Where a code or a refresh token is exchanged."""
        return f"{self.auth}/oauth/token"

    @property
    def sites_url(self) -> str:
        """The sites that an access token opens."""
        return f"{self.api}/oauth/token/accessible-resources"

    def site_url(self, cloud_id: str) -> str:
        """The root of the API of one site."""
        return f"{self.api}/ex/jira/{cloud_id}"

    def consent_url(self, *, client_id: str, callback: str, state: str) -> str:
        """The page on which a person gives an app access."""
        query = {
            "audience": "api.atlassian.com",
            "client_id": client_id,
            "scope": " ".join(SCOPES),
            "redirect_uri": callback,
            "state": state,
            "response_type": "code",
            "prompt": "consent",
        }
        return f"{self.auth}/authorize?{urlencode(query)}"


ATLASSIAN = AtlassianHosts(auth="https://auth.atlassian.com", api="https://api.atlassian.com")


@dataclass(frozen=True, slots=True)
class CloudSite:
    """A site that an account opened to an app."""

    cloud_id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthApp:
    """An app that the organization registered at developer.atlassian.com."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthTokens:
    """What Atlassian gave: an access token until `expires_at`, and the refresh token for the one after it."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A person who was sent to Atlassian to give an app access to a site; stored in the session of the person.

    `client_secret` is encrypted, and `expires_at` is a time in the ISO format.
    """

    site: int
    state: str
    client_id: str
    client_secret: str = field(repr=False)
    expires_at: str


def consent_problem(consent: Consent | None, *, site: int, state: str, now: datetime) -> str:
    """Why an answer of Atlassian is not that to this consent; "" if it is."""
    if consent is None or consent.site != site or not compare_digest(consent.state.encode(), state.encode()):
        return "This answer of Atlassian belongs to no connection that you began here: connect again."
    if now >= datetime.fromisoformat(consent.expires_at):
        return "The answer of Atlassian came too late: connect again, and answer within ten minutes."
    return ""


def hosts_for(url: str, *, allow_plain_http: bool) -> AtlassianHosts:
    """Atlassian, whatever is set. In development, a stand-in on this machine is its own Atlassian."""
    if allow_plain_http and urlsplit(url).hostname in LOOPBACK:
        return AtlassianHosts(auth=url, api=url)
    return ATLASSIAN


def site_at(url: str, sites: Iterable[CloudSite]) -> CloudSite | None:
    """The site with this address, or None."""
    return next((site for site in sites if _plain(site.url) == _plain(url)), None)


def _plain(url: str) -> str:
    return url.rstrip("/").casefold()
