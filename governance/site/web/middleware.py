"""Middleware: request ID, upload limit, error pages, addresses of steps, and required login."""

import logging
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import is_valid_path
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject, empty

from governance.audit.actions import record as audit
from governance.audit.domain import correlation as trace
from governance.site.domain.problems import MEDIA_TYPE, PREFIX, declared_bytes, refusal_document
from weighbridge.core.errors import Invalid, Refused, TooLarge

GetResponse = Callable[[HttpRequest], HttpResponse]
FORM_BYTES = 1_000_000  # for the other form fields and the multipart boundaries
PROBES = ("/livez", "/readyz", "/workz")
OPEN_PREFIXES = ("/accounts/", "/api/", "/hooks/", "/notifications/unsubscribe/", "/static/", *PROBES, "/metrics")
NOT_TAKEN = "This address only accepts a form. Nothing has changed; go back and take the step there."
UNSTORABLE = (
    "The input contains a character or a number that cannot be stored. Remove invisible characters, write numbers that"
    " are not as long, and try again."
)
TOKEN_PREFIXES = ("/notifications/open/", "/notifications/unsubscribe/", "/accounts/password/reset/key/")
QUIET_PREFIXES = ("/static/", *PROBES, "/metrics")
log = logging.getLogger(__name__)


class RequestContext:
    """Gives each request an ID and sets the origin for the audit trail."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        if request.path in PROBES:
            request.COOKIES = {}  # a session would be read from the database, without which a probe must answer
        doors = {"/api/": "api", "/admin/": "admin", "/hooks/": "hook"}
        source = next((door for prefix, door in doors.items() if request.path.startswith(prefix)), "web")
        with audit.origin(source), trace.correlated(request_id=request_id):
            started_s = time.monotonic()
            response = self.get_response(request)
            _log_request(request, response, taken_ms=round((time.monotonic() - started_s) * 1000))
        response[trace.HEADER] = request_id
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response.headers.setdefault("Cache-Control", "no-store")  # what a view allows to be kept, it says itself
        return response


def _log_request(request: HttpRequest, response: HttpResponse, *, taken_ms: int) -> None:
    """Log one line for each request, except polling."""
    if request.path.startswith(QUIET_PREFIXES):
        return
    who = request.__dict__.get("user")
    if isinstance(who, SimpleLazyObject) and who._wrapped is empty:  # noqa: SLF001 -- nobody asked: the database may be away
        who = None
    user_id = who.pk if who is not None and who.is_authenticated else None
    log_call(str(request.method), request.path, status=response.status_code, taken_ms=taken_ms, user_id=user_id)


def log_call(method: str, path: str, *, status: int, taken_ms: int, user_id: int | None = None) -> None:
    """Log one answer.

    The query is never logged, because it contains user input, nor the token of a link in a mail: it is the permission.
    """
    path = next((f"{prefix}…" for prefix in TOKEN_PREFIXES if path.startswith(prefix)), path)
    facts = {"method": method, "path": path, "status": status, "taken_ms": taken_ms}
    facts |= {"user_id": user_id} if user_id is not None else {}
    log.info("%s %s %d", method, path, status, extra={"facts": facts})


class UploadCap:
    """Refuses a request body above the upload limit before reading it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length_bytes = declared_bytes(str(request.META.get("CONTENT_LENGTH") or ""))
        limit_bytes = settings.UPLOAD_LIMIT_BYTES
        if length_bytes <= limit_bytes + FORM_BYTES:
            return self.get_response(request)
        refusal = TooLarge(f"The upload is larger than the {limit_bytes // 1_000_000} MB allowed.", field="file")
        response = refusal_response(request, refusal)
        response["Connection"] = "close"
        return response


def refusal_response(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """The response to an error: problem+json for the API, a page for browsers."""
    if request.path.startswith(PREFIX):
        return JsonResponse(refusal_document(refusal), status=refusal.status, content_type=MEDIA_TYPE)
    return render(request, "governance/site/refused.html", {"refusal": refusal}, status=refusal.status)


class RefusalPages(MiddlewareMixin):
    """Converts uncaught domain errors, and input that the database cannot store, to error pages."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return a page for these errors; leave other exceptions to Django."""
        if isinstance(error, Refused):
            return refusal_response(request, error)
        if isinstance(error, DataError | UnicodeEncodeError):
            log.warning("The database cannot store the input: %s", error, exc_info=error)
            return refusal_response(request, Invalid(UNSTORABLE, code="not_storable"))
        return None


class StepAddresses(MiddlewareMixin):
    """Answers who opens the address of a step, which only accepts forms, with a page that leads to the step."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Fill the empty response; a log-in after the session has expired leads here too."""
        is_step = response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and request.method in {"GET", "HEAD"}
        if is_step and not request.path.startswith(OPEN_PREFIXES):
            refusal = {"status": response.status_code, "reason": NOT_TAKEN}
            context = {"refusal": refusal, "above": _page_above(request.path)}
            response.content = render(request, "governance/site/refused.html", context).content
        return response


def _page_above(path: str) -> str:
    parts = path.strip("/").split("/")
    pages = (f"/{'/'.join(parts[:length])}/" for length in range(len(parts) - 1, 0, -1))
    return next((page for page in pages if is_valid_path(page)), "/")


class LoginRequired:
    """Redirects anonymous users to the login page, except on public pages."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            with trace.correlated(user_id=str(request.user.pk)):
                return self.get_response(request)
        if request.path.startswith(OPEN_PREFIXES):
            return self.get_response(request)
        return redirect_to_login(_page_after_log_in(request), settings.LOGIN_URL)


def _page_after_log_in(request: HttpRequest) -> str:
    """The address itself; for a form whose session has expired, the page on which it was filled in."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    origin = urlsplit(request.headers.get("Referer", ""))
    is_own = origin.netloc == request.get_host() and is_valid_path(origin.path)
    return origin._replace(scheme="", netloc="").geturl() if is_own else _page_above(request.path)
