"""Downloads of a request: its plan, packets, signed statements, files that were filed, and charts of studies."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from governance.exports.web import json_answer
from governance.inventory.web import file_answer
from governance.site.web.pictures import svg_response
from reviews.evidence.models import ImportedFile
from reviews.evidence.queries.attested import plan_of
from reviews.evidence.queries.imported import filed_study_of
from reviews.packets.web import document_answer, pdf_answer
from reviews.requests.queries.requests import first_of
from reviews.workflow.web.page.views import load
from reviews.workflow.web.steps import authorization_of, packet_of
from weighbridge.charts.drawing import in_both_themes
from weighbridge.core.canonical import canonical_bytes
from weighbridge.core.errors import NotFound


@require_safe
def packet(request: HttpRequest, ref: str, number: int) -> HttpResponseBase:
    """The PDF of a packet."""
    return pdf_answer(packet_of(load(request, ref), number), subject=ref)


@require_safe
def packet_document(request: HttpRequest, ref: str, number: int) -> HttpResponse:
    """The data of the packet as JSON. The packet prints the digest of this document."""
    return document_answer(packet_of(load(request, ref), number), subject=ref)


@require_safe
def plan(request: HttpRequest, ref: str) -> HttpResponse:
    """The plan that results measured elsewhere must follow."""
    fixed = plan_of(load(request, ref))
    return json_answer(canonical_bytes(fixed.document), name=f"{ref}.plan.json", digest=fixed.digest)


@require_safe
def statement(request: HttpRequest, ref: str) -> HttpResponse:
    """The signed statement of the authorization, as a DSSE envelope that can be verified offline."""
    authorization = authorization_of(load(request, ref))
    name = f"{authorization.number}.dsse.json"
    return json_answer(canonical_bytes(authorization.envelope), name=name, digest=authorization.statement_digest)


@require_safe
def answer_file(request: HttpRequest, ref: str, item: str) -> HttpResponseBase:
    """The file that answers a checklist item."""
    rows = load(request, ref).checklist_answers.filter(item=item).exclude(file_digest="")
    answer = first_of(rows, otherwise=f"No file answers {item!r}.")
    return file_answer(answer.file_digest, name=answer.file_name, kind="application/octet-stream")


@require_safe
def imported_file(request: HttpRequest, ref: str, import_id: int) -> HttpResponseBase:
    """A result file as it was imported."""
    row = _imported(request, ref, import_id)
    return file_answer(row.file_digest, name=row.file_name, kind="application/octet-stream")


@require_safe
def study_chart(request: HttpRequest, ref: str, import_id: int) -> HttpResponse:
    """The chart of a study, as SVG."""
    study = filed_study_of(_imported(request, ref, import_id))
    if study is None:
        raise NotFound("This file is no study, and has no chart.")
    return svg_response(in_both_themes(study.chart.svg))


def _imported(request: HttpRequest, ref: str, import_id: int) -> ImportedFile:
    rows = load(request, ref).imported_files.filter(pk=import_id)
    return first_of(rows, otherwise="This request has no such file.")
