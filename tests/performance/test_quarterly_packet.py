"""A quarterly packet of 200 models: gathered by a fixed number of queries, drawn by two processes at 1.8 times one, and
again after one change in a twentieth. And what packets of 50, 300 and 2,000 models take.
"""

import resource
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.bills.models import AllocationRule
from governance.budgets.domain.quarters import Quarter
from reviews.packets.printing.pdf import MEMORY_MAX_BYTES
from reviews.packets.printing.pdf_sections import SectionPrinter, processes_for
from reviews.quarterly.domain.packet import QuarterlyPacket
from reviews.quarterly.domain.printed.sections import Section, sections_of
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries import quarterly_page as pages
from reviews.quarterly.queries.quarterly_packet import packet_of
from reviews.quarterly.tasks import framed, sheets_of
from reviews.requests.models import ReviewRequest
from tests.factories.portfolio import multiply
from tests.factories.quarterly import make_packet, make_page
from tests.integration.conftest import cast, checklist, decided, installation, now, policy, signing_key_pem
from tests.integration.reviews.workflow.test_costs import months, rules
from tests.performance.recorder import Recorder
from tests.performance.watched import Watched

__all__ = ["cast", "checklist", "decided", "installation", "months", "now", "policy", "rules", "signing_key_pem"]
MODELS, SPEED_UP, SHARE, QUERIES_MAX = 200, 1.8, 0.05, 50
MODELS_MAX, MEMORY_MAX_MIB = 2_000, 1_000


def drawn(
    packet: QuarterlyPacket, *, processes: int = 0, known: dict[str, bytes] | None = None
) -> tuple[float, dict[str, bytes]]:
    """How many seconds the sections took, and the PDF of every section by its digest."""
    begun, found = time.perf_counter(), dict(known or {})
    sections = sections_of(packet, sheet=pages.sheet_digest())
    missing = [section for section in sections if section.digest not in found]
    SectionPrinter(processes=processes or processes_for(len(missing))).print(
        sheets_of(missing), shared=pages.shared_assets(), on_printed=found.__setitem__
    )
    taken_s = time.perf_counter() - begun
    join(packet, [(section, found[section.digest]) for section in sections])
    return taken_s, found


def join(packet: QuarterlyPacket, drawn: Iterable[tuple[Section, bytes]]) -> int:
    """Print the frame of these sections and join them. Returns the number of pages."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = [(section, _kept(folder / f"section-{number}", pdf)) for number, (section, pdf) in enumerate(drawn)]
        return framed(packet, digest="sha256:" + "a" * 64, drawn=files, folder=folder, tell=lambda *_: None)[1]


def _kept(file: Path, pdf: bytes) -> Path:
    file.write_bytes(pdf)
    return file


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


@pytest.mark.parametrize("models", [50, 300])
def test_what_a_whole_packet_takes(keep: Recorder, models: int) -> None:
    """Seconds and processor time of one process for drawing and joining, and the memory of the largest printer."""
    before, begun = _processor_s(), time.perf_counter()
    drawn(make_packet(models), processes=1)
    taken_s, processor_s = time.perf_counter() - begun, _processor_s() - before
    title = f"A quarterly packet of {models} models, drawn by one process and joined"
    keep(f"quarterly.seconds.{models}", taken_s, "s", title=title, beside=f"{processor_s:.1f} s of processor time")
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    memory = keep(
        f"quarterly.memory.{models}",
        peak_mib,
        "MiB",
        at_most=MEMORY_MAX_BYTES / 1024**2,
        title=f"Memory of the largest printer of a quarterly packet of {models} models",
    )
    assert memory.is_held


def test_what_joining_the_largest_packet_takes(keep: Recorder) -> None:
    """Of sections with the same parts and lines one is drawn, and its pages are those of all of them."""
    packet = make_packet(MODELS_MAX)
    sections = sections_of(packet, sheet=pages.sheet_digest())
    alike = {_shape(section): section for section in sections}
    found: dict[str, bytes] = {}
    SectionPrinter().print(sheets_of(alike.values()), shared=pages.shared_assets(), on_printed=found.__setitem__)
    begun, before = time.perf_counter(), _processor_s()
    with Watched() as watched:
        count = join(packet, ((section, found[alike[_shape(section)].digest]) for section in sections))
    title = f"A quarterly packet of {MODELS_MAX:,} models: the frame printed and the pages joined"
    keep(
        f"quarterly.joined.{MODELS_MAX}",
        time.perf_counter() - begun,
        "s",
        title=title,
        beside=f"{_processor_s() - before:.1f} s of processor time; {count:,} pages",
    )
    assert keep(
        f"quarterly.joined_memory.{MODELS_MAX}",
        max(watched.peaks_mib.values()),
        "MiB",
        at_most=MEMORY_MAX_MIB,
        title=f"Memory of the largest process that frames and joins a packet of {MODELS_MAX:,} models",
        beside=", ".join(f"{name} {peak:.0f}" for name, peak in sorted(watched.peaks_mib.items())),
    ).is_held


def _shape(section: Section) -> tuple[tuple[str, int], ...]:
    return tuple((part.template, part.lines) for part in section.parts)


def _processor_s() -> float:
    """The processor time of this process and of its children that ended, in seconds."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


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
