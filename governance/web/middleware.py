"""Middleware: the request id, refusals as pages, and the rule that pages are for people who are logged in."""

import uuid
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from governance import audit
from governance.domain.refusals import Refused, TooLarge

GetResponse = Callable[[HttpRequest], HttpResponse]
FORM_BYTES = 1_000_000  # the fields and boundaries around a file
OPEN_PREFIXES = ("/accounts/", "/api/", "/static/", "/livez")


class RequestContext:
    """Gives each request an id and tells the audit trail through which door it came."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        doors = {"/api/": "api", "/admin/": "admin"}
        source = next((door for prefix, door in doors.items() if request.path.startswith(prefix)), "web")
        with audit.origin(source, request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        return response


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
        if request.user.is_authenticated or request.path.startswith(OPEN_PREFIXES):
            return self.get_response(request)
        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
