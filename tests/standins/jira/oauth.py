"""Atlassian's side of OAuth 2.0 (3LO): consent, tokens that end, refresh tokens that are used once, and the sites.

What it keeps of the contract: an access token ends after an hour; a refresh token is used up by its use, but for ten
minutes the one before is still accepted, because its answer may have been lost; after that it is `invalid_grant` (403).
"""

import itertools
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from tests.standins.jira.about import Answer, Config

LIFETIME_S, REUSE_S = 3_600, 600.0
CLOUD_ID = "11223344-a1b2-3b33-c444-def123456789"
JIRA_SCOPES = ["read:jira-work", "write:jira-work", "read:jira-user"]


class Accounts:
    """Every code and token that was given, and what they are still good for. `clock` answers seconds since 1970."""

    def __init__(self, config: Config, *, clock: Callable[[], float]) -> None:
        self._config, self._clock = config, clock
        self._lock, self._numbers = threading.Lock(), itertools.count(1)
        self._codes: dict[str, str] = {}
        self._ends: dict[str, float] = {}
        self._refresh: dict[str, float | None] = {}
        self.given: list[str] = []
        """Every token so far, to look for in what must not hold one."""

    def consent(self, query: dict[str, list[str]]) -> Answer:
        """The page of consent, accepted at once: a code for the app, at its callback address."""
        with self._lock:
            code = f"standin-code-{next(self._numbers)}"
            self._codes[code] = query["redirect_uri"][0]
        return 302, f"{query['redirect_uri'][0]}?{urlencode({'code': code, 'state': query['state'][0]})}"

    def token(self, body: dict[str, Any]) -> Answer:
        """Tokens for a code or a refresh token."""
        if (body.get("client_id"), body.get("client_secret")) != (self._config.client_id, self._config.client_secret):
            return 401, {"error": "access_denied", "error_description": "Unauthorized"}
        with self._lock:
            if not self._is_good(body):
                return 403, {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}
            return 200, self.tokens()

    def tokens(self) -> dict[str, Any]:
        """New tokens, as if somebody had consented."""
        number = next(self._numbers)
        access, refresh = f"standin-access-{number}", f"standin-refresh-{number}"
        self._ends[access], self._refresh[refresh] = self._clock() + LIFETIME_S, None
        self.given += [access, refresh]
        scope = " ".join([*JIRA_SCOPES, "offline_access"])
        return {"access_token": access, "refresh_token": refresh, "expires_in": LIFETIME_S, "scope": scope}

    def sites(self, authorization: str) -> Answer:
        """The sites that the account opened to the app, each once for each product."""
        if not self.knows(authorization):
            return 401, {"code": 401, "message": "Unauthorized"}
        found = [
            {"id": cloud_id, "url": url, "name": "Jira stand-in", "scopes": scopes, "avatarUrl": f"{url}/avatar.png"}
            for cloud_id, url in self._config.cloud_sites.items()
            for scopes in (["read:confluence-content.all"], JIRA_SCOPES)
        ]
        return 200, found

    def knows(self, authorization: str) -> bool:
        """Whether the header has an access token that has not ended."""
        return self._ends.get(authorization.removeprefix("Bearer "), 0.0) > self._clock()

    def end_access(self) -> None:
        """No access token is good any more; refresh tokens are."""
        with self._lock:
            self._ends.clear()

    def revoke(self) -> None:
        """The account takes its consent back."""
        with self._lock:
            self._ends.clear()
            self._refresh.clear()

    def _is_good(self, body: dict[str, Any]) -> bool:
        if body.get("grant_type") == "authorization_code":
            return self._codes.pop(str(body.get("code")), None) == body.get("redirect_uri")
        token = str(body.get("refresh_token"))
        used_at = self._refresh.get(token, -REUSE_S)
        if used_at is None:
            self._refresh[token] = self._clock()
            return True
        return self._clock() - used_at < REUSE_S
