"""How the requests of a session sign in to Jira. Nothing else of the adapter knows whether a site uses OAuth."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests  # noqa: TID251 -- only this adapter uses HTTP
from requests.auth import AuthBase, HTTPBasicAuth  # noqa: TID251 -- as above


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthAccess:
    """Access by OAuth. `tokens` takes the access token that Jira refused, or "", and gives another that is valid."""

    api_url: str
    tokens: Callable[[str], str] = field(repr=False)


def unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Sign nothing: for a session without a credential, which would otherwise send a password of the environment."""
    return request


class SigningIn(AuthBase):
    """Signs requests with an account and its token, with a token alone, or with the access token of OAuth.

    A request whose access token Jira refuses is sent once more with another: a refused request was not executed.
    """

    def __init__(self, *, token: str, email: str = "", oauth: OAuthAccess | None = None) -> None:
        self._token, self._email, self._oauth = token, email, oauth

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request."""
        if self._oauth is not None:
            self._token = self._token or self._oauth.tokens("")
            request.register_hook("response", self._again)  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        return self._signed(request)

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._email:
            HTTPBasicAuth(self._email, self._token)(request)
            return request
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _again(self, answer: requests.Response, **options: Any) -> requests.Response:
        if answer.status_code != 401 or self._oauth is None:
            return answer
        self._token = self._oauth.tokens(self._token)
        repeated: requests.Response = answer.connection.send(self._signed(answer.request.copy()), **options)
        return repeated
