"""Downloads: lists, JSON documents and stored files."""

from django.core.files.storage import storages
from django.http import FileResponse, HttpResponse

from governance.exports.domain.tables import MEDIA_TYPES, ExportTable, content_of
from weighbridge.core.errors import NotFound


def export(table: ExportTable, *, kind: str) -> HttpResponse:
    """The table as a file to download, csv or xlsx."""
    headers = {
        "Content-Disposition": f'attachment; filename="{table.name}.{kind}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(content_of(table, kind=kind), content_type=MEDIA_TYPES[kind], headers=headers)


def json_answer(content: bytes, *, name: str, digest: str) -> HttpResponse:
    """A response that downloads JSON, with its digest in the header `X-Content-Digest`."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Digest": digest}
    return HttpResponse(content, content_type="application/json", headers=headers)


def file_answer(stored_as: str, *, name: str, digest: str, kind: str) -> FileResponse:
    """A response that downloads a stored file, with its digest in the header `X-Content-Digest`."""
    if not storages["artifacts"].exists(stored_as):
        raise NotFound("The file is no longer in the artifact storage; tell the operator of this service.")
    answer = FileResponse(storages["artifacts"].open(stored_as), as_attachment=True, filename=name, content_type=kind)
    answer["X-Content-Digest"] = digest
    return answer
