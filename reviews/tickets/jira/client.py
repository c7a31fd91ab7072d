"""The `jira` client with its own retries turned off: one call is one request.

The library repeats every verb, POST included, on a dropped connection, 429 and 503: one `create_issue` made four issues
(pycontribs/jira#1484). Its helpers also request more than needed, send nulls and integer ids that Atlassian's API
does not specify, or return None if the server does not identify itself as Cloud. So we use only its session, its URL
building and its error parsing.
"""

import json
from typing import Any

from jira import JIRA

from governance.audit.domain import correlation as trace
from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.ports import Misconfigured

Json = dict[str, Any]


class JiraClient(JIRA):
    """JSON in, JSON out, over API version 3. Raises what `requests` and `jira` raise; see `errors.translate_errors`."""

    def __init__(self, settings: JiraSettings) -> None:
        super().__init__(
            server=settings.url,
            options={"rest_api_version": "3"},
            basic_auth=(settings.email, settings.token),
            max_retries=0,
            timeout=(settings.connect_timeout_s, settings.read_timeout_s),
            get_server_info=False,
            logging=False,
        )
        self._session.max_redirects = 0  # a redirect turns a POST into a GET, and may carry the token elsewhere
        if trace.request_id():
            self._session.headers[trace.HEADER] = trace.request_id()
        self._session.trust_env = not settings.is_loopback

    def identify(self) -> None:
        """Read the deployment type of the server. Raises Misconfigured unless it is Jira Cloud."""
        self.deploymentType = self.get_json("serverInfo").get("deploymentType")
        if not self._is_cloud:
            raise Misconfigured(
                f"The server at JIRA_URL reports the type {self.deploymentType or 'unknown'}, not Jira Cloud: "
                "only Jira Cloud is supported, so set JIRA_URL to a Cloud site."
            )

    def disconnect(self) -> None:
        """Close the HTTP session."""
        self._session.close()

    def get_json(self, path: str, **params: str) -> Json:
        """GET a path below the API root."""
        return _as_object(self._get_json(path, params=params))

    def get_list(self, path: str) -> list[Json]:
        """GET a path below the API root that returns a list of objects."""
        answer: object = self._get_json(path)
        if not isinstance(answer, list):
            raise ValueError("not a JSON list")
        return [_as_object(item) for item in answer]

    def search(self, jql: str, *, fields: list[str], results_max: int) -> list[Json]:
        """The first issues that match, by the token-paged search (the older one was removed in August 2025)."""
        query = {"jql": jql, "fields": fields, "maxResults": results_max}
        issues: list[Json] = _as_object(self._get_json("search/jql", params=query, use_post=True))["issues"]
        return issues

    def post_json(self, path: str, payload: Json) -> Json:
        """POST once. Returns {} for an empty response."""
        answer = self._session.post(self._get_url(path), data=json.dumps(payload))
        return _as_object(answer.json() if answer.content else {})


def _as_object(answer: object) -> Json:
    if not isinstance(answer, dict):
        raise ValueError("not a JSON object")
    return answer
