"""Downloads: lists and JSON documents."""

from django.http import HttpResponse

from governance.exports.domain.tables import MEDIA_TYPES, ExportTable, content_of


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
