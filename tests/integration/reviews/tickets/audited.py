"""How to call every write about what comes in; `tests/integration/test_every_action_is_audited.py`."""

from collections.abc import Callable, Mapping
from datetime import datetime

from reviews.ticket_sync.actions import accounts, reconciliation
from reviews.ticket_sync.actions import receiving as inbound
from reviews.tickets.domain.moves import MOVES, Hint, ReconciliationMode
from reviews.tickets.models import Ticket
from reviews.tickets.ports import RemoteIssue, RemoteMove, RemoteTicket
from tests.factories import requests as walks
from tests.factories import tickets as sites
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]
REMOTE = RemoteTicket(id="10001", key="MR-1", url="https://jira.test/browse/MR-1", status="To Do")


def linked(cast: Cast, now: datetime) -> Ticket:
    request = walks.make_submitted(by=cast.author, now=now)
    return sites.link(Ticket.objects.get(request=request), remote=REMOTE, now=now)


def moved(
    *, status: str, author_id: str = "someone", move_id: str = "1", category: str = "", at: datetime
) -> RemoteMove:
    return RemoteMove(id=move_id, author_id=author_id, author="Ada L", status=status, category=category, at=at)


def issue(*, updated_at: datetime, **changes: object) -> RemoteIssue:
    fields = {"id": "10001", "key": "MR-1", "url": REMOTE.url, "status": "In Review", "updated_at": updated_at}
    return RemoteIssue(**(fields | changes))


def judged(ticket: Ticket, move: RemoteMove, now: datetime, *, is_last: bool = True) -> object:
    page = "https://w.test/r/"
    return inbound.process_move(
        ticket=ticket, move=move, is_last=is_last, moves=MOVES, decisions=["Done"], page=page, now=now
    )


ACTIONS: Mapping[str, Call] = {
    "reviews.ticket_sync.actions.receiving.receive": lambda cast, now: inbound.receive(
        identifier="a", hint=Hint("e", "10001"), body=b"{}", ticket=linked(cast, now), now=now
    ),
    "reviews.ticket_sync.actions.receiving.record_delivery": lambda cast, now: inbound.record_delivery(
        site=sites.a_site(now), now=now
    ),
    "reviews.ticket_sync.actions.receiving.request_read": lambda cast, now: inbound.request_read(
        ticket=linked(cast, now), occasion="test", now=now
    ),
    "reviews.ticket_sync.actions.receiving.update_mirror": lambda cast, now: inbound.update_mirror(
        ticket=linked(cast, now), remote=issue(updated_at=now), now=now
    ),
    "reviews.ticket_sync.actions.receiving.record_gone": lambda cast, now: inbound.record_gone(
        ticket=linked(cast, now), reason="Deleted.", now=now
    ),
    "reviews.ticket_sync.actions.receiving.process_move": lambda cast, now: judged(
        linked(cast, now), moved(status="Done", at=now), now
    ),
    "reviews.ticket_sync.actions.accounts.link_account": lambda cast, now: accounts.link_account(
        site=sites.a_site(now), user=cast.author, account_id="a", by=cast.admin, now=now
    ),
    "reviews.ticket_sync.actions.accounts.unlink_all": lambda cast, now: accounts.unlink_all(
        site=sites.make_linked_site(cast.author, cast.finance, now=now), by=cast.admin, now=now
    ),
    "reviews.ticket_sync.actions.reconciliation.request_reconciliation": lambda cast, now: (
        reconciliation.request_reconciliation(
            site=sites.a_site(now), mode=ReconciliationMode.REPORT, occasion="test", by=cast.admin, now=now
        )
    ),
    "reviews.ticket_sync.actions.reconciliation.reconcile": lambda cast, now: reconciliation.reconcile(
        site=sites.a_site(now), mode=ReconciliationMode.REPORT, seen={}, statuses=lambda _: {}, now=now
    ),
}
