"""Middleware: the request id, refusals as pages, and the rule that pages are for people who are logged in."""

import logging
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from governance.audit.actions import record as audit
from governance.audit.domain import correlation as trace
from weighbridge.core.errors import Refused, TooLarge

GetResponse = Callable[[HttpRequest], HttpResponse]
FORM_BYTES = 1_000_000  # the fields and boundaries around a file
OPEN_PREFIXES = ("/accounts/", "/api/", "/hooks/", "/static/", "/livez", "/readyz", "/metrics")
QUIET_PREFIXES = ("/static/", "/livez", "/readyz", "/metrics")
log = logging.getLogger(__name__)


class RequestContext:
    """Gives each request an id and tells the audit trail through which door it came."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        doors = {"/api/": "api", "/admin/": "admin", "/hooks/": "hook"}
        source = next((door for prefix, door in doors.items() if request.path.startswith(prefix)), "web")
        with audit.origin(source, request_id), trace.marked(request_id=request_id):
            started_s = time.monotonic()
            response = self.get_response(request)
            _tell(request, response, taken_ms=round((time.monotonic() - started_s) * 1000))
        response[trace.HEADER] = request_id
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response.headers.setdefault("Cache-Control", "no-store")  # what a view allows to be kept, it says itself
        return response


def _tell(request: HttpRequest, response: HttpResponse, *, taken_ms: int) -> None:
    """One line for each request, but not for those that come every few seconds; never the query, which people fill."""
    if request.path.startswith(QUIET_PREFIXES):
        return
    who = getattr(request, "user", None)
    facts = {"method": request.method, "path": request.path, "status": response.status_code, "taken_ms": taken_ms}
    facts |= {"user_id": who.pk} if who is not None and who.is_authenticated else {}
    log.info("%s %s %d", request.method, request.path, response.status_code, extra={"facts": facts})


class UploadCap:
    """Refuses a body larger than the largest file accepted before any of it is read."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit_bytes = settings.UPLOAD_LIMIT_BYTES
        if not length.isdigit() or int(length) <= limit_bytes + FORM_BYTES:
            return self.get_response(request)
        refusal = TooLarge(f"The upload is larger than the {limit_bytes // 1_000_000} MB accepted here.", field="file")
        response = refusal_response(request, refusal)
        response["Connection"] = "close"
        return response


def refusal_response(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """A refusal as problem+json for programs, as a page for people."""
    if request.path.startswith("/api/"):
        problem: dict[str, object] = {
            "type": f"urn:weighbridge:problem:{refusal.code}",
            "title": type(refusal).__name__,
        }
        problem |= {"status": refusal.status, "detail": refusal.reason, "code": refusal.code}
        return JsonResponse(problem, status=refusal.status, content_type="application/problem+json")
    return render(request, "refused.html", {"refusal": refusal}, status=refusal.status)


class RefusalPages:
    """Turns a refusal nobody caught into a page that says why and what to do."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page for a Refused; anything else is Django's to handle."""
        if not isinstance(error, Refused) or request.path.startswith("/api/"):
            return None
        return refusal_response(request, error)


class LoginRequired:
    """Sends strangers to the log-in page, except where a page is meant for them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            with trace.marked(user_id=str(request.user.pk)):
                return self.get_response(request)
        if request.path.startswith(OPEN_PREFIXES):
            return self.get_response(request)
        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
