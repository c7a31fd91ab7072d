"""Errors of the API in one shape: RFC 9457 problem+json."""

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from governance.domain.refusals import Refused


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Problem+json for a refusal or for one of the framework's own errors; None for what is nobody's intention."""
    if isinstance(error, Refused):
        problem = _problem(error.status, type(error).__name__, error.reason, error.code)
        if error.field:
            problem["errors"] = [{"field": error.field, "detail": error.reason}]
        return _response(problem)
    answer = exception_handler(error, context)
    if answer is None:
        return None
    detail = (
        "The input is not valid; see errors."
        if isinstance(error, exceptions.ValidationError)
        else str(getattr(error, "detail", error))
    )
    problem = _problem(answer.status_code, type(error).__name__, detail, str(getattr(error, "default_code", "error")))
    if isinstance(error, exceptions.ValidationError):
        problem["errors"] = [{"field": field, "detail": words} for field, words in _flattened(error.detail)]
    response = _response(problem)
    for name in ("WWW-Authenticate", "Retry-After", "Allow"):
        if name in answer:
            response[name] = answer[name]
    return response


def _problem(status: int, title: str, detail: str, code: str) -> dict[str, Any]:
    return {"type": f"urn:weighbridge:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}


def _response(problem: dict[str, Any]) -> Response:
    return Response(problem, status=problem["status"], content_type="application/problem+json")


def _flattened(detail: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(detail, dict):
        return [pair for key, value in detail.items() for pair in _flattened(value, f"{path}.{key}".lstrip("."))]
    if isinstance(detail, list):
        return [
            pair
            for number, value in enumerate(detail)
            for pair in _flattened(value, path if isinstance(value, str) else f"{path}[{number}]")
        ]
    return [(path or "body", str(detail))]
