"""What comes in, on real rows: mirrored as it stands, each move judged once, differences healed as asked."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from governance.audit.models import AuditEvent
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.rulebook.models import PolicyVersion
from reviews.ticket_sync.actions import receiving as inbound
from reviews.ticket_sync.actions import reconciliation
from reviews.ticket_sync.actions.accounts import link_account
from reviews.tickets import actions as effects
from reviews.tickets.domain.moves import Hint, ReconciliationMode
from reviews.tickets.models import (
    ExternalIdentity,
    Ticket,
    TicketComment,
    TicketMirror,
    TicketMove,
    TicketSite,
    WebhookDelivery,
)
from reviews.tickets.ports import RemoteComment, TicketStatus
from reviews.tickets.queries import mirror as queries
from tests.factories import tickets as sites
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.tickets.audited import issue, judged, linked, moved
from weighbridge.core.errors import Invalid, NotAllowed

MINUTE = timedelta(minutes=1)


@pytest.fixture
def ticket(policy: PolicyVersion, cast: Cast, now: datetime) -> Ticket:
    return linked(cast, now)


def usual(_: object) -> dict[str, str]:
    return STATUSES


def comment(text: str, *, number: str = "1", at: datetime, is_by_us: bool = False) -> RemoteComment:
    return RemoteComment(
        id=number, author_id="ada", author="Ada L", text=text, created_at=at, updated_at=at, is_by_us=is_by_us
    )


def events() -> list[str]:
    return list(AuditEvent.objects.order_by("position").values_list("kind", flat=True))


def told() -> list[str]:
    rows = OutboxMessage.objects.filter(kind="ticket.tell").order_by("pk")
    return [row.payload["text"] for row in rows if row.payload["occasion"] == "refused"]


def test_a_delivery_is_kept_once(ticket: Ticket, now: datetime) -> None:
    said = {"identifier": "a", "hint": Hint("jira:issue_updated", "10001"), "body": b"{}", "ticket": ticket, "now": now}
    assert [inbound.receive(**said), inbound.receive(**said)] == [True, False]
    assert (WebhookDelivery.objects.count(), OutboxMessage.objects.filter(kind="ticket.read").count()) == (1, 1)
    assert events().count("ticket.hinted") == 1
    kept = WebhookDelivery.objects.get()
    empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert (str(kept), kept.event, kept.body_digest) == ("a", "jira:issue_updated", empty)


def test_the_mirror_is_the_issue(ticket: Ticket, now: datetime) -> None:
    first = issue(updated_at=now, comments=(comment("One", at=now), comment("Two", number="2", at=now)))
    assert inbound.update_mirror(ticket=ticket, remote=first, now=now)
    second = issue(updated_at=now + MINUTE, status="Done", key="OPS-7", comments=(comment("Uno", at=now),))
    assert inbound.update_mirror(ticket=ticket, remote=second, now=now + MINUTE)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.key, ticket.remote_id) == ("Done", "OPS-7", "10001")
    assert [row.text for row in TicketComment.objects.all()] == ["Uno"]
    assert not inbound.update_mirror(ticket=ticket, remote=first, now=now + 2 * MINUTE), (
        "an older reading changes nothing"
    )
    assert [row.text for row in TicketComment.objects.all()] == ["Uno"]
    before = len(events())
    assert inbound.update_mirror(ticket=ticket, remote=second, now=now + 3 * MINUTE)
    assert len(events()) == before, "nothing new, nothing said"
    assert TicketMirror.objects.get().read_at == now + 3 * MINUTE


def test_our_comments_are_known_by_their_ids(ticket: Ticket, now: datetime) -> None:
    effects.record_ticket_update(ticket=ticket, status="", note="", comment_id="9", now=now)
    ours = (
        comment("Ours, edited by a person", number="9", at=now),
        comment("[ticket.tell:x]", number="8", at=now, is_by_us=True),
    )
    inbound.update_mirror(ticket=ticket, remote=issue(updated_at=now, comments=ours), now=now)
    assert [(row.remote_id, row.is_ours, row.text) for row in TicketComment.objects.order_by("pk")] == [
        ("9", True, ""),
        ("8", True, ""),
    ]
    inbound.update_mirror(ticket=ticket, remote=issue(updated_at=now + MINUTE), now=now)
    assert TicketComment.objects.count() == 2, "what we wrote stays known"
    assert str(TicketComment.objects.first()) == "MR-1 comment 9"


def test_a_ticket_that_is_gone_is_told_once_and_may_come_back(ticket: Ticket, now: datetime) -> None:
    for _ in range(2):
        inbound.record_gone(ticket=ticket, reason="Deleted.", now=now)
    assert events().count("ticket.gone") == 1
    view = queries.mirror_view(ticket)
    assert view is not None
    assert view.is_gone
    inbound.update_mirror(ticket=ticket, remote=issue(updated_at=now), now=now)
    assert TicketMirror.objects.get().gone_at is None
    assert queries.inbound_statistics(now=now)["gone"] == 0


def test_a_person_known_here_withdraws_and_acknowledges(ticket: Ticket, cast: Cast, now: datetime) -> None:
    link_account(site=sites.a_site(now), user=cast.author, account_id="ada", by=cast.admin, now=now)
    seen = judged(ticket, moved(status="In Progress", author_id="ada", at=now), now)
    gone = judged(ticket, moved(status="Won't Do", author_id="ada", move_id="2", category="done", at=now), now)
    assert [(row.meaning, row.outcome, row.user) for row in (seen, gone)] == [
        ("acknowledge", "done", cast.author),
        ("withdraw", "done", cast.author),
    ]
    ticket.request.refresh_from_db()
    assert (ticket.request.state, told()) == ("withdrawn", [])
    withdrawn = AuditEvent.objects.get(kind="request.withdrawn")
    assert (withdrawn.actor_id, withdrawn.reason) == (str(cast.author.pk), "Moved to Won't Do in Jira.")
    assert {"ticket.acknowledged", "ticket.move_done"} <= set(events())
    assert str(gone) == "MR-1 to Won't Do"
    later = judged(ticket, moved(status="Done", move_id="3", category="done", at=now), now)
    assert later.outcome == "noted", "the review has ended: nothing is left to decide"


def test_a_move_is_judged_once(ticket: Ticket, now: datetime) -> None:
    move = moved(status="Done", category="done", at=now)
    assert judged(ticket, move, now).outcome == "refused"
    assert judged(ticket, move, now) is None
    assert (TicketMove.objects.count(), len(told())) == (1, 1)
    assert told()[0].endswith("Only votes on its page decide it. https://w.test/r/")


def test_a_ticket_that_was_moved_on_withdraws_nothing(ticket: Ticket, cast: Cast, now: datetime) -> None:
    link_account(site=sites.a_site(now), user=cast.author, account_id="ada", by=cast.admin, now=now)
    known = moved(status="Won't Do", author_id="ada", category="done", at=now)
    for move in (known, moved(status="Won't Do", author_id="a stranger", move_id="2", category="done", at=now)):
        row = judged(ticket, move, now, is_last=False)
        assert (row.meaning, row.outcome, row.reason) == (
            "withdraw",
            "noted",
            "The ticket was moved on before Weighbridge read it, so this move changed nothing.",
        )
    assert judged(ticket, known, now) is None, "it was the last one of no read"
    ticket.request.refresh_from_db()
    assert (ticket.request.state, told()) == ("evidence", [])
    assert judged(ticket, replace(known, id="3"), now).outcome == "done"
    ticket.request.refresh_from_db()
    assert ticket.request.state == "withdrawn"


@pytest.mark.parametrize("status", ["Done", "Won't Do", "In Progress"])
def test_our_own_move_stays_ours_when_the_site_signs_in_with_another_account(
    ticket: Ticket, cast: Cast, now: datetime, status: str
) -> None:
    link_account(site=sites.a_site(now), user=cast.author, account_id="us", by=cast.admin, now=now)
    ours = replace(moved(status=status, author_id="us", category="done", at=now), is_by_us=True)
    row = judged(ticket, ours, now)
    assert (row.meaning, row.outcome, row.user, row.reason) == ("none", "noted", None, "")
    before = snapshot()
    assert judged(ticket, replace(ours, is_by_us=False), now) is None
    assert snapshot() == before
    ticket.request.refresh_from_db()
    assert (ticket.request.state, told()) == ("evidence", [])
    view = queries.mirror_view(ticket)
    assert view is None or view.moves == ()


@pytest.mark.parametrize("who", ["nobody", "outsider", "gone"])
def test_whoever_is_not_known_may_not_withdraw(ticket: Ticket, cast: Cast, now: datetime, who: str) -> None:
    user = {"outsider": cast.outsider, "gone": cast.author}.get(who)
    if user is not None:
        link_account(site=sites.a_site(now), user=user, account_id="ada", by=None, now=now)
    if who == "gone":
        cast.author.is_active = False
        cast.author.save()
    row = judged(ticket, moved(status="Won't Do", author_id="" if who == "nobody" else "ada", at=now), now)
    ticket.request.refresh_from_db()
    assert (ticket.request.state, row.outcome, row.user, len(told())) == ("evidence", "refused", None, 1)


def test_a_person_who_may_see_but_not_withdraw_is_refused_by_the_rule(
    ticket: Ticket, cast: Cast, now: datetime
) -> None:
    link_account(site=sites.a_site(now), user=cast.reviewer_one, account_id="ada", by=None, now=now)
    row = judged(ticket, moved(status="Won't Do", author_id="ada", at=now), now)
    ticket.request.refresh_from_db()
    assert (ticket.request.state, row.outcome) == ("evidence", "refused")
    assert "Only the requester, the model's owner or an administrator may withdraw" in told()[0]


def test_who_is_who(cast: Cast, now: datetime) -> None:
    row = link_account(site=sites.a_site(now), user=cast.author, account_id=" ada ", by=cast.admin, now=now)
    assert str(row) == f"{cast.author.pk} ada"
    with pytest.raises(Invalid, match="This account is linked to author; remove that link first"):
        link_account(site=sites.a_site(now), user=cast.finance, account_id="ada", by=cast.admin, now=now)
    with pytest.raises(Invalid, match="at most 128 characters"):
        link_account(site=sites.a_site(now), user=cast.finance, account_id="x" * 129, by=cast.admin, now=now)
    for by in (cast.author, cast.approver):
        with pytest.raises(NotAllowed, match="Only an administrator may manage people"):
            link_account(site=sites.a_site(now), user=cast.finance, account_id="f", by=by, now=now)
    with pytest.raises(NotAllowed, match="your own roles"):
        link_account(site=sites.a_site(now), user=cast.admin, account_id="f", by=cast.admin, now=now)
    assert ExternalIdentity.objects.count() == 1
    assert link_account(site=sites.a_site(now), user=cast.author, account_id="", by=None, now=now) is None
    assert ExternalIdentity.objects.count() == 0


def glance(status: str, at: datetime, *categories: str) -> TicketStatus:
    return TicketStatus(status=status, categories=categories, updated_at=at)


def tell(ticket: Ticket, now: datetime, occasion: str = "in_review") -> None:
    effects.notify_request_ticket(request=ticket.request, occasion=occasion, reason="", by=None, now=now)
    OutboxMessage.objects.filter(kind="ticket.tell").update(state=JobState.DONE)


STATUSES = {"in_review": "In Progress"}


@pytest.mark.parametrize(
    ("mode", "reads", "tells"),
    [(ReconciliationMode.REPORT, 0, 0), (ReconciliationMode.PULL, 1, 0), (ReconciliationMode.PUSH, 0, 1)],
)
def test_a_difference_is_told_pulled_or_pushed(
    ticket: Ticket, now: datetime, mode: ReconciliationMode, reads: int, tells: int
) -> None:
    tell(ticket, now)
    before = OutboxMessage.objects.count()
    found = reconciliation.reconcile(
        site=ticket.site,
        mode=mode,
        seen={"10001": glance("To Do", now, "To Do", "new")},
        statuses=usual,
        now=now,
    )
    assert found.counts == {"compared": 1, "changed": 1, "gone": 0, "astray": 1}
    new = OutboxMessage.objects.order_by("pk")[before:]
    assert [row.kind for row in new] == ["ticket.read"] * reads + ["ticket.tell"] * tells
    last = queries.last_reconciliation(sites.a_site(now))
    assert last is not None
    assert (last.mode, dict(last.counts)) == (mode.value, found.counts)
    TicketSite.objects.update(name="Renamed")
    assert queries.last_reconciliation(TicketSite.objects.get()) == last
    assert queries.last_reconciliation(sites.make_site(now=now)) is None, "a site that has the name now"
    if tells:
        again = reconciliation.reconcile(
            site=ticket.site, mode=mode, seen={"10001": glance("To Do", now)}, statuses=usual, now=now
        )
        assert again.counts["astray"] == 0, "what still waits to be told is not astray"


def test_a_ticket_that_cannot_be_moved_back_is_not_told_so_each_hour(ticket: Ticket, cast: Cast, now: datetime) -> None:
    def push(status: str, at: datetime) -> int:
        """Compare once; the number of new messages to the ticket, which move it nowhere."""
        before = OutboxMessage.objects.filter(kind="ticket.tell").count()
        seen, mode = {"10001": glance(status, at)}, ReconciliationMode.PUSH
        found = reconciliation.reconcile(site=ticket.site, mode=mode, seen=seen, statuses=usual, now=at)
        assert found.counts["astray"] == 1
        sent = OutboxMessage.objects.filter(kind="ticket.tell").exclude(state=JobState.DONE)
        if sent.update(state=JobState.DONE):
            effects.record_ticket_update(ticket=ticket, status="", note="No way there.", now=at + MINUTE)
        return OutboxMessage.objects.filter(kind="ticket.tell").count() - before

    tell(ticket, now)
    hours = [now + hour * timedelta(hours=1) for hour in range(1, 9)]
    assert [push("Blocked", at) for at in hours[:4]] == [1, 0, 0, 0]
    assert [push("Done", hours[4]), push("Blocked", hours[5])] == [1, 1], "it stands elsewhere"
    effects.record_ticket_update(ticket=ticket, status="In Progress", note="", now=hours[5] + 2 * MINUTE)
    assert [push("Blocked", at) for at in hours[6:]] == [1, 0], "it had been moved back, and was moved again"


def test_a_comparison_reads_one_row_for_each_ticket(ticket: Ticket, now: datetime) -> None:
    """However long the tickets of this and of other sites have been updated."""
    for occasion in ("screening", "in_review", "nothing"):
        for _ in range(5):
            tell(ticket, now, occasion)
    row = OutboxMessage.objects.filter(kind="ticket.tell").last()
    for number in range(5):
        row.pk, row.key, row.lane = None, f"other:{number}", f"ticket:MRR-1999-{number:04}"
        row.save()
    counts: list[int] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if "jobs_outboxmessage" in sql:
            counts.append(context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(count):
        seen = {"10001": glance("To Do", now, "To Do", "new")}
        assert queries.differences(site=ticket.site, seen=seen, statuses=usual).counts["astray"] == 1
    assert counts == [1, 0]


def test_what_is_alike_is_no_difference(ticket: Ticket, now: datetime) -> None:
    inbound.update_mirror(ticket=ticket, remote=issue(updated_at=now), now=now)
    tell(ticket, now)
    seen = {"10001": glance("In Review", now, "In Progress", "indeterminate")}
    assert queries.differences(site=ticket.site, seen=seen, statuses=usual).counts == {
        "compared": 1,
        "changed": 0,
        "gone": 0,
        "astray": 0,
    }
    assert queries.differences(site=ticket.site, seen={}, statuses=usual).counts["gone"] == 1
    inbound.record_gone(ticket=ticket, reason="Deleted.", now=now)
    assert queries.differences(site=ticket.site, seen={}, statuses=usual).counts["gone"] == 0
    assert queries.differences(site=ticket.site, seen=seen, statuses=usual).counts["changed"] == 1, "it came back"


def test_people_are_counted_once_and_at_present_sites(cast: Cast, now: datetime) -> None:
    for name in ("Jira", "Other"):
        site = sites.make_site(now=now, name=name)
        ExternalIdentity.objects.create(site=site, user=cast.author, account_id="a")
    assert queries.inbound_statistics(now=now)["linked_people"] == 1
    TicketSite.objects.update(state="removed", credential=None)
    assert queries.inbound_statistics(now=now)["linked_people"] == 0


def test_a_comparison_is_asked_for_once(cast: Cast, now: datetime) -> None:
    site = sites.a_site(now)
    asked = [
        reconciliation.request_reconciliation(site=site, mode=ReconciliationMode.PULL, occasion="x", now=now)
        for _ in range(2)
    ]
    assert asked[0].pk == asked[1].pk
    assert (OutboxMessage.objects.count(), events().count("tickets.reconciliation_requested")) == (1, 1)
    assert queries.last_reconciliation(sites.a_site(now)) is None
