"""Pages for packets of a quarter: issue, progress, pre-read and downloads."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.exports.web import export
from governance.jobs import actions as jobs
from governance.jobs.enums import UNFINISHED, JobState
from governance.people.web.current_user import person_of, user_of
from governance.site.web.pictures import svg_response
from reviews.quarterly.actions import quarterly_packets as writes
from reviews.quarterly.domain.document import read_quarterly_packet
from reviews.quarterly.models import CyclePacket
from reviews.quarterly.queries import quarterly_page as pages
from reviews.quarterly.rules import may_lead_meeting
from reviews.quarterly.web.cycles import load, settle
from reviews.workflow.web.downloads import file_answer, json_answer
from reviews.workflow.web.step_forms import PlainForm
from weighbridge.charts.drawing import in_both_themes, svg
from weighbridge.core.canonical import canonical_bytes
from weighbridge.core.errors import NotFound, WrongState


@require_POST
def issue(request: HttpRequest, quarter: str) -> HttpResponse:
    """Issue a packet with the current data and queue its PDF."""
    cycle = load(request, quarter)

    def act() -> str:
        packet = writes.issue(cycle=cycle, by=user_of(request), now=timezone.now())
        return f"Packet {packet.number} is issued; its PDF is being created."

    return settle(request, cycle, name="packet", form=PlainForm(request.POST), act=act, part="packets")


@require_safe
def live(request: HttpRequest, quarter: str) -> HttpResponse:
    """The list of packets; the page polls it while a PDF is being created."""
    return render(request, "reviews/quarterly/_fragments/cycle_packets.html", packets_context(request, quarter))


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
    packet = _found(request, quarter, number)
    if not packet.stored_as:
        raise WrongState(f"Packet {number} is {packet.state}; its PDF is not ready yet.")
    name = f"{quarter}-packet-{number}.pdf"
    return file_answer(packet.stored_as, name=name, digest=packet.pdf_digest, kind="application/pdf")


@require_safe
def document(request: HttpRequest, quarter: str, number: int) -> HttpResponse:
    """The packet as JSON, with the recorded digest."""
    packet = _found(request, quarter, number)
    name = f"{quarter}-packet-{number}.json"
    return json_answer(canonical_bytes(packet.document), name=name, digest=packet.document_digest)


@require_safe
def appendix(request: HttpRequest, quarter: str, number: int, kind: str) -> HttpResponse:
    """Every value of the packet as one table, for further calculations."""
    return export(pages.appendix(_found(request, quarter, number)), kind=kind)


@require_POST
def retry(request: HttpRequest, quarter: str, number: int) -> HttpResponse:
    """Retry a failed rendering."""
    cycle, packet = load(request, quarter), _found(request, quarter, number)

    def act() -> str:
        jobs.retry(row=packet, by=user_of(request), now=timezone.now())
        return f"Packet {number} is being rendered again; finished sections are reused."

    return settle(request, cycle, name="packet", form=PlainForm(request.POST), act=act, part="packets")


@require_POST
def invite(request: HttpRequest, quarter: str, number: int) -> HttpResponse:
    """Send the agenda and the pre-read to the invited people."""
    cycle, packet = load(request, quarter), _found(request, quarter, number)

    def act() -> str:
        count = writes.invite(packet=packet, by=user_of(request), now=timezone.now())
        return f"{count} invitations are queued; nobody gets a second one for the same packet."

    return settle(request, cycle, name="packet", form=PlainForm(request.POST), act=act, part="packets")


def packets_context(request: HttpRequest, quarter: str) -> dict[str, Any]:
    """The packets of a quarter, the latest first."""
    cycle = load(request, quarter)
    rows = list(CyclePacket.objects.filter(cycle=cycle).order_by("-number"))
    return {
        "quarter": quarter,
        "packets": rows,
        "is_drawing": any(row.state in UNFINISHED for row in rows),
        "may_issue": may_lead_meeting(person_of(request)),
        "may_be_issued": cycle.state in writes.ISSUED_FROM,
        "done": JobState.DONE,
    }


def _found(request: HttpRequest, quarter: str, number: int) -> CyclePacket:
    packet = CyclePacket.objects.select_related("cycle").filter(cycle=load(request, quarter), number=number).first()
    if packet is None:
        raise NotFound(f"The review of {quarter} has no packet {number}.")
    return packet
