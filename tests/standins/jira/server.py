"""HTTP around the site: routes, the account, and failures on demand. One thread a connection."""

import base64
import email
import json
import re
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.standins.jira import oauth, pages, routes
from tests.standins.jira.about import About, Answer
from tests.standins.jira.faults import Fault, Faults
from tests.standins.jira.issues import Issues
from tests.standins.jira.limits import Manners, WriteLimits, named_wait_s, refusal_headers

CLOUD_ROUTES = routes.CLOUD


class Site(ThreadingHTTPServer):
    """The server on a port of this machine only.

    `log` keeps "METHOD /path status" of every API request (0: dropped), `arrivals` when each came, by the site's clock,
    and
    `manners` which of them came before the time that a 429 had named.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, about: About, issues: Issues, *, port: int = 0, routes: list[routes.Route] | None = None
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.routes = routes if routes is not None else CLOUD_ROUTES
        self.about, self.issues, self.faults = about, issues, Faults()
        self.limits, self.manners = WriteLimits(), Manners()
        self.log: list[str] = []
        self.arrivals: list[tuple[float, str]] = []
        about.url = self.url = f"http://127.0.0.1:{self.server_address[1]}"
        about.config.cloud_sites = about.config.cloud_sites or {oauth.CLOUD_ID: self.url}
        self.accounts = oauth.Accounts(about.config, clock=issues.clock)

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
            body = self._body(raw)
        except ValueError:
            self._send(400, {"errorMessages": ["The request body is not JSON."], "errors": {}})
            return
        if path.startswith(("/rest/", "/oauth/", "/ex/jira/")):
            self._api(path, body)
        elif path == "/authorize":
            status, where = self.server.accounts.consent(parse_qs(urlsplit(self.path).query))
            self._send(status, "", {"Location": where})
        elif path.startswith("/_"):
            self._send(*self._control(path, body))
        else:
            self._page(path)

    def _body(self, raw: bytes) -> Any:
        """JSON, or of a form the one file in it."""
        kind = self.headers.get("Content-Type", "")
        if not kind.startswith("multipart/form-data"):
            return json.loads(raw) if raw else {}
        if self.headers.get("X-Atlassian-Token") != "no-check":
            raise ValueError("XSRF check failed")
        form = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw)
        (part,) = [each for each in form.walk() if each.get_filename()]
        content = part.get_payload(decode=True)
        assert part.get_param("name", header="Content-Disposition") == "file"
        return {"filename": part.get_filename(), "type": part.get_content_type(), "size": len(content)}

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
        named = re.match(f"{self.server.about.root}/issue/([^/]+)/", path)
        if self.command == "GET" or not named or not self.server.about.config.limits_writes:
            return 0.0
        return self.server.limits.wait_s(self.server.issues.id_of(named[1]), now_s=now_s)

    def _done(self, path: str, body: Any, fault: Fault | None) -> Answer:
        accounts, signature = self.server.accounts, self.headers.get("Authorization", "")
        if (self.command, path) == ("POST", "/oauth/token"):
            return accounts.token(body)
        if path == "/oauth/token/accessible-resources":
            return accounts.sites(signature)
        by_oauth = f"/ex/jira/{oauth.CLOUD_ID}"
        if path.startswith(by_oauth) and not accounts.knows(signature):
            return 401, {"code": 401, "message": "Unauthorized"}
        if path.startswith(by_oauth):
            return self._routed(path.removeprefix(by_oauth), body, fault)
        if not path.endswith("/serverInfo") and path.startswith(self.server.about.root) and not self._is_known():
            return 401, {"errorMessages": ["Client must be authenticated to access this resource."], "errors": {}}
        return self._routed(path, body, fault)

    def _routed(self, path: str, body: Any, fault: Fault | None) -> Answer:
        for method, pattern, answer in self.server.routes:
            if method == self.command and (match := pattern.fullmatch(path)):
                names = tuple(unquote(part) for part in match.groups())
                request = routes.Request(self.server, names, parse_qs(urlsplit(self.path).query), body, fault)
                try:
                    return answer(request)
                except (KeyError, TypeError, AttributeError, ValueError) as error:
                    return 400, {"errorMessages": [f"Invalid request payload: {error!r}."], "errors": {}}
        return 404, {"errorMessages": [f"There is nothing at {self.command} {path} in this stand-in."], "errors": {}}

    def _is_known(self) -> bool:
        config = self.server.about.config
        if self.headers.get("Authorization") == f"Bearer {config.token}":
            return self.server.about.takes_bearer
        wanted = base64.b64encode(f"{config.email}:{config.token}".encode()).decode()
        return self.server.about.takes_basic and self.headers.get("Authorization") == f"Basic {wanted}"

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
