"""`requests/{ref}/packets/`: the review packet and its PDF."""

from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.inventory.actions import stored_files
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.site.api.shapes import AnyAccept, Nothing, read_for
from reviews.packets import actions as writes
from reviews.packets.models import Packet
from reviews.packets.web import PDF, pdf_answer
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import first_of, parties_of
from reviews.requests.rules import check_print
from reviews.workflow.api.course_answers import PacketDetailAnswer
from reviews.workflow.api.inputs import found


class Packets(APIView):
    """The packet of a request."""

    @extend_schema(operation_id="requests_packet", responses=PacketDetailAnswer)
    def get(self, request: Request, ref: str) -> Response:
        """The latest packet: how its drawing goes, and what it says."""
        return Response(_said(_latest(found(request, ref)[0])))

    @extend_schema(operation_id="requests_packet_freeze", request=Nothing, responses={201: PacketDetailAnswer})
    def post(self, request: Request, ref: str) -> Response:
        """Freeze what a packet says now, and have it drawn."""
        row, user, person, now = found(request, ref)
        read_for(request, Nothing, lambda: check_print(person, parties_of(row)))
        return Response(_said(writes.request_packet(request=row, by=user, now=now)), status=201)


class PacketRetry(APIView):
    """Drawing the packet again."""

    @extend_schema(operation_id="requests_packet_retry", request=Nothing, responses=PacketDetailAnswer)
    def post(self, request: Request, ref: str) -> Response:
        """Draw the latest packet again, after its drawing failed."""
        row, user, person, now = found(request, ref)
        read_for(request, Nothing, lambda: check_print(person, parties_of(row)))
        return Response(_said(jobs.retry(row=_latest(row), by=user, now=now)))


class PacketPdf(APIView):
    """The packet as PDF."""

    content_negotiation_class = AnyAccept

    @extend_schema(operation_id="requests_packet_pdf", responses={(200, PDF): OpenApiTypes.BINARY})
    def get(self, request: Request, ref: str) -> FileResponse:
        """The latest packet as PDF; `X-Content-Digest` is its SHA-256."""
        return pdf_answer(_latest(found(request, ref)[0]), subject=ref)


def _latest(request: ReviewRequest) -> Packet:
    rows = request.packets.select_related("request__team").order_by("-number")
    return first_of(rows, otherwise=f"{request.ref} has no packet yet; one is made with its decision.")


def _said(packet: Packet) -> dict[str, object]:
    stored_files.check_frozen(packet=packet, now=timezone.now())
    return dict(PacketDetailAnswer(vars(packet) | {"is_ready": packet.state == JobState.DONE}).data)
