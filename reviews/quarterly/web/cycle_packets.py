"""Pages for packets of a quarter: issue, progress, pre-read and downloads."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from governance.exports.web import export
from governance.jobs import actions as jobs
from governance.jobs.enums import UNFINISHED
from governance.people.web.current_user import person_of
from governance.site.web.pictures import svg_response
from reviews.packets.web import document_answer, pdf_answer
from reviews.quarterly.actions import quarterly_packets as writes
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.packet import read_quarterly_packet
from reviews.quarterly.models import CyclePacket
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.queries import quarterly_page as pages
from reviews.quarterly.rules import check_lead_meeting, may_lead_meeting
from reviews.quarterly.web.cycles import load
from reviews.quarterly.web.meeting import CYCLE, follow
from reviews.quarterly.web.steps import StepPage
from weighbridge.charts.drawing import in_both_themes, svg
from weighbridge.core.errors import NotFound


@require_safe
def live(request: HttpRequest, quarter: str) -> HttpResponse:
    """The list of packets; the page polls it while a PDF is being created."""
    cycle, may_issue = load(request, quarter), may_lead_meeting(person_of(request))
    rows = list(CyclePacket.objects.filter(cycle=cycle).order_by("-number"))
    context = {
        "quarter": quarter,
        "packets": rows,
        "is_drawing": any(row.state in UNFINISHED for row in rows),
        "may_issue": may_issue,
        "may_invite": may_issue and cycle.state != CycleState.CLOSED,
    }
    return render(request, "reviews/quarterly/_fragments/cycle_packets.html", context)


@require_safe
def preread(request: HttpRequest, quarter: str, number: int) -> HttpResponse:
    """The content of a packet as a page to read before the meeting."""
    packet = _found(request, quarter, number)
    document = read_quarterly_packet(packet.document)
    context = {
        "packet": packet,
        "document": document,
        "sections": pages.sections(packet),
        "crumbs": (
            ("Quarterly review", reverse("reviews:cycles")),
            (quarter, reverse("reviews:cycle", args=[quarter])),
            (f"Packet {number}", ""),
        ),
    }
    return render(request, "reviews/quarterly/preread.html", context)


@require_safe
def chart(request: HttpRequest, quarter: str, number: int, name: str) -> HttpResponse:
    """A chart of a packet as SVG."""
    packet = _found(request, quarter, number)
    charts = {file_name: chart for section in pages.sections(packet) for file_name, chart in section.charts.items()}
    if f"{name}.svg" not in charts:
        raise NotFound(f"Packet {number} has no chart {name!r}.")
    return svg_response(in_both_themes(svg(charts[f"{name}.svg"])))


@require_safe
def pdf(request: HttpRequest, quarter: str, number: int) -> HttpResponseBase:
    """The packet as PDF."""
    return pdf_answer(_found(request, quarter, number), subject=quarter)


@require_safe
def document(request: HttpRequest, quarter: str, number: int) -> HttpResponse:
    """The packet as JSON, with the recorded digest."""
    return document_answer(_found(request, quarter, number), subject=quarter)


@require_safe
def appendix(request: HttpRequest, quarter: str, number: int, kind: str) -> HttpResponseBase:
    """Every value of the packet as one table, for further calculations."""
    return export(pages.appendix(_found(request, quarter, number)), kind=kind)


def _found(request: HttpRequest, quarter: str, number: int) -> CyclePacket:
    return reads.find_packet(quarter=quarter, number=number, person=person_of(request))


def _subject(request: HttpRequest, *, quarter: str, number: int) -> dict[str, object]:
    return {"packet": _found(request, quarter, number)}


def _retry(*, packet: CyclePacket, **given: Any) -> CyclePacket:
    return jobs.retry(row=packet, **given)


PACKET = StepPage(_subject, follow, lambda person, **_: check_lead_meeting(person))

issue = CYCLE.step("packet", writes.issue, "Packet {0.number} is issued; its PDF is being created.", part="packets")
retry = PACKET.step(
    "packet", _retry, "Packet {0.number} is being rendered again; finished sections are reused.", part="packets"
)
invite = PACKET.step(
    "packet",
    writes.invite,
    "Each invited person ({0}) gets an invitation, but nobody gets a second one for the same packet.",
    part="packets",
)
