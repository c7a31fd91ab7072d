"""What workers and the tick do for the quarterly review: turning quarters, drawing packets, sending invitations."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from celery import shared_task
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from reviews.packets.ports import PrintFailed
from reviews.packets.printing.pdf_sections import SECTION_MAX_S, PrintSection, SectionPrinter, merge, processes_for
from reviews.quarterly.actions import cycles, quarterly_packets
from reviews.quarterly.domain.sections import Section
from reviews.quarterly.models import CyclePacket, RenderedSection
from reviews.quarterly.queries import quarterly_page as pages
from reviews.quarterly.queries.invitations import letter
from weighbridge.charts.drawing import svg

LEASE = timedelta(seconds=4 * SECTION_MAX_S)
KEEP_EVERY = 8


@outbox.on_tick
def turn_quarters(now: datetime) -> None:
    """Plan the cycle of the quarter, move on those whose time has come, issue their packets."""
    cycles.plan(now=now)
    cycles.advance(now=now)
    quarterly_packets.issue_due(now=now)
    quarterly_packets.forget_sections(now=now)


@outbox.handles("cycle.invite")
def send_invitation(message: OutboxMessage) -> None:
    """Send one letter with the agenda and the way to the pre-read."""
    packet = CyclePacket.objects.select_related("cycle").get(pk=message.payload["packet_id"])
    user = User.objects.get(pk=message.payload["user_id"])
    subject, text = letter(packet)
    EmailMessage(subject=subject, body=text, to=[user.email]).send()


@shared_task
def render_cycle_packet(packet_id: int) -> None:
    """Draw one quarterly packet, if it is due and nobody else has it: only sections that no packet has drawn before."""
    packet = jobs.claim(model=CyclePacket, pk=packet_id, now=timezone.now(), longer=LEASE)
    if packet is None:
        return
    with audit.origin("job"):
        started_s = time.monotonic()
        sections = pages.sections(packet)
        try:
            _draw(packet, sections)
            pdf, count = _joined(packet, sections)
        except PrintFailed as failure:
            reason = _in_titles(failure.reason, sections)
            jobs.fail(row=packet, reason=reason, now=timezone.now())
        except outbox.LeaseLost:
            return
        else:
            taken_ms = round((time.monotonic() - started_s) * 1000)
            packet.sections_total = len(sections)
            quarterly_packets.rendered(packet=packet, pdf=pdf, pages=count, render_ms=taken_ms, now=timezone.now())


def _draw(packet: CyclePacket, sections: tuple[Section, ...]) -> None:
    digests = {section.digest for section in sections}
    known = quarterly_packets.begin(packet=packet, digests=digests, now=timezone.now())
    waiting: dict[str, bytes] = {}
    done = len(known)

    def keep() -> None:
        is_ours = quarterly_packets.keep_sections(
            packet=packet, drawn=waiting, done=done, lease=LEASE, now=timezone.now()
        )
        waiting.clear()
        if not is_ours:
            raise outbox.LeaseLost(f"{packet} was given to another worker.")

    def on_printed(digest: str, pdf: bytes) -> None:
        nonlocal done
        waiting[digest], done = pdf, done + 1
        if len(waiting) >= KEEP_EVERY:
            keep()

    try:
        missing = [section for section in sections if section.digest not in known]
        printer = SectionPrinter(processes=processes_for(len(missing)))
        printer.print(_sheets(packet, missing), shared=pages.shared_assets(), on_printed=on_printed)
    finally:
        if waiting:
            keep()


def _sheets(packet: CyclePacket, sections: list[Section]) -> Iterator[PrintSection]:
    for section in sections:
        html = render_to_string(pages.TEMPLATE, dict(pages.context_of(section, quarter=packet.cycle.quarter)))
        yield PrintSection(section.digest, html, {name: svg(chart).encode() for name, chart in section.charts.items()})


def _in_titles(reason: str, sections: tuple[Section, ...]) -> str:
    """The reason with titles in the place of digests, which name sections to the printer."""
    for section in sections:
        reason = reason.replace(section.digest, f"“{section.title}”")
    return reason


def _joined(packet: CyclePacket, sections: tuple[Section, ...]) -> tuple[bytes, int]:
    rows = RenderedSection.objects.filter(digest__in=[section.digest for section in sections])
    drawn = {row.digest: bytes(row.pdf) for row in rows}
    if any(section.digest not in drawn for section in sections):
        raise PrintFailed("Drawn sections were forgotten before they were joined; draw the packet again.")
    parts = [(section.title, drawn[section.digest]) for section in sections]
    return merge(parts, title=f"Model Performance & Cost Review {packet.cycle.quarter}")
