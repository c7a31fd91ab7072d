"""The second part of the demo: the company lives through two quarters, once, and what is found is checked against the
truth.
"""

from collections.abc import Sequence
from pathlib import Path

from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone

from examples.company.portfolio import approvals, check, people, report, tale
from examples.company.portfolio.calendar import Days, latest_pair
from examples.company.portfolio.truth import PlannedMonth, truth_of
from examples.company.portfolio.world import COMPANY, Company
from examples.company.terminal import Terminal
from governance.audit.actions import record as audit
from governance.budgets.domain.quarters import Quarter
from governance.jobs.enums import JobState
from reviews.quarterly import tasks as quarterly
from reviews.quarterly.models import CyclePacket, ReviewCycle
from reviews.requests.models import ReviewRequest


def tell(say: Terminal, *, folder: Path, company: Company = COMPANY) -> Path:
    """Live through both quarters unless that has happened, draw the packet, check the truth; the path of the PDF.

    Both quarters are one transaction: what is interrupted has not happened, and is told anew the next time.
    """
    say.step("Two quarters of a company around it: everything but the model above is generated, and its truth is known")
    quarters, is_new = _quarters(company)
    with audit.origin("command"):
        if is_new:
            with transaction.atomic():
                _live(say, company, quarters, folder)
        else:
            say.done(f"{quarters[0]} and {quarters[1]} are there from before", "they happen once")
        say.step("The quarterly packet is drawn, section by section")
        path = _draw(quarters, folder / f"quarterly-packet-{quarters[1]}.pdf", say)
    say.step("The demo checks the company against its truth")
    _check(say, company, quarters, folder)
    return path


def _live(say: Terminal, company: Company, quarters: tuple[Quarter, Quarter], folder: Path) -> None:
    staff = people.gather(company, now=Days(quarters[0]).opens)
    tale.live(tale.Tale(company, quarters, folder / "bills", say, staff))


def _quarters(company: Company) -> tuple[tuple[Quarter, Quarter], bool]:
    """The two quarters of the company, and whether they are still to happen."""
    first = company.models[0]
    known = (
        ReviewRequest.objects.filter(model_version__asset__team__slug=first.team, model_version__asset__slug=first.slug)
        .order_by("pk")
        .first()
    )
    if known is not None:
        quarter = Quarter.of(known.created_at)
        return (quarter, quarter.next), False
    taken = frozenset(ReviewCycle.objects.values_list("quarter", flat=True))
    return latest_pair(now=timezone.now(), taken=taken), True


def _draw(quarters: tuple[Quarter, Quarter], path: Path, say: Terminal) -> Path:
    """Let the worker's own code draw both packets, the earlier one first; the file of the later one."""
    for packet in CyclePacket.objects.filter(cycle__quarter__in=[str(each) for each in quarters]).order_by(
        "cycle__quarter"
    ):
        if packet.state != JobState.DONE:
            say.progress(0.5, f"drawing the packet of {packet.cycle.quarter}")
            quarterly.render_cycle_packet(packet.pk)
            packet.refresh_from_db()
        if packet.state != JobState.DONE:
            raise SystemExit(f"{packet} could not be drawn: {packet.error or packet.state}")
        say.done(f"packet of {packet.cycle.quarter}: {packet.pages} pages", packet.document_digest[:19] + "…")
    path.parent.mkdir(parents=True, exist_ok=True)
    with storages["artifacts"].open(packet.stored_as) as drawn:
        path.write_bytes(drawn.read())
    return path


def _check(say: Terminal, company: Company, quarters: tuple[Quarter, Quarter], folder: Path) -> None:
    plans = _plans(company)
    truth = truth_of(company, plans=plans, quarters=quarters)
    found = list(check.rows(company, truth=truth))
    parts = [check.split_of(model, plan=plans[model.slug], truth=truth) for model in company.models]
    report.show(found, parts, quarter=quarters[1], say=say)
    report.keep(found, parts, folder / "truth.json")
    wrong = _wrong(found, parts)
    if wrong:
        raise SystemExit(f"What the platform found is not the truth of: {', '.join(wrong)}.")
    say.done(
        f"{len(found)} totals agree to the cent, {len(parts)} differences add up from volume, efficiency and price"
    )


def _wrong(found: Sequence[check.CheckRow], parts: Sequence[check.Parts]) -> list[str]:
    return [row.what for row in found if not row.is_equal] + [each.model for each in parts if not each.is_right]


def _plans(company: Company) -> dict[str, PlannedMonth]:
    """What the platform projected of each model when it was first filed."""
    plans = {}
    for model in company.models:
        rows = ReviewRequest.objects.filter(
            model_version__asset__team__slug=model.team, model_version__asset__slug=model.slug
        )
        plans[model.slug] = approvals.planned(rows.earliest("pk"), model, now=timezone.now())
    return plans
