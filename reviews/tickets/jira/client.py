"""The `jira` client with its own retries turned off: one call is one request.

The library repeats every verb, POST included, on a dropped connection, 429 and 503: one `create_issue` made four issues
(pycontribs/jira#1484). Its helpers also request more than needed, send nulls and integer ids that Atlassian's API
does not specify, or return None if the server does not identify itself as Cloud. So we use only its session, its URL
building and its error parsing.
"""

import json
import re
from typing import Any

from jira import JIRA

from governance.audit.domain import correlation as trace
from reviews.tickets.jira.answers import BoundedAdapter
from reviews.tickets.jira.flavors import ServerIdentity, identity_of
from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.jira.signing_in import SigningIn
from reviews.tickets.ports import ID_CHARS_MAX, STATUS_CHARS_MAX, Misconfigured
from weighbridge.core.documents import cleaned

Json = dict[str, Any]
_IDENTIFIER = re.compile(r"[A-Za-z0-9:_-]+")


class JiraClient(JIRA):
    """JSON in, JSON out, over the API of the flavor. Raises what `requests` and `jira` raise; see `errors`."""

    def __init__(self, settings: JiraSettings) -> None:
        super().__init__(
            server=settings.api_url,
            options={"rest_api_version": settings.flavor.api_version},
            max_retries=0,
            timeout=(settings.connect_timeout_s, settings.read_timeout_s),
            get_server_info=False,
            logging=False,
        )
        self._session.auth = SigningIn(token=settings.token, email=settings.email, oauth=settings.oauth)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, BoundedAdapter())
        self._session.headers["Accept-Encoding"] = "gzip"
        self._session.max_redirects = 0  # a redirect turns a POST into a GET, and may carry the token elsewhere
        if trace.request_id():
            self._session.headers[trace.HEADER] = trace.request_id()
        self._session.trust_env = not settings.is_loopback
        self._settings = settings

    def identify(self) -> ServerIdentity:
        """Read what the server says it is. Raises Misconfigured unless it still is what it was set up as."""
        answer = self.get_json("serverInfo")
        identity, flavor = identity_of(answer, url=self._settings.url), self._settings.flavor
        if identity.flavor is not flavor:
            raise Misconfigured(
                f"The server at {self._settings.url} reports the type {label(answer['deploymentType'])}, not "
                f"{flavor.name}, as which it was set up: enter the address of the site again."
            )
        self.deploymentType = answer["deploymentType"]
        return identity

    def disconnect(self) -> None:
        """Close the HTTP session."""
        self._session.close()

    def get_json(self, path: str, **params: str) -> Json:
        """GET a path below the API root."""
        return _as_object(self._session.get(self._get_url(path), params=params).json())

    def get_list(self, path: str, **params: str) -> list[Json]:
        """GET a path below the API root that returns a list of objects."""
        answer: object = self._session.get(self._get_url(path), params=params).json()
        if not isinstance(answer, list):
            raise ValueError("not a JSON list")
        return [_as_object(item) for item in answer]

    def post_json(self, path: str, payload: Json) -> Json:
        """POST once. Returns {} for an empty response."""
        answer = self._session.post(self._get_url(path), data=json.dumps(payload))
        return _as_object(answer.json() if answer.content else {})

    def put_json(self, path: str, payload: Json) -> None:
        """PUT once; the answer is empty."""
        self._session.put(self._get_url(path), data=json.dumps(payload))

    def post_file(self, path: str, *, name: str, content: bytes, media_type: str) -> None:
        """POST one file as a form, once."""
        headers = {"X-Atlassian-Token": "no-check", "Content-Type": None}  # the form names its own type
        self._session.post(self._get_url(path), files={"file": (name, content, media_type)}, headers=headers)


def identifier(value: object, *, chars_max: int = ID_CHARS_MAX) -> str:
    """An id or a key in an answer, as text. Raises ValueError for what cannot be one, such as a path."""
    text = str(value) if isinstance(value, str | int) else ""
    if not 0 < len(text) <= chars_max or not _IDENTIFIER.fullmatch(text):
        raise ValueError("not an id")
    return text


def label(value: object, *, chars_max: int = STATUS_CHARS_MAX) -> str:
    """A name in an answer, such as that of a status, cut to a length that can be stored and shown."""
    return cleaned(str(value), chars_max=chars_max)


def _as_object(answer: object) -> Json:
    if not isinstance(answer, dict):
        raise ValueError("not a JSON object")
    return answer
