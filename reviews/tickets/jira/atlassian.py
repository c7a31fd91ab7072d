"""Atlassian's side of OAuth 2.0 (3LO): a code or a refresh token for tokens, and the sites that they open.

No text of these answers is ever shown: it may repeat what was sent.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests  # noqa: TID251 -- only this adapter uses HTTP

from reviews.tickets.domain.addresses import LOOPBACK
from reviews.tickets.domain.atlassian import AtlassianHosts, CloudSite, OAuthApp, OAuthTokens
from reviews.tickets.jira.answers import BoundedAdapter
from reviews.tickets.jira.client import identifier, label
from reviews.tickets.jira.settings import CONNECT_AGAIN
from reviews.tickets.jira.signing_in import unsigned
from reviews.tickets.ports import URL_CHARS_MAX, Misconfigured, TrackerUnreachable
from weighbridge.core.masking import hide_secrets
from weighbridge.core.parsing.http_answers import retry_after_s

REFUSED = frozenset({400, 401, 403})
"""The statuses by which Atlassian refuses an app, a code, or a refresh token: `invalid_grant` is one with 403."""
TOKEN_CHARS_MAX, SITES_MAX = 8_000, 100
LIFETIME_S = (0.0, 86_400.0)
NOT_CONNECTED = (
    "Atlassian did not accept the app: check the client ID, the secret and the callback address in its settings at "
    "developer.atlassian.com, and connect again."
)

UNANSWERED = "Atlassian could not be asked for access to the site. Weighbridge will try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Atlassian:
    """The calls to Atlassian itself. Each raises Misconfigured or TrackerUnreachable."""

    hosts: AtlassianHosts
    connect_timeout_s: float
    read_timeout_s: float
    clock: Callable[[], datetime]

    def exchanged(self, app: OAuthApp, *, code: str, callback: str) -> OAuthTokens:
        """The tokens for the code that a person brings from the page of consent."""
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback}
        return self._tokens(app, given, refusal=NOT_CONNECTED)

    def renewed(self, app: OAuthApp, *, refresh: str) -> OAuthTokens:
        """New tokens for a refresh token, which is used up by this."""
        return self._tokens(app, {"grant_type": "refresh_token", "refresh_token": refresh}, refusal=CONNECT_AGAIN)

    def sites(self, access: str) -> tuple[CloudSite, ...]:
        """The sites of Jira that the access token opens."""
        headers = {"Authorization": f"Bearer {access}"}
        answer = self._answer("GET", self.hosts.sites_url, refusal=NOT_CONNECTED, headers=headers)
        with _readable():
            of_jira = [entry for entry in answer if any("jira" in str(scope) for scope in entry["scopes"])]
            return tuple(
                CloudSite(identifier(entry["id"]), label(entry["url"], chars_max=URL_CHARS_MAX))
                for entry in of_jira[:SITES_MAX]
            )

    def _tokens(self, app: OAuthApp, given: dict[str, str], *, refusal: str) -> OAuthTokens:
        body = {"client_id": app.client_id, "client_secret": app.client_secret, **given}
        asked_at = self.clock()
        answer = self._answer("POST", self.hosts.token_url, refusal=refusal, json=body)
        with _readable():
            lifetime_s = min(max(float(answer["expires_in"]), LIFETIME_S[0]), LIFETIME_S[1])
            access, refresh = _token(answer["access_token"]), _token(answer["refresh_token"])
        return OAuthTokens(access=access, refresh=refresh, expires_at=asked_at + timedelta(seconds=lifetime_s))

    def _answer(self, method: str, url: str, *, refusal: str, **content: Any) -> Any:
        times = (self.connect_timeout_s, self.read_timeout_s)
        try:
            with requests.Session() as session:
                session.mount(f"{urlsplit(url).scheme}://", BoundedAdapter())
                session.trust_env = urlsplit(url).hostname not in LOOPBACK
                session.auth = unsigned
                answer = session.request(method, url, timeout=times, allow_redirects=False, **content)
                document = answer.json() if answer.status_code == 200 else None
        except (requests.RequestException, ValueError) as error:
            raise TrackerUnreachable(UNANSWERED) from error
        if answer.status_code in REFUSED:
            raise Misconfigured(refusal)
        if document is None:
            raise TrackerUnreachable(UNANSWERED, retry_after_s=retry_after_s(answer.headers, now=self.clock()))
        return document


@contextmanager
def _readable() -> Iterator[None]:
    """An answer of another form counts as one that was lost."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise TrackerUnreachable(UNANSWERED) from error


def _token(value: object) -> str:
    """A token in an answer. From then on, log lines and failures hide it."""
    if not isinstance(value, str) or not 0 < len(value) <= TOKEN_CHARS_MAX or not value.isascii():
        raise ValueError("not a token")
    hide_secrets(value)
    return value
