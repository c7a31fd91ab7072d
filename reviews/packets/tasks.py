"""Tasks of packets."""

import time
from datetime import timedelta

from celery import shared_task
from django.template.loader import render_to_string
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.inventory.actions import stored_files
from governance.jobs import actions as jobs
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.packets.ports import PrintFailed
from reviews.packets.printing.pdf import WALL_MAX_S, WeasyPrintPrinter
from reviews.packets.queries.packet import packet_page, pages_of

PRINT_MAX = timedelta(seconds=WALL_MAX_S)


@shared_task
def render_packet(packet_id: int) -> None:
    """Render one packet, if it is due and not leased."""
    packet = jobs.claim(model=Packet, pk=packet_id, now=timezone.now(), longer=PRINT_MAX)
    if packet is None:
        return
    with audit.origin("job"):
        started_s = time.monotonic()
        try:
            stored_files.check_frozen(packet=packet, now=timezone.now())
            page = packet_page(packet)
            html = render_to_string("reviews/packets/review.html", page.context)
            pdf = WeasyPrintPrinter().print(html, assets=page.assets)
        except (PrintFailed, stored_files.DamagedFile) as failure:
            jobs.fail(row=packet, reason=failure.reason, now=timezone.now())
        else:
            taken_ms = round((time.monotonic() - started_s) * 1000)
            packets.store_pdf(packet=packet, pdf=pdf, pages=pages_of(pdf), render_ms=taken_ms, now=timezone.now())
