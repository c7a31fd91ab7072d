"""Downloads: lists and JSON documents."""

from contextlib import ExitStack
from tempfile import SpooledTemporaryFile

from django.conf import settings
from django.db import transaction
from django.http import FileResponse, HttpResponse, HttpResponseBase

from governance.exports.domain.tables import MEDIA_TYPES, ExportTable, check_export, write_table

IN_MEMORY_BYTES = 1_000_000


def export(table: ExportTable, *, kind: str) -> HttpResponseBase:
    """The table as a file to download, csv or xlsx.

    A file above a megabyte is written to a temporary file first: what fails, fails before the first byte is sent. In
    one transaction, a cursor reads the rows in blocks.
    """
    check_export(table, kind=kind)
    headers = {
        "Content-Disposition": f'attachment; filename="{table.name}.{kind}"',
        "X-Content-Type-Options": "nosniff",
    }
    with ExitStack() as unsent:
        folder = str(settings.FILE_UPLOAD_TEMP_DIR)
        file = unsent.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY_BYTES, dir=folder))
        with transaction.atomic():
            write_table(table, file, kind=kind)
        size = file.tell()
        file.seek(0)
        if size <= IN_MEMORY_BYTES:
            return HttpResponse(file.read(), content_type=MEDIA_TYPES[kind], headers=headers)
        unsent.pop_all()
    return FileResponse(file, content_type=MEDIA_TYPES[kind], headers=headers | {"Content-Length": str(size)})


def json_answer(content: bytes, *, name: str, digest: str) -> HttpResponse:
    """A response that downloads JSON, with its digest in the header `X-Content-Digest`."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Digest": digest}
    return HttpResponse(content, content_type="application/json", headers=headers)
