"""Downloads of a request: its plan, packets and their documents, signed statements, files of checklist answers."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from governance.exports.web import json_answer
from governance.inventory.web import file_answer
from reviews.evidence.queries.attested import plan_of
from reviews.packets.web import document_answer, pdf_answer
from reviews.requests.queries.requests import first_of
from reviews.workflow.web.page import load
from reviews.workflow.web.steps import authorization_of, packet_of
from weighbridge.core.canonical import canonical_bytes


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
