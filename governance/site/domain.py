"""Problems of the API (RFC 9457) as documents."""

from http import HTTPStatus
from typing import Any

from weighbridge.core.errors import Refused

PREFIX = "/api/"
MEDIA_TYPE = "application/problem+json"


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
