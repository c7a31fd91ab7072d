"""`cycles/{quarter}/packets/`: the quarterly packet, its drawing and its files."""

from django.http import FileResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.exports.web import export
from governance.jobs import actions as jobs
from governance.people.api.caller import asker
from governance.site.api.shapes import TABLE_ANSWERS, TABLE_KIND, Answer, AnyAccept, Nothing, read_for
from reviews.packets.web import PDF, pdf_answer
from reviews.quarterly.actions import quarterly_packets as writes
from reviews.quarterly.models import CyclePacket, ReviewCycle
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.queries import quarterly_page as pages
from reviews.quarterly.rules import check_lead_meeting


class CyclePacketAnswer(Answer):
    """A packet: what it says, frozen, and how far its drawing came."""

    number = serializers.IntegerField()
    state = serializers.CharField()
    sections_total = serializers.IntegerField()
    sections_done = serializers.IntegerField()
    pages = serializers.IntegerField(allow_null=True)
    pages_done = serializers.IntegerField()
    error = serializers.CharField()
    document_digest = serializers.CharField()
    pdf_digest = serializers.CharField()
    document = serializers.DictField()
    created_at = serializers.DateTimeField()


class CyclePackets(APIView):
    """The packets of a quarter."""

    @extend_schema(operation_id="cycles_packet_list", responses=CyclePacketAnswer(many=True))
    def get(self, request: Request, quarter: str) -> Response:
        """The latest first."""
        rows = CyclePacket.objects.filter(cycle=_cycle(request, quarter)).order_by("-number")
        return Response(CyclePacketAnswer(rows, many=True).data)

    @extend_schema(operation_id="cycles_packet_issue", request=Nothing, responses={201: CyclePacketAnswer})
    def post(self, request: Request, quarter: str) -> Response:
        """Freeze what a packet says now, and have it drawn; a platform or product lead, after the cut-off."""
        user, person, now = asker(request)
        cycle = _cycle(request, quarter)
        read_for(request, Nothing, lambda: check_lead_meeting(person))
        return Response(CyclePacketAnswer(writes.issue(cycle=cycle, by=user, now=now)).data, status=201)


class CyclePacketRetry(APIView):
    """Drawing a packet again."""

    @extend_schema(operation_id="cycles_packet_retry", request=Nothing, responses=CyclePacketAnswer)
    def post(self, request: Request, quarter: str, number: int) -> Response:
        """Draw it again after its drawing failed; what was drawn of it is kept."""
        user, person, now = asker(request)
        packet = _packet(request, quarter, number)
        read_for(request, Nothing, lambda: check_lead_meeting(person))
        return Response(CyclePacketAnswer(jobs.retry(row=packet, by=user, now=now)).data)


class CyclePacketPdf(APIView):
    """A packet as PDF."""

    content_negotiation_class = AnyAccept

    @extend_schema(operation_id="cycles_packet_pdf", responses={(200, PDF): OpenApiTypes.BINARY})
    def get(self, request: Request, quarter: str, number: int) -> FileResponse:
        """The packet as PDF; `X-Content-Digest` is its SHA-256."""
        return pdf_answer(_packet(request, quarter, number), subject=quarter)


class CyclePacketAppendix(APIView):
    """A packet's values as one table."""

    content_negotiation_class = AnyAccept

    @extend_schema(operation_id="cycles_packet_appendix", parameters=[TABLE_KIND], responses=TABLE_ANSWERS)
    def get(self, request: Request, quarter: str, number: int, kind: str) -> HttpResponseBase:
        """Every value of the packet, for whoever calculates on."""
        return export(pages.appendix(_packet(request, quarter, number)), kind=kind)


def _cycle(request: Request, quarter: str) -> ReviewCycle:
    _, person, _ = asker(request)
    return reads.find(quarter=quarter, person=person)


def _packet(request: Request, quarter: str, number: int) -> CyclePacket:
    _, person, _ = asker(request)
    return reads.find_packet(quarter=quarter, number=number, person=person)
