"""The port's promises, kept alike by the twin in memory and by the adapter speaking to the stand-in over HTTP."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.packets.ports import PacketPrinter, PrintFailed
from reviews.tickets.domain.field_values import FieldKind, FieldTarget
from reviews.tickets.jira.flavors import CLOUD, DATA_CENTER
from reviews.tickets.jira.reader import JiraReader
from reviews.tickets.jira.settings import STATUSES, JiraSettings
from reviews.tickets.jira.tracker import JiraTracker
from reviews.tickets.ports import (
    OutcomeUnknown,
    Paragraph,
    RateLimited,
    TicketDraft,
    TicketGone,
    TicketReader,
    TicketTracker,
    TrackerHealth,
    TrackerUnreachable,
    TransitionUnavailable,
    ticket_label,
)
from tests.standins.jira_cloud import JiraCloud
from tests.standins.jira_data_center import JiraDataCenter
from tests.standins.memory_printer import MemoryPrinter
from tests.standins.memory_tracker import MemoryTracker

METHODS = ("open", "find", "comment", "transition", "link", "fill", "attach", "check")
DRAFT = TicketDraft(
    label=ticket_label(instance="test", reference="MRR-2026-0042"),
    summary="Review of sentiment 3.1",
    body=(Paragraph("The policy asks for a review."),),
)
SAYS = (Paragraph("Two reviewers approved."),)


SITES: dict[str, Callable[[], JiraCloud]] = {
    "cloud": JiraCloud,
    "data center 10": JiraDataCenter,
    "data center 9": lambda: JiraDataCenter(version="9.12.2"),
}
TARGETS = {
    "cost_of_year": FieldTarget("customfield_10031", FieldKind.NUMBER),
    "decision": FieldTarget("customfield_10034", FieldKind.OPTION),
    "authorized_until": FieldTarget("customfield_10035", FieldKind.DATE),
    "reference": FieldTarget("customfield_10036", FieldKind.TEXT),
}


@pytest.fixture(params=["memory", *SITES])
def there(request: pytest.FixtureRequest) -> Iterator[tuple[TicketReader, JiraCloud | None]]:
    """A tracker, and the site behind it."""
    if request.param == "memory":
        yield MemoryTracker(), None
        return
    with SITES[request.param]() as jira:
        is_cloud = not isinstance(jira, JiraDataCenter)
        account = {"email": jira.config.email, "flavor": CLOUD} if is_cloud else {"flavor": DATA_CENTER}
        settings = JiraSettings(
            url=jira.url, token=jira.config.token, project="MR", field_map=TARGETS, statuses=("In Review",), **account
        )
        adapter = JiraReader(settings, clock=lambda: datetime(2026, 11, 24, tzinfo=UTC))
        yield adapter, jira
        adapter.close()


@pytest.fixture
def tracker(there: tuple[TicketReader, JiraCloud | None]) -> TicketReader:
    return there[0]


def kept_values(there: tuple[TicketReader, JiraCloud | None]) -> dict[str, object]:
    """What the mapped fields of the only ticket hold, by our names."""
    twin, jira = there
    if jira is None:
        (ticket,) = twin.tickets.values()
        return {name: value for name, value in ticket.values.items() if name in TARGETS}
    (issue,) = jira.issues.issues
    found = {name: issue["fields"].get(target.id) for name, target in TARGETS.items()}
    return {name: value for name, value in found.items() if value is not None}


def kept_files(there: tuple[TicketReader, JiraCloud | None]) -> list[tuple[str, int]]:
    """Name and size in bytes of each file of the only ticket."""
    twin, jira = there
    if jira is None:
        (ticket,) = twin.tickets.values()
        return [(name, len(content)) for name, (content, _) in ticket.files.items()]
    (issue,) = jira.issues.issues
    return [(file["filename"], file["size"]) for file in issue["attachments"]]


@pytest.mark.parametrize("adapter", [JiraTracker, MemoryTracker])
@pytest.mark.parametrize("name", METHODS)
def test_signatures_are_the_ports(adapter: type, name: str) -> None:
    assert inspect.signature(getattr(adapter, name)) == inspect.signature(getattr(TicketTracker, name))


def test_the_port_has_no_other_method() -> None:
    assert {name for name in vars(TicketTracker) if not name.startswith("_")} == set(METHODS)


def test_the_printers_signature_is_the_ports() -> None:
    assert inspect.signature(MemoryPrinter.print) == inspect.signature(PacketPrinter.print)


def test_open_then_find(tracker: TicketTracker) -> None:
    assert tracker.find(DRAFT.label) is None
    opened = tracker.open(DRAFT)
    assert (opened.key, opened.status, opened.duplicates) == ("MR-1", "To Do", ())
    assert opened.url.endswith("/browse/MR-1")
    assert tracker.find(DRAFT.label) == opened


def test_the_oldest_wins(tracker: TicketTracker) -> None:
    first = tracker.open(DRAFT)
    tracker.open(DRAFT)
    tracker.open(replace(DRAFT, label=f"{DRAFT.label}1"))
    assert tracker.find(DRAFT.label) == replace(first, duplicates=("MR-2",))


def test_a_marker_is_written_once(tracker: TicketTracker) -> None:
    ticket = tracker.open(DRAFT)
    first = tracker.comment(ticket.id, SAYS, marker="event-1")
    assert tracker.comment(ticket.id, SAYS, marker="event-1") == first
    assert tracker.comment(ticket.id, SAYS, marker="event-2") != first
    assert tracker.comment(ticket.id, SAYS, marker="event-1", may_exist=False) != first


@pytest.mark.parametrize("target", sorted({*STATUSES.values(), "In Review"}))
def test_every_status_of_the_settings_can_be_reached_and_repeated(tracker: TicketTracker, target: str) -> None:
    ticket = tracker.open(DRAFT)
    assert tracker.transition(ticket.id, target) == target
    assert tracker.transition(ticket.id, target) == target
    assert tracker.find(DRAFT.label).status == target


def test_no_way_is_told_and_nothing_moves(tracker: TicketTracker) -> None:
    ticket = tracker.open(DRAFT)
    with pytest.raises(TransitionUnavailable, match="no transition from To Do to Escalated"):
        tracker.transition(ticket.id, "Escalated")
    assert tracker.find(DRAFT.label).status == "To Do"


def test_links_may_be_repeated(tracker: TicketTracker) -> None:
    ticket = tracker.open(DRAFT)
    for _ in range(2):
        assert tracker.link(ticket.id, url="http://localhost/", title="MRR-2026-0042", global_id="one") is None


def test_no_ticket_is_gone_for_every_method(tracker: TicketTracker) -> None:
    for attempt in (
        lambda: tracker.comment("404", SAYS, marker="event-1"),
        lambda: tracker.transition("404", "Done"),
        lambda: tracker.link("404", url="http://localhost/", title="x", global_id="y"),
        lambda: tracker.fill("404", {"reference": "x"}),
        lambda: tracker.attach("404", name="x.pdf", content=b"x", media_type="application/pdf"),
    ):
        with pytest.raises(TicketGone):
            attempt()


def test_fields_are_filled_and_may_be_filled_again(
    there: tuple[TicketReader, JiraCloud | None], tracker: TicketTracker
) -> None:
    is_twin = there[1] is None
    values = {"cost_of_year": Decimal("1525.50"), "authorized_until": date(2027, 3, 1), "reference": "MRR-2026-0042"}
    ticket = tracker.open(replace(DRAFT, values=(*values.items(), ("tier", "T2"))))
    sent = {"cost_of_year": 1525.5, "authorized_until": "2027-03-01", "reference": "MRR-2026-0042"}
    assert kept_values(there) == (values if is_twin else sent)
    for decision in ("Rejected", "Approved", "Approved"):
        assert tracker.fill(ticket.id, values | {"decision": decision, "unknown": "x"}) is None
    assert tracker.fill(ticket.id, {"unknown": "x"}) is None
    decided = {"decision": "Approved" if is_twin else {"value": "Approved"}}
    assert kept_values(there) == (values if is_twin else sent) | decided
    tracker.fill(ticket.id, dict.fromkeys(["authorized_until", "decision", "unknown"]))
    assert set(kept_values(there)) == {"cost_of_year", "reference"}


def test_a_file_is_attached_once(there: tuple[TicketReader, JiraCloud | None], tracker: TicketTracker) -> None:
    ticket = tracker.open(DRAFT)
    for content in (b"%PDF-1.7", b"%PDF-1.7 again"):
        tracker.attach(ticket.id, name="MRR-2026-0042-v1.pdf", content=content, media_type="application/pdf")
    tracker.attach(ticket.id, name="MRR-2026-0042-v2.pdf", content=b"%PDF", media_type="application/pdf")
    assert kept_files(there) == [("MRR-2026-0042-v1.pdf", 8), ("MRR-2026-0042-v2.pdf", 4)]


def test_what_was_written_is_read(tracker: TicketReader) -> None:
    ticket = tracker.open(DRAFT)
    tracker.comment(ticket.id, SAYS, marker="ticket.tell:event-1")
    tracker.transition(ticket.id, "In Review")
    found = tracker.read(ticket.id)
    assert (found.key, found.status) == (ticket.key, "In Review")
    assert [(comment.is_by_us, "[ticket.tell:event-1]" in comment.text) for comment in found.comments] == [(True, True)]
    assert {move.is_by_us for move in found.moves} <= {True}
    seen = tracker.read_statuses([ticket.id, "404"])
    assert {key: status.status for key, status in seen.items()} == {ticket.id: "In Review"}
    assert tracker.read_statuses([]) == {}


def test_check_answers(tracker: TicketTracker) -> None:
    health = tracker.check()
    assert health.ok
    assert all(step.ok for step in health.steps)


class TestMemoryFaults:
    """The twin fails as ordered, so that the outbox can be tested without a network."""

    def test_instead_of_the_effect(self) -> None:
        tracker = MemoryTracker()
        tracker.fail_next(RateLimited("Slow down.", retry_after_s=3.0), times=2)
        for _ in range(2):
            with pytest.raises(RateLimited):
                tracker.open(DRAFT)
        assert tracker.tickets == {}
        assert tracker.open(DRAFT).key == "MR-1"
        assert tracker.calls == ["open", "open", "open"]

    def test_after_the_effect(self) -> None:
        tracker = MemoryTracker()
        tracker.fail_next(OutcomeUnknown("The answer was lost.", settle_s=1.0), after_commit=True)
        with pytest.raises(OutcomeUnknown):
            tracker.open(DRAFT)
        assert tracker.find(DRAFT.label).key == "MR-1"
        assert len(tracker.tickets) == 1

    def test_search_that_lags(self) -> None:
        tracker = MemoryTracker()
        tracker.indexes_at_once = False
        tracker.open(DRAFT)
        assert tracker.find(DRAFT.label) is None
        tracker.index()
        assert tracker.find(DRAFT.label) is not None

    def test_health_and_kept_words(self) -> None:
        tracker = MemoryTracker()
        tracker.health = TrackerHealth(ok=False, sentence="Down.")
        ticket = tracker.open(DRAFT)
        tracker.comment(ticket.id, SAYS, marker="event-1")
        tracker.link(ticket.id, url="http://localhost/", title="x", global_id="y")
        assert tracker.check() == TrackerHealth(ok=False, sentence="Down.", account="")
        assert [comment.blocks for comment in tracker.tickets[ticket.id].comments] == [SAYS]
        assert tracker.tickets[ticket.id].links == {"y": ("http://localhost/", "x")}

    def test_the_printer(self) -> None:
        printer = MemoryPrinter()
        assert printer.print("<p>", assets={"a": b"1"}) == b"%PDF-1.7\n<p>"
        assert printer.printed == [("<p>", {"a": b"1"})]
        printer.failure = PrintFailed("No fonts are installed.")
        with pytest.raises(PrintFailed, match="No fonts"):
            printer.print("<p>", assets={})


class TestWords:
    """The port's own small rules."""

    @pytest.mark.parametrize(
        ("instance", "reference", "label"),
        [
            ("live", "MRR-2026-0042", "weighbridge-live-mrr-2026-0042"),
            ("Acme", "MRR-2026-0042", "weighbridge-acme-mrr-2026-0042"),
            ("a b", "X1", "weighbridge-a-b-c8687a08-x1"),
            ("a-b", "X1", "weighbridge-a-b-x1"),
            ("é", "X1", "weighbridge-4a99557e-x1"),
        ],
    )
    def test_labels(self, instance: str, reference: str, label: str) -> None:
        assert ticket_label(instance=instance, reference=reference) == label

    @given(st.text(max_size=300), st.text(max_size=300))
    def test_any_name_makes_a_label_jira_takes(self, instance: str, reference: str) -> None:
        label = ticket_label(instance=instance, reference=reference)
        assert len(label) <= 255
        assert set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")

    @given(st.text(max_size=20), st.text(max_size=20))
    def test_two_instances_never_share_a_label(self, one: str, other: str) -> None:
        same = one.lower() == other.lower()
        assert (ticket_label(instance=one, reference="X") == ticket_label(instance=other, reference="X")) is same

    def test_rate_limited_is_a_kind_of_unreachable(self) -> None:
        assert issubclass(RateLimited, TrackerUnreachable)
        assert RateLimited("Slow down.").retry_after_s is None
