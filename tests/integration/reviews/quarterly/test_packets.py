"""The quarterly packet: issued once at the cut-off, drawn by sections, drawn again only where something changed, never
altered.
"""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.files.storage import storages
from django.db import DatabaseError, connection, transaction
from pypdf import PdfReader
from rest_framework.test import APIClient

from governance.budgets.actions import budgets
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.inventory.models import ModelAsset
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.people.models import Team
from reviews.packets.printing import pdf_sections
from reviews.packets.printing.pdf_sections import SectionPrinter
from reviews.quarterly import tasks as quarterly
from reviews.quarterly.actions import action_items, agenda, cycles, quarterly_packets
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.packet import ApprovedRow, read_quarterly_packet
from reviews.quarterly.domain.printed.leadership import leadership_of
from reviews.quarterly.models import CyclePacket, RenderedSection, ReviewCycle
from reviews.quarterly.queries.meeting import invitees
from reviews.quarterly.queries.quarterly_packet import packet_of
from reviews.requests.models import ReviewRequest
from tests.factories.cycles import make_action, make_cycle, make_frozen, make_held, make_kpi, met_at, next_quarter
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.reviews.quarterly.test_cycle import refused
from tests.integration.reviews.quarterly.test_pages import entered, said
from tests.threads import together
from weighbridge.core.errors import NotAllowed, WrongState

pytestmark = pytest.mark.django_db


@pytest.fixture
def asset(cast: Cast, now: datetime) -> ModelAsset:
    return make_version(by=cast.author, now=now).asset


class Press:
    """A printer that counts what it is asked to print, and fails on demand."""

    printed: list[str] = []
    fails = False

    def __init__(self, *, processes: int) -> None:
        assert processes in {1, 2}

    def print(self, sheets: object, *, shared: object, on_printed: Callable[[str, bytes], None]) -> None:
        for sheet in sheets:
            self.printed.append(sheet.html)
            if self.fails and len(self.printed) == 2:
                raise pdf_sections.PrintFailed(f"The section {sheet.key}: out of ink.")
            on_printed(sheet.key, PAGE)


def _page() -> bytes:
    from pypdf import PdfWriter

    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(out)
    return out.getvalue()


PAGE = _page()


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch) -> type[Press]:
    Press.printed, Press.fails = [], False
    monkeypatch.setattr(quarterly, "SectionPrinter", Press)
    monkeypatch.setattr(quarterly, "framed", _framed)
    return Press


def _framed(packet: object, *, digest: str, drawn: list[object], folder: Path, tell: object) -> tuple[Path, int]:
    (folder / "whole").write_bytes(PAGE)
    return folder / "whole", len(drawn)


def content_of(packet: CyclePacket) -> bytes:
    with storages["artifacts"].open(packet.stored_as) as file:
        return bytes(file.read())


def drawn(packet: CyclePacket) -> CyclePacket:
    quarterly.render_cycle_packet(packet.pk)
    packet.refresh_from_db()
    return packet


def test_the_tick_issues_one_packet_at_the_cut_off(cast: Cast, now: datetime) -> None:
    cycle = make_frozen(now=now)
    for _ in range(3):
        quarterly.turn_quarters(cycle.cut_off_at)
    packet = CyclePacket.objects.get()
    assert (packet.number, packet.state, packet.cycle) == (1, "queued", cycle)
    refused(
        lambda: quarterly_packets.issue(cycle=make_cycle(now=next_quarter(now)), by=cast.approver, now=now),
        WrongState,
        "only after the cut-off of",
    )
    refused(lambda: quarterly_packets.issue(cycle=cycle, by=cast.auditor, now=now), NotAllowed, "Only a platform lead")


def test_a_packet_is_printed_for_true_and_reads_as_issued(cast: Cast, asset: ModelAsset, now: datetime) -> None:
    make_kpi(asset=asset, by=cast.author, now=now)
    budgets.allocate(
        holder=Team.objects.get(slug="search"),
        quarter=make_cycle(now=now).quarter,
        unit=BudgetUnit.USD,
        amount=Decimal(5000),
        key="k",
        by=cast.finance,
        now=now,
    )
    ModelAsset.objects.filter(pk=asset.pk).update(owner=cast.outsider)
    cycle = make_frozen(now=now)
    packet = drawn(quarterly_packets.issue(cycle=cycle, by=None, now=now))
    assert (packet.state, packet.error) == (JobState.DONE, "")
    content = content_of(packet)
    reader = PdfReader(io.BytesIO(content))
    assert len(reader.pages) == packet.pages == packet.pages_done
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    for words in ("5,000", "Visual search", "Conversion of searches", "Model without owner", "Method and sources"):
        assert words in text
    assert [each.title for each in reader.outline if not isinstance(each, list)][:2] == [
        f"The quarter {cycle.quarter}",
        "Agenda",
    ]
    again = drawn(quarterly_packets.issue(cycle=cycle, by=cast.approver, now=now))
    assert again.pdf_digest == packet.pdf_digest
    assert RenderedSection.objects.count() == packet.sections_total


def test_an_approval_taken_off_the_agenda_still_counts(cast: Cast, decided: ReviewRequest, now: datetime) -> None:
    cycle = make_frozen(now=now)
    for item in cycle.items.filter(kind=AgendaKind.NEW_INVESTMENT):
        agenda.remove(item=item, reason="Known already.", by=cast.approver, now=now)
    packet = packet_of(cycle, now=cycle.cut_off_at)
    model = f"search/{decided.model_version.asset.slug}"
    assert AgendaKind.NEW_INVESTMENT.words not in {row.kind for row in packet.agenda}
    assert (packet.approved, packet.rejected) == ((ApprovedRow(ref=decided.ref, title=decided.title, model=model),), ())
    taken = next(topic.sentences for topic in leadership_of(packet) if topic.title == "Decisions taken")
    assert taken[0] == f"1 investment was approved: {decided.title}."


def test_later_edits_change_no_byte_of_an_issued_packet(
    cast: Cast, asset: ModelAsset, press: type[Press], now: datetime
) -> None:
    cycle = make_frozen(now=now)
    packet = drawn(quarterly_packets.issue(cycle=cycle, by=None, now=now))
    before = (packet.document_digest, packet.pdf_digest, content_of(packet))
    ModelAsset.objects.update(name="Renamed")
    User.objects.update(first_name="Somebody", last_name="Else")
    make_kpi(asset=asset, by=cast.author, now=now)
    RenderedSection.objects.all().delete()
    packet.refresh_from_db()
    assert "Renamed" not in str(packet.document)
    assert (packet.document_digest, packet.pdf_digest, content_of(packet)) == before
    for change in ("document = '{}'", "document_digest = 'x'", "pdf_digest = 'x'", "stored_as = 'x'"):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            connection.cursor().execute(f"UPDATE quarterly_cyclepacket SET {change}")
    second = quarterly_packets.issue(cycle=cycle, by=cast.approver, now=now)
    assert second.number == 2
    assert second.document_digest != packet.document_digest


def test_only_what_changed_is_drawn_again(cast: Cast, press: type[Press], now: datetime) -> None:
    for number in range(12):
        make_version(by=cast.author, now=now, slug=f"model-{number}")
    cycle = make_frozen(now=now)
    first = drawn(quarterly_packets.issue(cycle=cycle, by=None, now=now))
    assert first.sections_done == first.sections_total == len(press.printed)
    assert first.sections_total == RenderedSection.objects.count() >= 3
    press.printed.clear()
    ModelAsset.objects.filter(slug="model-3").update(name="Another name")
    second = drawn(quarterly_packets.issue(cycle=cycle, by=cast.approver, now=now))
    assert second.state == JobState.DONE
    assert sum("Another name" in html for html in press.printed) >= 1
    assert len(press.printed) <= 2  # the section of its page, and that of the agenda, where it is named


def test_a_failure_has_a_reason_and_a_retry_draws_the_rest(
    cast: Cast, asset: ModelAsset, press: type[Press], now: datetime
) -> None:
    for number in range(8):
        make_version(by=cast.author, now=now, slug=f"model-{number}")
    cycle = make_frozen(now=now)
    press.fails = True
    packet = drawn(quarterly_packets.issue(cycle=cycle, by=None, now=now))
    title = quarterly.pages.sections(packet)[1].title
    assert (packet.state, packet.error) == (JobState.FAILED, f"The section “{title}”: out of ink.")
    assert (packet.sections_done, RenderedSection.objects.count()) == (1, 1)
    lead, base = entered(cast.approver), f"/cycles/{cycle.quarter}/packets/"
    assert "out of ink" in said(lead, base)[1]
    assert said(lead, f"{base}1/pdf/")[0] == 409
    assert said(lead, f"{base}1/retry/", {})[0] == 302
    press.fails = False
    assert drawn(packet).state == JobState.DONE
    assert len(press.printed) == packet.sections_total + 1  # one was drawn before, one failed
    assert said(lead, f"{base}1/retry/", {})[0] == 409


def test_a_worker_that_lost_its_packet_writes_nothing(
    cast: Cast, asset: ModelAsset, press: type[Press], now: datetime
) -> None:
    cycle = make_frozen(now=now)
    packet = quarterly_packets.issue(cycle=cycle, by=None, now=now)
    held = CyclePacket.claim(pk=packet.pk, now=now, lease=timedelta(minutes=1))
    assert held is not None
    CyclePacket.objects.update(fence=9)
    assert quarterly_packets.start_rendering(packet=held, digests=["a"], now=now) == set()
    assert not quarterly_packets.store_sections(packet=held, drawn={}, done=1, now=now)
    assert not quarterly_packets.store_pdf(packet=held, pdf=io.BytesIO(PAGE), pages=1, now=now)
    assert not jobs.fail(row=held, reason="x", now=now)
    CyclePacket.objects.update(attempts=3, state=JobState.CLAIMED, lease_until=now - timedelta(minutes=1))
    (dead,) = jobs.mark_dead(model=CyclePacket, now=now)
    assert (
        dead.error == "The worker stopped responding 3 times while rendering the packet; the machine may lack memory."
    )
    quarterly.render_cycle_packet(packet.pk)
    assert press.printed == []


def test_a_packet_given_to_another_while_it_is_drawn(
    cast: Cast, asset: ModelAsset, press: type[Press], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = quarterly_packets.issue(cycle=make_frozen(now=now), by=None, now=now)

    def lose(self: Press, sheets: object, *, on_printed: Callable[[str, bytes], None], **_: object) -> None:
        CyclePacket.objects.update(fence=9)
        on_printed("sha256:a", PAGE)

    monkeypatch.setattr(press, "print", lose)
    assert drawn(packet).state == JobState.CLAIMED
    CyclePacket.objects.update(state=JobState.QUEUED, attempts=0)
    monkeypatch.setattr(press, "print", lambda self, sheets, **_: None)
    assert drawn(packet).error == "Rendered sections were deleted before they were merged; render the packet again."


@pytest.mark.usefixtures("with_mail")
def test_whoever_is_invited_has_one_letter(cast: Cast, asset: ModelAsset, press: type[Press], now: datetime) -> None:
    ModelAsset.objects.update(owner=cast.outsider)
    cycle = make_frozen(now=now)
    packet = quarterly_packets.issue(cycle=cycle, by=None, now=now)
    refused(
        lambda: quarterly_packets.invite(packet=packet, by=cast.approver, now=now), WrongState, "when its PDF is ready"
    )
    drawn(packet)
    assert [user.username for user in invitees(cycle)] == ["approver", "product"]
    assert quarterly_packets.invite(packet=packet, by=cast.approver, now=now) == 2
    letters = OutboxMessage.objects.filter(kind="cycle.invite")
    assert letters.count() == 2
    for row in letters:
        outbox.deliver(pk=row.pk, now=row.next_attempt_at + timedelta(seconds=1))
    assert sorted(each.to[0] for each in mail.outbox) == ["approver@example.org", "product@example.org"]
    body = str(mail.outbox[0].body)
    assert mail.outbox[0].subject == f"Performance & Cost Review {cycle.quarter}: agenda and pre-read"
    assert "1. Model without owner: Visual search" in body
    assert f"https://weighbridge.test/cycles/{cycle.quarter}/packets/1/" in body
    assert packet.document_digest in body


def test_nobody_is_invited_to_a_meeting_that_was_held(cast: Cast, press: type[Press], now: datetime) -> None:
    cycle = make_held(cast=cast, now=now)
    packet = drawn(quarterly_packets.issue(cycle=cycle, by=None, now=now))
    assert packet.state == JobState.DONE
    assert not OutboxMessage.objects.filter(kind="cycle.invite").exists()


def test_page_and_packet_follow_the_latest_meeting_that_was_held(
    cast: Cast, asset: ModelAsset, press: type[Press], now: datetime
) -> None:
    item = make_action(cast=cast, now=now, asset=asset)
    action_items.finish(item=item, outcome="The owner is named.", by=item.owner, now=met_at(now))
    never_held = make_frozen(now=next_quarter(now))
    cycle = make_frozen(now=next_quarter(now, 2))
    assert (never_held.held_at, never_held.quarter < cycle.quarter) == (None, True)
    packet = drawn(quarterly_packets.issue(cycle=cycle, by=None, now=now))
    assert [row.ref for row in read_quarterly_packet(packet.document).followed] == [item.ref]
    assert item.ref in said(entered(cast.auditor), f"/cycles/{cycle.quarter}/")[1]


@pytest.mark.usefixtures("with_mail")
def test_pages_files_and_the_difference_to_the_quarter_before(
    cast: Cast, asset: ModelAsset, press: type[Press], now: datetime
) -> None:
    item = make_action(cast=cast, now=now, asset=asset)
    first = ReviewCycle.objects.get()
    drawn(quarterly_packets.issue(cycle=first, by=cast.approver, now=met_at(now)))
    cycles.close(cycle=first, by=cast.approver, now=met_at(now))
    budgets.allocate(
        holder=Team.objects.get(slug="search"),
        quarter=str(Quarter.of(now).next),
        unit=BudgetUnit.USD,
        amount=Decimal(5000),
        key="k",
        by=cast.finance,
        now=now,
    )
    cycle = make_frozen(now=next_quarter(now))
    packet = drawn(quarterly_packets.issue(cycle=cycle, by=None, now=now))
    told = read_quarterly_packet(packet.document)
    assert [(row.ref, row.state) for row in told.followed] == [(item.ref, "open")]
    assert ("Allocated", "0.00 USD", "5,000.00 USD") in [(row.what, row.before, row.after) for row in told.changes]
    reader, base = entered(cast.auditor), f"/cycles/{cycle.quarter}/packets/"
    assert said(reader, f"/cycles/{cycle.quarter}/")[0] == 200
    status, page = said(reader, f"{base}1/")
    assert (status, item.ref in page, "5,000.00" in page) == (200, True, True)
    assert reader.get(f"{base}1/document/")["X-Content-Digest"] == packet.document_digest
    answer = reader.get(f"{base}1/pdf/")
    assert (answer.getvalue(), answer["X-Content-Digest"]) == (content_of(packet), packet.pdf_digest)
    assert b"spend" in reader.get(f"{base}1/appendix.csv").content
    assert reader.get(f"{base}1/appendix.xlsx").status_code == 200
    svg = reader.get(f"{base}1/charts/spend/")
    assert (svg["Content-Type"], "sandbox" in svg["Content-Security-Policy"]) == ("image/svg+xml", True)
    assert said(reader, f"{base}1/charts/nothing/")[0] == 404
    assert said(reader, f"{base}9/")[0] == 404
    assert said(reader, f"{base}issue/", {})[0] == 403
    lead = entered(cast.product)
    assert said(lead, f"{base}issue/", {})[0] == 302
    assert said(lead, f"{base}1/invitations/", {})[0] == 302
    assert "Packet 2" in said(lead, base)[1]


def test_drawn_sections_nobody_uses_are_forgotten(
    cast: Cast, asset: ModelAsset, press: type[Press], now: datetime
) -> None:
    drawn(quarterly_packets.issue(cycle=make_frozen(now=now), by=None, now=now))
    assert quarterly_packets.delete_unused_sections(now=now) == 0
    count = RenderedSection.objects.count()
    assert quarterly_packets.delete_unused_sections(now=now + timedelta(days=201)) == count
    assert SectionPrinter().processes == 2


def test_a_program_issues_follows_and_fetches_a_packet(
    cast: Cast, asset: ModelAsset, press: type[Press], api: Callable[[User | None], APIClient], now: datetime
) -> None:
    cycle, lead = make_frozen(now=now), api(cast.approver)
    base = f"/api/v1/cycles/{cycle.quarter}/packets/"
    issued = lead.post(base, {}, format="json")
    assert (issued.status_code, issued.json()["state"], issued.json()["document"]["quarter"]) == (
        201,
        "queued",
        cycle.quarter,
    )
    assert lead.get(f"{base}1/pdf/").status_code == 409
    assert lead.post(f"{base}1/retry/", {}, format="json").status_code == 409
    packet = drawn(CyclePacket.objects.get())
    answer = lead.get(f"{base}1/pdf/")
    assert (answer.getvalue(), answer["X-Content-Digest"]) == (content_of(packet), packet.pdf_digest)
    assert lead.get(f"{base}1/appendix.csv").status_code == 200
    assert lead.get(f"{base}7/pdf/").status_code == 404
    (told,) = lead.get(base).json()
    assert (told["state"], told["sections_done"], told["sections_total"]) == (
        "done",
        told["sections_total"],
        packet.sections_total,
    )
    assert api(cast.auditor).post(base, {}, format="json").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_ticks_at_the_same_moment_issue_one_packet(cast: Cast, now: datetime, asset: ModelAsset) -> None:
    cycle = make_frozen(now=now)
    answers = together([lambda: quarterly_packets.issue_due(now=now)] * 4)
    (packet,) = CyclePacket.objects.all()
    assert (packet.cycle, packet.number) == (cycle, 1)
    assert sorted(answers, key=len) == [[], [], [], [packet]]
    assert quarterly_packets.issue_due(now=now) == []
