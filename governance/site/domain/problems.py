"""Problems of the API (RFC 9457) as documents."""

from http import HTTPStatus
from typing import Any

from weighbridge.core.errors import Refused

PREFIX = "/api/"
MEDIA_TYPE = "application/problem+json"
LENGTH_DIGITS_MAX = 18


def refusal_document(refusal: Refused) -> dict[str, Any]:
    """What a refusal says to a program."""
    problem = document(status=refusal.status, code=refusal.code, detail=refusal.reason)
    if refusal.field:
        problem["errors"] = [{"field": refusal.field, "detail": refusal.reason}]
    return problem


def document(*, status: int, code: str, detail: str) -> dict[str, Any]:
    """A problem; `code` is stable, `title` names the status, `detail` is a sentence for a person."""
    title = HTTPStatus(status).phrase
    return {"type": f"urn:weighbridge:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}


def declared_bytes(length: str) -> int:
    """The length of a body that its sender declares; 0 without a number, and more than any limit for too long a one."""
    if not length.isascii() or not length.isdigit():
        return 0
    return int(length) if len(length) <= LENGTH_DIGITS_MAX else 10**LENGTH_DIGITS_MAX
