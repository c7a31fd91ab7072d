"""Answers for what is broken outside the application: a database or a storage that does not respond, a full disk."""

import errno
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from sys import exc_info
from typing import ClassVar

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from governance.site.domain.problems import MEDIA_TYPE, PREFIX, refusal_document
from weighbridge.core.errors import Refused

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}
DISK_FULL, TOOK_TOO_LONG = "53100", "57014"


class Outage(Refused):
    """Something outside the application is broken. `retry_after_s` says when to try again."""

    status: ClassVar[int] = HTTPStatus.SERVICE_UNAVAILABLE
    default_code = "unavailable"
    retry_after_s: ClassVar[int] = 30


class StorageFull(Outage):
    """A disk of the server takes no more data."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
    default_code = "storage_full"
    retry_after_s = 300


NO_SPACE = (
    "The server cannot store this, because its disk is full or write-protected. Nothing was changed, and nothing that"
    " was stored before is lost. Tell an administrator, who must free disk space; then send it again."
)
NO_DATABASE = (
    "The database does not respond. Nothing is lost: each change is saved completely or not at all. Try again in half a"
    " minute, and check whether your last step was saved before you repeat it. If this lasts, tell an administrator."
)
NO_BUCKET = (
    "The storage of the artifacts does not respond, or it refuses. Nothing was changed. Try again in half a minute. If"
    " this lasts, tell an administrator."
)
TOO_LONG = "The database needed too long for this and stopped; nothing was changed. Try again, or ask for less at once."


def outage_in(error: BaseException | None) -> Outage | None:
    """The outage that caused an error, if one did."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in FULL:
            return StorageFull(NO_SPACE)
        if isinstance(cause, OSError) and cause.errno == errno.EREMOTEIO:
            return Outage(NO_BUCKET)
        if isinstance(cause, OperationalError | InterfaceError):
            state = getattr(cause.__cause__, "sqlstate", None)
            if state == DISK_FULL:
                return StorageFull(NO_SPACE)
            return Outage(TOO_LONG, code="too_long") if state == TOOK_TOO_LONG else Outage(NO_DATABASE)
    return None


def answer_error(request: HttpRequest) -> HttpResponse:
    """The answer to an exception that nobody handled: a sentence for an outage, otherwise the page of error 500."""
    outage = outage_in(exc_info()[1])
    if outage is None:
        return server_error(request)
    if isinstance(outage, StorageFull):
        _delete_partial_uploads(request)
    headers = {"Retry-After": str(outage.retry_after_s)}
    if request.path.startswith(PREFIX):
        document = refusal_document(outage)
        return JsonResponse(document, status=outage.status, content_type=MEDIA_TYPE, headers=headers)
    # Without the request: the context of other pages reads the database.
    page = render_to_string("governance/site/refused.html", {"refusal": outage})
    return HttpResponse(page, status=outage.status, headers=headers)


def _delete_partial_uploads(request: HttpRequest) -> None:
    """Django leaves the file that it could not write; on a full disk its space is needed."""
    for handler in request.upload_handlers:
        with suppress(OSError):  # what is left to write cannot be written either
            handler.upload_interrupted()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
