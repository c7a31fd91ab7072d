"""Tasks of the quarterly review: advance cycles, render packets, send invitations."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.inventory.actions import stored_files
from governance.jobs import actions as jobs
from governance.jobs import outbox, ticks
from governance.jobs.models import OutboxMessage
from governance.jobs.signs_of_life import lease_renewed
from reviews.packets.ports import PrintFailed
from reviews.packets.printing.pdf import WeasyPrintPrinter
from reviews.packets.printing.pdf_join import PacketParts, PageJoiner
from reviews.packets.printing.pdf_sections import PrintSection, SectionPrinter, processes_for
from reviews.packets.printing.pdf_tags import pages_in
from reviews.packets.queries.packet import pages_of
from reviews.quarterly import mail
from reviews.quarterly.actions import cycles, quarterly_packets
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.packet import QuarterlyPacket, read_quarterly_packet
from reviews.quarterly.domain.printed.sections import Section
from reviews.quarterly.models import CyclePacket, RenderedSection
from reviews.quarterly.queries import quarterly_page as pages
from reviews.quarterly.queries.due import due_cycles
from reviews.quarterly.queries.meeting import invitees
from weighbridge.charts.drawing import Chart, svg

TURN = "quarters.turn"
STORE_EVERY = 8
FRONT_PAGES = 2
"""A page for the leadership and one of contents, as most packets have them."""
FRONT, WHOLE = "front", "whole"
"""Names of files, beside those of sections, which are digests."""


@ticks.on_tick(due=lambda now: due_cycles(now=now))
def request_turns(now: datetime) -> None:
    """Enqueue the turn of each cycle whose figures are to be frozen, or whose packet is to be issued."""
    for cycle in {row.pk: row for rows in due_cycles(now=now) for row in rows}.values():
        key = f"{TURN}:{cycle.quarter}:{cycle.state}:{cycle.cut_off_at.isoformat()}"
        if not OutboxMessage.objects.filter(key=key).exists():  # each message wakes a worker
            outbox.enqueue(kind=TURN, key=key, lane=key, payload={}, now=now)


@outbox.handles(TURN)
def turn(message: OutboxMessage) -> None:
    """Turn the quarters: hourly, and when a cycle is due. It reads the whole portfolio, which no tick waits for.

    The time is that of the tick that asked for it, which had compared its clock; that of the worker may be wrong.
    """
    turn_quarters(message.created_at)


def turn_quarters(now: datetime) -> None:
    """Plan the cycle of the quarter, advance due cycles, issue their packets, and delete unused sections."""
    cycles.plan(now=now)
    cycles.advance(now=now)
    quarterly_packets.issue_due(now=now)
    quarterly_packets.delete_unused_sections(now=now)


@outbox.handles("cycle.invite", channel="mail")
def send_invitation(message: OutboxMessage) -> None:
    """Send one invitation with the agenda and a link to the pre-read, if the person is still invited to a meeting."""
    packet = CyclePacket.objects.select_related("cycle").get(pk=message.payload["packet_id"])
    user = invitees(packet.cycle).filter(pk=message.payload["user_id"]).first()
    if user is not None and packet.cycle.state != CycleState.CLOSED:
        outbox.check_held(message=message, now=timezone.now())
        mail.send_invitation(packet, user=user, key=message.key)


@shared_task
def render_cycle_packet(packet_id: int) -> None:
    """Render one quarterly packet if it is due and not leased. Sections that are already stored are reused."""
    packet = jobs.claim(model=CyclePacket, pk=packet_id, now=timezone.now())
    if packet is None:
        return
    folders = tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR)
    with audit.origin("job"), folders as folder, lease_renewed(packet):
        try:
            stored_files.check_frozen(packet=packet, now=timezone.now())
            _print(packet, Path(folder))
        except (PrintFailed, stored_files.DamagedFile) as failure:
            jobs.fail(row=packet, reason=failure.reason, now=timezone.now())
        except outbox.LeaseLost:
            return
        except OSError as error:
            jobs.put_back(row=packet, error=error, now=timezone.now())


def _print(packet: CyclePacket, folder: Path) -> None:
    started_s, sections = time.monotonic(), pages.sections(packet)
    try:
        _render(packet, sections)
        file, count = _merged(packet, sections, folder)
    except PrintFailed as failure:
        raise PrintFailed(_in_titles(failure.reason, sections)) from failure
    taken_ms = round((time.monotonic() - started_s) * 1000)
    packet.sections_total = len(sections)
    with file.open("rb") as pdf:
        quarterly_packets.store_pdf(packet=packet, pdf=pdf, pages=count, render_ms=taken_ms, now=timezone.now())


def _render(packet: CyclePacket, sections: tuple[Section, ...]) -> None:
    digests = {section.digest for section in sections}
    done_before = quarterly_packets.start_rendering(packet=packet, digests=digests, now=timezone.now())
    waiting: dict[str, bytes] = {}
    done = len(done_before)

    def store() -> None:
        is_ours = quarterly_packets.store_sections(packet=packet, drawn=waiting, done=done, now=timezone.now())
        waiting.clear()
        if not is_ours:
            raise outbox.LeaseLost(f"{packet} was given to another worker.")

    def on_printed(digest: str, pdf: bytes) -> None:
        nonlocal done
        waiting[digest], done = pdf, done + 1
        if len(waiting) >= STORE_EVERY:
            store()

    try:
        missing = [section for section in sections if section.digest not in done_before]
        printer = SectionPrinter(processes=processes_for(len(missing)))
        printer.print(sheets_of(missing), shared=pages.shared_assets(), on_printed=on_printed)
    finally:
        if waiting:
            store()


def sheets_of(sections: Iterable[Section]) -> Iterator[PrintSection]:
    """The HTML and charts of each section."""
    for section in sections:
        html = render_to_string(pages.TEMPLATE, dict(pages.context_of(section)))
        yield PrintSection(section.digest, html, _drawn(section.charts))


def _drawn(charts: Mapping[str, Chart]) -> dict[str, bytes]:
    return {name: svg(chart).encode() for name, chart in charts.items()}


def _in_titles(reason: str, sections: tuple[Section, ...]) -> str:
    """The reason with section titles instead of the digests that the printer uses."""
    for section in sections:
        reason = reason.replace(section.digest, f"“{section.title}”")
    return reason


def _merged(packet: CyclePacket, sections: tuple[Section, ...], folder: Path) -> tuple[Path, int]:
    """The PDF of the stored sections, in `folder`, while the packet tells how many of its pages are ready."""
    rows = RenderedSection.objects.filter(digest__in={section.digest for section in sections})
    for row in rows.iterator(chunk_size=STORE_EVERY):
        (folder / row.digest).write_bytes(row.pdf)
    drawn = [(section, folder / section.digest) for section in sections]
    if not all(file.exists() for _, file in drawn):
        raise PrintFailed("Rendered sections were deleted before they were merged; render the packet again.")

    def tell(ready: int, pages: int) -> None:
        if not jobs.renew(row=packet, now=timezone.now(), pages=pages, pages_done=ready):
            raise outbox.LeaseLost(f"{packet} was given to another worker.")

    content, digest = read_quarterly_packet(packet.document), packet.document_digest
    return framed(content, digest=digest, drawn=drawn, folder=folder, tell=tell)


def framed(
    packet: QuarterlyPacket,
    *,
    digest: str,
    drawn: Sequence[tuple[Section, Path]],
    folder: Path,
    tell: Callable[[int, int], None],
) -> tuple[Path, int]:
    """The whole PDF in `folder`, whose pages are counted from the leadership page on, and its number of pages.

    `tell` gets the number of pages that are ready, and of all. A section is drawn in its file.
    """
    printed = ((section, pages_in(file.read_bytes())) for section, file in drawn)
    frame = pages.frame_of(packet, digest=digest, printed=printed)
    front = _front(frame, folder)
    total = front + len(frame.running)
    tell(front, total)
    parts = PacketParts(
        front=folder / FRONT,
        leaves=_leaves(frame, front, folder),
        sections=[file for _, file in drawn],
        places=[part.place for part in frame.parts],
    )
    PageJoiner().join(parts, folder / WHOLE, on_joined=lambda joined: tell(front + joined, total))
    return folder / WHOLE, total


def _front(frame: pages.Frame, folder: Path) -> int:
    """Print the front; again if its contents name wrong pages, because it has more or fewer. Returns its pages."""
    count = _print_front(frame, FRONT_PAGES, folder)
    return count if count == FRONT_PAGES else _print_front(frame, count, folder)


def _print_front(frame: pages.Frame, count: int, folder: Path) -> int:
    context = frame.front(count)
    assets = pages.shared_assets() | _drawn(context["charts"])
    pdf = WeasyPrintPrinter().print(render_to_string(pages.FRONT, dict(context)), assets=assets)
    (folder / FRONT).write_bytes(pdf)
    return pages_of(pdf) - 1  # the last has the marks of the parts


def _leaves(frame: pages.Frame, front: int, folder: Path) -> list[Path]:
    """Print the headers and footers of the pages after the front. Returns the files in order."""

    def keep(name: str, pdf: bytes) -> None:
        (folder / name).write_bytes(pdf)

    contexts = {f"leaves-{number}": context for number, context in enumerate(frame.leaves(front))}
    sheets = (
        PrintSection(name, render_to_string(pages.LEAVES, dict(context)), {}) for name, context in contexts.items()
    )
    SectionPrinter(processes=processes_for(len(contexts))).print(sheets, shared=pages.shared_assets(), on_printed=keep)
    return [folder / name for name in contexts]


ticks.regularly(TURN, period=ticks.HOURLY)
