"""Tasks of packets."""

import time

from celery import shared_task
from django.template.loader import render_to_string
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.inventory.actions import stored_files
from governance.jobs import actions as jobs
from governance.jobs.signs_of_life import lease_renewed
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.packets.ports import PrintFailed
from reviews.packets.printing.pdf import WeasyPrintPrinter
from reviews.packets.queries.packet import packet_page, pages_of


@shared_task
def render_packet(packet_id: int) -> None:
    """Render one packet, if it is due and not leased."""
    packet = jobs.claim(model=Packet, pk=packet_id, now=timezone.now())
    if packet is None:
        return
    with audit.origin("job"), lease_renewed(packet):
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
            try:
                packets.store_pdf(packet=packet, pdf=pdf, pages=pages_of(pdf), render_ms=taken_ms, now=timezone.now())
            except OSError as error:
                jobs.put_back(row=packet, error=error, now=timezone.now())
