"""A quarterly packet of 200 models: drawn by two processes at 1.8 times one, and again after one change in a twentieth."""

import time
from dataclasses import replace

from django.template.loader import render_to_string

from reviews.domain.quarterly.packet import QuarterlyPacket
from reviews.domain.quarterly.sections import sections_of
from reviews.integrations.pdf_sections import SectionPrinter, Sheet, merge, processes_for
from reviews.queries import quarterly_page as pages
from tests.factories.quarterly import make_packet, make_page
from tests.performance.recorder import Recorder

MODELS, SPEED_UP, SHARE = 200, 1.8, 0.05


def drawn(
    packet: QuarterlyPacket, *, processes: int = 0, known: dict[str, bytes] | None = None
) -> tuple[float, dict[str, bytes]]:
    """How many seconds sections and joining took, and the PDF of every section by its digest."""
    begun, found = time.perf_counter(), dict(known or {})
    sections = sections_of(packet, sheet=pages.sheet_digest())
    missing = [section for section in sections if section.digest not in found]
    sheets = (
        Sheet(
            section.digest,
            render_to_string(pages.TEMPLATE, dict(pages.context_of(section, quarter=packet.quarter))),
            {name: svg.encode() for name, svg in section.charts.items()},
        )
        for section in missing
    )
    SectionPrinter(processes=processes or processes_for(len(missing))).print(
        sheets, shared=pages.shared_assets(), on_printed=found.__setitem__
    )
    taken_s = time.perf_counter() - begun
    merge([(section.title, found[section.digest]) for section in sections], title="A packet")
    return taken_s, found


def test_two_processes_and_one_change(keep: Recorder) -> None:
    packet = make_packet(MODELS)
    alone_s, _ = drawn(packet, processes=1)
    together_s, found = drawn(packet, processes=2)
    speed_up = keep(
        "quarterly.speed_up", alone_s / together_s, "times one process", at_least=SPEED_UP,
        title=f"Sections of a quarterly packet of {MODELS} models, drawn by two processes",
    )  # fmt: skip
    pages_ = (*packet.models[:9], make_page(10, name="Another name"), *packet.models[10:])
    again_s, _ = drawn(replace(packet, models=pages_), known=found)
    one_change = keep(
        "quarterly.one_change", again_s / together_s, "of the whole time", at_most=SHARE,
        title=f"One changed model of {MODELS}: its packet drawn again",
    )  # fmt: skip
    assert (speed_up.is_held, one_change.is_held) == (True, True)
