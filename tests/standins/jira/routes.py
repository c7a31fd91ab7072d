"""The addresses of the API: those of Cloud below `/rest/api/3`, those of Data Center below `/rest/api/2`."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.standins.jira.about import Answer
from tests.standins.jira.faults import Fault

if TYPE_CHECKING:
    from tests.standins.jira.server import Site

Route = tuple[str, re.Pattern[str], Callable[["Request"], Answer]]


class Request:
    """What a route needs to know: the parts of the path it named, the query, the body as JSON."""

    def __init__(
        self, site: "Site", names: tuple[str, ...], query: dict[str, list[str]], body: Any, fault: Fault | None
    ) -> None:
        self.about, self.issues, self.names, self.body, self.fault = site.about, site.issues, names, body, fault
        self.query = query

    def one(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def fields(self) -> list[str]:
        """The fields asked for, whether comma-separated or repeated."""
        return [name for value in self.query.get("fields", []) for name in value.split(",") if name]


def route(method: str, path: str, answer: Callable[[Request], Answer], *, root: str = "/rest/api/3") -> Route:
    """A route below the root of the API; `*` is one named part."""
    return method, re.compile(re.escape(root) + path.replace("*", "([^/]+)")), answer


def _common(root: str) -> list[Route]:
    """What both have under the same address."""

    def of(method: str, path: str, answer: Callable[[Request], Answer]) -> Route:
        return route(method, path, answer, root=root)

    return [
        of("GET", "/myself", lambda r: r.about.myself()),
        of("GET", "/field", lambda r: r.about.fields()),
        of("GET", "/mypermissions", lambda r: r.about.my_permissions(r.one("permissions"))),
        of("GET", "/project/*/statuses", lambda r: r.about.statuses_of(r.names[0])),
        of("GET", "/issue/createmeta/*/issuetypes", lambda r: r.about.issue_types(r.names[0])),
        of("GET", "/issue/createmeta/*/issuetypes/*", lambda r: r.about.issue_type_fields(r.names[1])),
        of("POST", "/issue", lambda r: r.issues.create(r.body, strip_labels=bool(r.fault and r.fault.strip_labels))),
        of("PUT", "/issue/*", lambda r: r.issues.edit(r.names[0], r.body)),
        of("GET", "/status", lambda r: r.about.statuses()),
        of("DELETE", "/issue/*", lambda r: r.issues.delete(r.names[0])),
        of(
            "GET",
            "/issue/*/comment",
            lambda r: r.issues.comments(
                r.names[0], int(r.one("startAt", "0")), min(100, int(r.one("maxResults", "50"))), r.one("orderBy")
            ),
        ),
        of("POST", "/issue/*/comment", lambda r: r.issues.add_comment(r.names[0], r.body)),
        of("POST", "/issue/*/attachments", lambda r: r.issues.attach(r.names[0], r.body)),
        of("GET", "/issue/*/transitions", lambda r: r.issues.transitions(r.names[0])),
        of("POST", "/issue/*/transitions", lambda r: r.issues.transition(r.names[0], r.body)),
        of("GET", "/issue/*/remotelink", lambda r: r.issues.links(r.names[0])),
        of("POST", "/issue/*/remotelink", lambda r: r.issues.set_link(r.names[0], r.body)),
        of("GET", "/issue/*/properties/*", lambda r: r.issues.get_property(*r.names)),
        of("PUT", "/issue/*/properties/*", lambda r: r.issues.set_property(*r.names, r.body)),
    ]


CLOUD: list[Route] = [
    route("GET", "/serverInfo", lambda r: r.about.server_info()),
    route("GET", "/serverInfo", lambda r: r.about.server_info(), root="/rest/api/2"),  # Cloud has version 2 too
    route("GET", "/project/search", lambda r: r.about.projects()),
    route("GET", "/user/search", lambda r: r.about.users(r.one("query"))),
    *_common("/rest/api/3"),
    route("GET", "/project/*", lambda r: r.about.project(r.names[0])),
    route("GET", "/issue/*", lambda r: r.issues.issue(r.names[0], r.fields())),
    route(
        "GET",
        "/issue/*/changelog",
        lambda r: r.issues.changelog(r.names[0], int(r.one("startAt", "0")), min(100, int(r.one("maxResults", "100")))),
    ),
    route("POST", "/issue/bulkfetch", lambda r: r.issues.fetched(r.body["issueIdsOrKeys"], r.body.get("fields") or [])),
    route(
        "GET",
        "/search/jql",
        lambda r: r.issues.search(
            r.one("jql"), r.fields(), int(r.one("maxResults", "50")), r.query.get("reconcileIssues", [])
        ),
    ),
    route(
        "POST",
        "/search/jql",
        lambda r: r.issues.search(
            r.body["jql"],
            r.body.get("fields") or ["id"],
            r.body.get("maxResults", 50),
            r.body.get("reconcileIssues", []),
        ),
    ),
]

_V2 = "/rest/api/2"
DATA_CENTER: list[Route] = [
    route("GET", "/serverInfo", lambda r: r.about.server_info(), root=_V2),
    route("GET", "/project", lambda r: r.about.projects(), root=_V2),
    route("GET", "/user/search", lambda r: r.about.users(r.one("username")), root=_V2),
    *_common(_V2),
    route("GET", "/project/*", lambda r: r.about.project(r.names[0]), root=_V2),
    route("GET", "/issue/*", lambda r: r.issues.issue(r.names[0], r.fields(), r.one("expand")), root=_V2),
    route("POST", "/search", lambda r: r.issues.searched(r.body), root=_V2),
]
"""Without the old `createmeta` (removed in 9) and without what only Cloud has, such as `search/jql`."""
