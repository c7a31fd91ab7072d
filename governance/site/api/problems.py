"""Errors of the API in one shape: RFC 9457 problem+json, whoever refuses: a rule, the framework, or Django itself."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import islice
from math import ceil
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from governance.site.domain.problems import MEDIA_TYPE, PREFIX, declared_bytes, document, refusal_document
from weighbridge.core.errors import Refused, TooLarge

FORM_SLACK_BYTES = 1_000_000
ERRORS_MAX = 50
"""Errors named in one answer; a body can have a hundred thousand."""
TOO_MANY = "You sent too many calls within a minute. This one changed nothing; send it again in {wait_s} seconds."
KEPT_HEADERS = ("WWW-Authenticate", "Retry-After", "Allow")
GetResponse = Callable[[HttpRequest], HttpResponse]


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Problem+json for a refusal or for one of the framework's own errors; None for what is nobody's intention."""
    if isinstance(error, Refused):
        return _response(refusal_document(error))
    answer = exception_handler(error, context)
    if answer is None:
        return None
    errors = list(islice(_flattened(error.detail), ERRORS_MAX)) if isinstance(error, exceptions.ValidationError) else []
    problem = document(status=answer.status_code, code=_code(error), detail=_detail(error, errors))
    if errors:
        problem["errors"] = [{"field": field, "detail": words} for field, words in errors]
    return _response(problem, {name: answer[name] for name in KEPT_HEADERS if name in answer})


def refuse(refusal: Refused) -> HttpResponse:
    """A refusal as a response, outside any view."""
    return JsonResponse(refusal_document(refusal), status=refusal.status, content_type=MEDIA_TYPE)


class ApiProblems:
    """Refuses bodies beyond their cap before they are read, and puts Django's own error pages into the API's shape."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        is_form = request.content_type == "multipart/form-data"
        cap = settings.UPLOAD_LIMIT_BYTES + FORM_SLACK_BYTES if is_form else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if declared_bytes(str(request.META.get("CONTENT_LENGTH") or "")) > cap:
            return refuse(TooLarge(f"The body is larger than the {cap:,} bytes accepted here."))
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        return _in_shape(response) if response.status_code >= HTTPStatus.BAD_REQUEST and is_page else response


def _in_shape(page: HttpResponse) -> HttpResponse:
    status = HTTPStatus(page.status_code)
    details = {
        HTTPStatus.NOT_FOUND: "There is nothing at this address; /api/v1/schema/ lists what there is.",
        HTTPStatus.INTERNAL_SERVER_ERROR: "Something failed here that is not your doing; nothing was changed.",
    }
    detail = details.get(status, f"{status.description or status.phrase}.")
    problem = document(status=status, code=status.name.lower(), detail=detail)
    headers = {name: page[name] for name in KEPT_HEADERS if name in page}
    return JsonResponse(problem, status=status, content_type=MEDIA_TYPE, headers=headers)


def _response(problem: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(problem, status=problem["status"], headers=headers, content_type=MEDIA_TYPE)


def _code(error: Exception) -> str:
    names = {Http404: "not_found", PermissionDenied: "permission_denied"}
    return names.get(type(error)) or str(getattr(error, "default_code", "error"))


def _detail(error: Exception, errors: list[tuple[str, str]]) -> str:
    if errors:
        return " ".join(["The input is not valid.", *(f"{field}: {words}" for field, words in errors)])
    if isinstance(error, exceptions.Throttled):
        return TOO_MANY.format(wait_s=ceil(getattr(error, "wait", None) or 1))
    return str(getattr(error, "detail", "")) or str(error)


def _flattened(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(field, words) of every error, like facts[2].value."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _flattened(value, _joined(path, key))
    elif isinstance(detail, list):
        for value in detail:
            yield from _flattened(value, path)
    else:
        yield path or "body", str(detail)


def _joined(path: str, key: str | int) -> str:
    return f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}".lstrip(".")
