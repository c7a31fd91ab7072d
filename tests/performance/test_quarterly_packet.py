"""A quarterly packet of 200 models: gathered by a fixed number of queries, drawn by two processes at 1.8 times one, and
again after one change in a twentieth.
"""

import time
from dataclasses import replace
from datetime import datetime

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from governance.bills.models import AllocationRule
from governance.budgets.domain.quarters import Quarter
from reviews.packets.printing.pdf_sections import PrintSection, SectionPrinter, merge, processes_for
from reviews.quarterly.domain.packet import QuarterlyPacket
from reviews.quarterly.domain.sections import sections_of
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries import quarterly_page as pages
from reviews.quarterly.queries.quarterly_packet import packet_of
from reviews.requests.models import ReviewRequest
from tests.factories.portfolio import multiply
from tests.factories.quarterly import make_packet, make_page
from tests.integration.conftest import cast, checklist, decided, installation, now, policy, signing_key_pem
from tests.integration.reviews.workflow.test_costs import months, rules
from tests.performance.recorder import Recorder
from weighbridge.charts.drawing import svg

__all__ = ["cast", "checklist", "decided", "installation", "months", "now", "policy", "rules", "signing_key_pem"]
MODELS, SPEED_UP, SHARE, QUERIES_MAX = 200, 1.8, 0.05, 50


def drawn(
    packet: QuarterlyPacket, *, processes: int = 0, known: dict[str, bytes] | None = None
) -> tuple[float, dict[str, bytes]]:
    """How many seconds sections and joining took, and the PDF of every section by its digest."""
    begun, found = time.perf_counter(), dict(known or {})
    sections = sections_of(packet, sheet=pages.sheet_digest())
    missing = [section for section in sections if section.digest not in found]
    sheets = (
        PrintSection(
            section.digest,
            render_to_string(pages.TEMPLATE, dict(pages.context_of(section, quarter=packet.quarter))),
            {name: svg(chart).encode() for name, chart in section.charts.items()},
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
        "quarterly.speed_up",
        alone_s / together_s,
        "times one process",
        at_least=SPEED_UP,
        title=f"Sections of a quarterly packet of {MODELS} models, drawn by two processes",
    )
    pages_ = (*packet.models[:9], make_page(10, name="Another name"), *packet.models[10:])
    again_s, _ = drawn(replace(packet, models=pages_), known=found)
    one_change = keep(
        "quarterly.one_change",
        again_s / together_s,
        "of the whole time",
        at_most=SHARE,
        title=f"One changed model of {MODELS}: its packet drawn again",
    )
    assert (speed_up.is_held, one_change.is_held) == (True, True)


@pytest.mark.django_db
def test_the_queries_of_a_packet(keep: Recorder, decided: ReviewRequest, months, rules, now: datetime) -> None:
    """As many as for one model: figures, bills and supplied requests of all models are read at once."""
    cycle = ReviewCycle.objects.create(
        quarter=str(Quarter.of(months[0])), planned_at=now, collecting_at=now, cut_off_at=now.replace(year=now.year + 1)
    )
    rule = AllocationRule.objects.get(version=rules, rule_id="named")
    multiply(decided, numbers=range(1000, 1000 + MODELS), months=months[:2], rule=rule, now=now)
    with CaptureQueriesContext(connection) as asked:
        begun = time.perf_counter()
        told = packet_of(cycle, now=now)
        taken_s = time.perf_counter() - begun
    assert len(told.variances) == MODELS
    assert keep(
        "quarterly.queries",
        len(asked),
        "queries",
        at_most=QUERIES_MAX,
        beside=f"{taken_s:.1f} s",
        title=f"What the packet of {MODELS} models with bills and requests asks of the database",
    ).is_held
