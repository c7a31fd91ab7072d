"""`Idempotency-Key`: a POST sent again under its key gets the first answer, and changes nothing a second time.

A JSON call and the record of its answer share a transaction, so that both stand or neither: if a worker dies, the
repeat does the work. A lock of PostgreSQL, which a dying worker gives up, marks the call as under way. After an answer
of 500 or more, everything is rolled back, and the repeat is a real attempt. Uploads hold no transaction open while
gigabytes are hashed; what they write is named by its content, so their answer is remembered after the fact.
"""

import hashlib
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.site.api.problems import refuse
from governance.site.domain.problems import PREFIX
from governance.site.models import AnsweredPost
from weighbridge.core.errors import Invalid, Refused

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

HEADER, REPLAY_HEADER = "Idempotency-Key", "Idempotent-Replay"
KEY_CHARS_MAX = 120
FORM = "multipart/form-data"
Answer = Callable[[], HttpResponse]


class KeyReused(Refused):
    """The key belongs to another call."""

    status: ClassVar[int] = HTTPStatus.UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"


class UnderWay(Refused):
    """The call of this key has no answer yet."""

    status: ClassVar[int] = HTTPStatus.CONFLICT
    default_code = "idempotency_key_under_way"


class IdempotentPosts(MiddlewareMixin):
    """Middleware; the last of them, so that what it remembers is what the view said."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Answer for the view where the call carries a key and comes from somebody known; None lets the view answer."""
        key = request.headers.get(HEADER)
        if request.method != "POST" or key is None or not request.path.startswith(PREFIX):
            return None
        if not 1 <= len(key) <= KEY_CHARS_MAX or not key.isprintable():
            return refuse(Invalid(f"An {HEADER} has 1 to {KEY_CHARS_MAX} printable characters.", field=HEADER))
        user = user_of(request, view)
        if user is None:
            return None
        row = AnsweredPost(user=user, key=key, fingerprint=_fingerprint(request), received_at=timezone.now())
        is_form = request.content_type == FORM
        try:
            return _answered(row, lambda: _rendered(view(request, *args, **kwargs)), is_form=is_form)
        except KeyReused as refusal:
            return refuse(refusal)
        except UnderWay as refusal:
            response = refuse(refusal)
            response["Retry-After"] = "1"
            return response


def _answered(row: AnsweredPost, answer: Answer, *, is_form: bool) -> HttpResponse:
    if is_form:
        return _known(row) or _remembered(row, answer())
    with transaction.atomic():
        if not _is_locked(row):
            raise UnderWay("This call is still under way; ask again in a second for its answer.")
        response = _known(row) or _remembered(row, answer())
        if not _is_final(response):
            transaction.set_rollback(True)
        return response


def _known(row: AnsweredPost) -> HttpResponse | None:
    first = AnsweredPost.objects.filter(user=row.user, key=row.key).first()
    if first is None:
        return None
    if first.fingerprint != row.fingerprint:
        raise KeyReused(
            f"This {HEADER} was used for another call; use a new one for each call that differs.", field=HEADER
        )
    response = HttpResponse(bytes(first.body), status=first.status, content_type=first.content_type)
    response[REPLAY_HEADER] = "true"
    return response


def _remembered(row: AnsweredPost, response: HttpResponse) -> HttpResponse:
    if _is_final(response):
        row.status, row.body = response.status_code, response.content
        row.content_type = response.get("Content-Type", "")
        AnsweredPost.objects.bulk_create([row], ignore_conflicts=True)
    return response


def _is_final(response: HttpResponse) -> bool:
    """Whether a repeated call gets this answer; after an error of the server or too many calls it is tried again."""
    return (
        response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR and response.status_code != HTTPStatus.TOO_MANY_REQUESTS
    )


def _is_locked(row: AnsweredPost) -> bool:
    name = hashlib.sha256(f"{row.user_id}:{row.key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(name[:8], "big", signed=True)])
        return bool(cursor.fetchone()[0])


def user_of(request: HttpRequest, view: Any) -> User | None:
    """Whoever the view itself would see; what it would refuse, it refuses itself."""
    kind = getattr(view, "cls", None)
    if kind is None:
        return None
    logged_in = request.user
    try:
        # Not the method of a view set: it needs the actions that its view was made with, which do not matter here.
        user = APIView.initialize_request(kind(**view.initkwargs), request).user
    except (APIException, Refused):
        return None
    finally:
        request.user = logged_in  # a refused authentication leaves none behind, and the view is to refuse by itself
    return user if isinstance(user, User) else None


def _fingerprint(request: HttpRequest) -> str:
    """What makes two calls the same: address and body; of a form its fields and the content of its files."""
    digest = hashlib.sha256(request.get_full_path().encode())
    if request.content_type != FORM:
        digest.update(b"\n" + request.body)
        return digest.hexdigest()
    fields = sorted((name, values) for name, values in request.POST.lists())
    files = sorted((name, [_file_print(file) for file in found]) for name, found in request.FILES.lists())
    digest.update(json.dumps([fields, files]).encode())
    return digest.hexdigest()


def _file_print(file: "UploadedFile[bytes]") -> list[str | None]:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return [file.name, digest.hexdigest()]


def _rendered(response: HttpResponse) -> HttpResponse:
    """The response with its body, which has to be known before the transaction ends."""
    return response.render() if isinstance(response, Response) else response
