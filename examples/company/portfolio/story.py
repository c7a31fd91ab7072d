"""The second part of the demo: play two quarters of the company once, and check the results against the true values."""

from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from examples.company.portfolio import approvals, check, people, report, timeline
from examples.company.portfolio.calendar import Days, latest_pair
from examples.company.portfolio.company_model import COMPANY, Company, Model
from examples.company.portfolio.oracle import PlannedMonth, truth_of
from examples.company.terminal import Terminal
from governance.audit.actions import record as audit
from governance.budgets.domain.quarters import Quarter
from governance.inventory.actions import stored_files
from governance.jobs.enums import JobState
from reviews.quarterly import tasks as quarterly
from reviews.quarterly.models import CyclePacket, ReviewCycle
from reviews.requests.models import ReviewRequest


def run(say: Terminal, *, folder: Path, company: Company = COMPANY) -> Path:
    """Play both quarters unless they exist, render the packet, and check the results. Returns the path of the PDF.

    Both quarters are one transaction, so an interrupted run is repeated completely the next time.
    """
    say.step("Two quarters of a generated company with known true values; only the model above is real")
    quarters, is_new = _quarters(company)
    with audit.origin("command"):
        if is_new:
            with transaction.atomic():
                staff = people.create_staff(COMPANY, now=Days(quarters[0]).opens)
                timeline.play_quarters(timeline.DemoState(company, quarters, folder / "bills", say, staff))
        else:
            say.done(f"{quarters[0]} and {quarters[1]} already exist", "they are played only once")
        say.step("The quarterly packet is rendered, section by section")
        path = _render(quarters, folder / f"quarterly-packet-{quarters[1]}.pdf", say)
    say.step("The demo compares the results with the true values")
    _check(say, company, quarters, folder)
    return path


def play_open(say: Terminal, *, folder: Path) -> None:
    """Play both quarters up to the second meeting, and leave it ready to be held. The first packet is rendered."""
    say.step("Two quarters of a generated company; the second meeting is ready to be held")
    quarters = latest_pair(now=timezone.now(), taken=frozenset())
    with audit.origin("command"):
        with transaction.atomic():
            staff = people.create_staff(COMPANY, now=Days(quarters[0]).opens)
            state = timeline.DemoState(COMPANY, quarters, folder / "bills", say, staff, leaves_last_meeting=True)
            timeline.play_quarters(state)
        _render(quarters, folder / f"quarterly-packet-{quarters[0]}.pdf", say)


def _quarters(company: Company) -> tuple[tuple[Quarter, Quarter], bool]:
    """The two quarters of the company, and whether they must still be played."""
    known = _requests_of(company.models[0]).order_by("pk").first()
    if known is not None:
        quarter = Quarter.of(known.created_at)
        return (quarter, quarter.next), False
    taken = frozenset(ReviewCycle.objects.values_list("quarter", flat=True))
    return latest_pair(now=timezone.now(), taken=taken), True


def _render(quarters: tuple[Quarter, Quarter], path: Path, say: Terminal) -> Path:
    """Render both packets with the code of the worker, the earlier one first. Returns the file of the later one."""
    for packet in CyclePacket.objects.filter(cycle__quarter__in=[str(each) for each in quarters]).order_by(
        "cycle__quarter"
    ):
        if packet.state != JobState.DONE:
            say.progress(0.5, f"rendering the packet of {packet.cycle.quarter}")
            quarterly.render_cycle_packet(packet.pk)
            packet.refresh_from_db()
        if packet.state != JobState.DONE:
            raise SystemExit(f"{packet} could not be rendered: {packet.error or packet.state}")
        say.done(f"packet of {packet.cycle.quarter}: {packet.pages} pages", packet.document_digest[:19] + "…")
    path.parent.mkdir(parents=True, exist_ok=True)
    with stored_files.opened(digest=packet.pdf_digest, now=timezone.now()) as drawn:
        path.write_bytes(drawn.read())
    return path


def _check(say: Terminal, company: Company, quarters: tuple[Quarter, Quarter], folder: Path) -> None:
    plans = _plans(company)
    truth = truth_of(company, plans=plans, quarters=quarters)
    found = list(check.rows(company, truth=truth))
    parts = [check.split_of(model, plan=plans[model.slug], truth=truth) for model in company.models]
    report.print_tables(found, parts, quarter=quarters[1], say=say)
    report.write(found, parts, folder / "truth.json")
    wrong = [row.what for row in found if not row.is_equal] + [each.model for each in parts if not each.is_right]
    if wrong:
        raise SystemExit(f"The platform's results differ from the true values for: {', '.join(wrong)}.")
    say.done(
        f"{len(found)} totals agree to the cent, {len(parts)} differences are explained by volume, efficiency, price"
    )


def _plans(company: Company) -> dict[str, PlannedMonth]:
    """The projection of each model from its first request."""
    return {
        model.slug: approvals.planned(_requests_of(model).earliest("pk"), model, now=timezone.now())
        for model in company.models
    }


def _requests_of(model: Model) -> QuerySet[ReviewRequest]:
    return ReviewRequest.objects.filter(
        model_version__asset__team__slug=model.team, model_version__asset__slug=model.slug
    )
