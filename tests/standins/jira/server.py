"""HTTP around the site: routes, the account, and failures on demand. One thread a connection."""

import base64
import json
import re
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.standins.jira import pages
from tests.standins.jira.about import About, Answer
from tests.standins.jira.faults import Fault, Faults
from tests.standins.jira.issues import Issues
from tests.standins.jira.limits import Manners, WriteLimits, named_wait_s, refusal_headers

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


def route(method: str, path: str, answer: Callable[[Request], Answer]) -> Route:
    """A route below `/rest/api/3`; `*` is one named part."""
    return method, re.compile("/rest/api/3" + path.replace("*", "([^/]+)")), answer


ROUTES: list[Route] = [
    route("GET", "/serverInfo", lambda r: r.about.server_info()),
    route("GET", "/myself", lambda r: r.about.myself()),
    route("GET", "/field", lambda r: r.about.fields()),
    route("GET", "/mypermissions", lambda r: r.about.my_permissions(r.one("permissions"))),
    route("GET", "/project/*", lambda r: r.about.project(r.names[0])),
    route("GET", "/issue/createmeta/*/issuetypes", lambda r: r.about.issue_types(r.names[0])),
    route("GET", "/issue/createmeta/*/issuetypes/*", lambda r: r.about.issue_type_fields(r.names[1])),
    route("POST", "/issue", lambda r: r.issues.create(r.body, strip_labels=bool(r.fault and r.fault.strip_labels))),
    route("GET", "/issue/*", lambda r: r.issues.issue(r.names[0], r.fields())),
    route(
        "GET",
        "/issue/*/changelog",
        lambda r: r.issues.changelog(r.names[0], int(r.one("startAt", "0")), min(100, int(r.one("maxResults", "100")))),
    ),
    route("POST", "/issue/bulkfetch", lambda r: r.issues.fetched(r.body["issueIdsOrKeys"], r.body.get("fields") or [])),
    route("GET", "/status", lambda r: r.about.statuses()),
    route("DELETE", "/issue/*", lambda r: r.issues.delete(r.names[0])),
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
    route(
        "GET",
        "/issue/*/comment",
        lambda r: r.issues.comments(
            r.names[0], int(r.one("startAt", "0")), min(100, int(r.one("maxResults", "50"))), r.one("orderBy")
        ),
    ),
    route("POST", "/issue/*/comment", lambda r: r.issues.add_comment(r.names[0], r.body)),
    route("GET", "/issue/*/transitions", lambda r: r.issues.transitions(r.names[0])),
    route("POST", "/issue/*/transitions", lambda r: r.issues.transition(r.names[0], r.body)),
    route("GET", "/issue/*/remotelink", lambda r: r.issues.links(r.names[0])),
    route("POST", "/issue/*/remotelink", lambda r: r.issues.set_link(r.names[0], r.body)),
    route("GET", "/issue/*/properties/*", lambda r: r.issues.get_property(*r.names)),
    route("PUT", "/issue/*/properties/*", lambda r: r.issues.set_property(*r.names, r.body)),
]


class Site(ThreadingHTTPServer):
    """The server on a port of this machine only.

    `log` keeps "METHOD /path status" of every API request (0: dropped), `arrivals` when each came, by the site's clock,
    and
    `manners` which of them came before the time that a 429 had named.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, about: About, issues: Issues, *, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.about, self.issues, self.faults = about, issues, Faults()
        self.limits, self.manners = WriteLimits(), Manners()
        self.log: list[str] = []
        self.arrivals: list[tuple[float, str]] = []
        about.url = self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news here."""

    def state(self) -> dict[str, Any]:
        """Everything stored and every request answered, as JSON."""
        with self.issues.lock:
            return {
                "issues": json.loads(json.dumps(self.issues.issues)),
                "log": list(self.log),
                "too_early": list(self.manners.too_early),
                "faults": self.faults.listed(),
            }


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Site
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 -- the base class looks these names up

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
        """Nothing: `/_state` holds the log."""

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            self._send(400, {"errorMessages": ["The request body is not JSON."], "errors": {}})
            return
        if path.startswith("/rest/"):
            self._api(path, body)
        elif path.startswith("/_"):
            self._send(*self._control(path, body))
        else:
            self._page(path)

    # the API

    def _api(self, path: str, body: Any) -> None:
        request, now_s = f"{self.command} {path}", self.server.issues.clock()
        self.server.arrivals.append((now_s, request))
        self.server.manners.notice(request, path, now_s=now_s)
        if wait_s := self._must_wait_s(path, now_s):
            self.server.manners.ask_to_wait(path.rsplit("/", 1)[0], now_s + wait_s)
            self.server.log.append(f"{request} 429")
            self._send(429, {"errorMessages": ["Rate limit exceeded."], "errors": {}}, refusal_headers(wait_s))
            return
        fault = self.server.faults.take(request)
        if fault and fault.status == 429:
            self.server.manners.ask_to_wait("/rest/", now_s + named_wait_s(fault.answer_headers(), now_s=now_s))
        if fault and (fault.drop_before_commit or fault.before_commit):
            status, answer = (
                fault.status,
                fault.body if fault.body is not None else {"errorMessages": ["Ordered to fail."], "errors": {}},
            )
        else:
            status, answer = self._done(path, body, fault)
        dropped = bool(fault and (fault.drop_before_commit or fault.drop_after_commit))
        if fault and fault.fail_503_after_commit:
            status, answer = 503, {"errorMessages": ["The service is unavailable."], "errors": {}}
        self.server.log.append(f"{self.command} {path} {0 if dropped else status}")
        if fault and fault.delay_s:
            time.sleep(fault.delay_s)
        if dropped:
            self._hang_up()
        else:
            self._send(status, answer, fault.answer_headers() if fault else {})

    def _must_wait_s(self, path: str, now_s: float) -> float:
        named = re.match("/rest/api/3/issue/([^/]+)/", path)
        if self.command == "GET" or not named or not self.server.about.config.limits_writes:
            return 0.0
        return self.server.limits.wait_s(self.server.issues.id_of(named[1]), now_s=now_s)

    def _done(self, path: str, body: Any, fault: Fault | None) -> Answer:
        if path != "/rest/api/3/serverInfo" and not self._is_known():
            return 401, {"errorMessages": ["Client must be authenticated to access this resource."], "errors": {}}
        for method, pattern, answer in ROUTES:
            if method == self.command and (match := pattern.fullmatch(path)):
                names = tuple(unquote(part) for part in match.groups())
                request = Request(self.server, names, parse_qs(urlsplit(self.path).query), body, fault)
                try:
                    return answer(request)
                except (KeyError, TypeError, AttributeError, ValueError) as error:
                    return 400, {"errorMessages": [f"Invalid request payload: {error!r}."], "errors": {}}
        return 404, {"errorMessages": [f"There is nothing at {self.command} {path} in this stand-in."], "errors": {}}

    def _is_known(self) -> bool:
        config = self.server.about.config
        wanted = base64.b64encode(f"{config.email}:{config.token}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {wanted}"

    # orders and pages

    def _control(self, path: str, body: Any) -> tuple[int, Any]:
        faults = self.server.faults
        match self.command, path:
            case "POST", "/_faults":
                try:
                    faults.add(Fault(**body))
                except (TypeError, re.error) as error:
                    return 400, {"error": str(error)}
            case "DELETE", "/_faults":
                faults.clear()
            case "POST", "/_config":
                if unknown := [name for name in body if not hasattr(self.server.about.config, name)]:
                    return 400, {"error": f"there is no setting {unknown[0]}"}
                for name, value in body.items():
                    setattr(self.server.about.config, name, value)
            case "GET", "/_state":
                return 200, self.server.state()
            case "GET", "/_style.css":
                return 200, pages.STYLE
            case _:
                return 404, {"error": "there is /_faults, /_config, /_state"}
        return 200, {"faults": faults.listed()}

    def _page(self, path: str) -> None:
        about, issues = self.server.about, self.server.issues
        with issues.lock:
            if path == "/":
                self._send(200, pages.board(about, issues.issues))
                return
            key = path.removeprefix("/browse/")
            found = next((i for i in issues.issues if i["key"] == key and not i.get("deleted")), None)
            self._send(200 if found else 404, pages.ticket(about, found) if found else pages.missing(about))

    def _send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        payload = b"" if status == 204 else text.encode()
        kind = (
            "application/json"
            if not isinstance(answer, str)
            else ("text/css" if self.path == "/_style.css" else "text/html")
        )
        self.send_response(status)
        for name, value in {"Content-Type": f"{kind};charset=UTF-8", **(headers or {})}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
