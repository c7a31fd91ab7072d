"""The database beside the journal: what is lost, doubled, or there by nobody's word; and what budgets add up to."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Sum

from governance.audit.queries import trail
from governance.bills.models import Bill
from governance.budgets.domain.ledger import EntryKind
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import balance_of
from governance.inventory.models import ModelVersion
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import OutboxMessage
from governance.people.approvals.enums import Changed
from governance.people.approvals.models import Change
from reviews.authorizations.models import Authorization
from reviews.discussions.models import CommentText
from reviews.evidence.models import MetricRecord
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket
from reviews.voting.models import Revision, Vote
from tests.promises.writers.journals import Journal
from tests.promises.writers.people import LATER, STATED
from tests.promises.writers.scene import BUDGETS

ZERO = Decimal(0)
WORK = (OutboxMessage, Packet, Bill)


def open_work() -> int:
    """Messages, packets and bills that are not at their end."""
    return sum(model.objects.filter(state__in=UNFINISHED).count() for model in WORK)


def differences(journal: Journal, *, rows: int) -> dict[str, list[Any]]:
    """By subject, a few examples of what the journal says and the database does not, or the reverse."""
    done, filed = journal.done, dict(journal.done["file"])
    votes = Vote.objects.values_list("request__ref", "stage", "person__username")
    stages = Counter((ref, stage) for ref, stage, _ in done["vote"])
    decided = [ref for ref in done["review"] if stages[ref, "technical"] >= 2 and stages[ref, "gpu-budget"] >= 1]
    texts = CommentText.objects.values_list("text", "comment__author__username")
    stated = Counter({ref: len(STATED) for ref in filed}) + Counter(done["state"])
    proposals = Change.objects.filter(kind=Changed.BUDGET)
    bills = Bill.objects.values_list("state", "report__rows_kept")
    pairs: dict[str, tuple[Iterable[Any], Iterable[Any]]] = {
        "requests": (done["file"], ReviewRequest.objects.values_list("ref", "title")),
        "metric values": (stated.elements(), MetricRecord.objects.values_list("request__ref", flat=True)),
        "late values": (
            done["state"],
            MetricRecord.objects.filter(name=LATER[0]).values_list("request__ref", flat=True),
        ),
        "submissions": (
            done["submit"],
            ReviewRequest.objects.filter(submitted_at__isnull=False).values_list("ref", flat=True),
        ),
        "comments": (done["comment"], texts),
        "votes": (done["vote"], votes),
        "revisions": (done["review"], Revision.objects.values_list("request__ref", flat=True)),
        "authorizations": (decided, Authorization.objects.values_list("decision__request__ref", flat=True)),
        "packets": (decided, Packet.objects.filter(state=JobState.DONE).values_list("request__ref", flat=True)),
        "files": (done["upload"], ModelVersion.objects.values_list("digest", flat=True)),
        "tickets": (done["submit"], Ticket.objects.exclude(key="").values_list("request__ref", flat=True)),
        "proposals": (
            done["propose"],
            proposals.values_list("proposed_by__username", flat=True),
        ),
        "bills": ([(JobState.DONE, rows)], bills),
        "unfinished": ([], OutboxMessage.objects.exclude(state=JobState.DONE).values_list("kind", "state", "error")),
        "audit trail": ([], [found for found in [trail.first_broken()] if found]),
    }
    compared = {name: _apart(said, kept) for name, (said, kept) in pairs.items()}
    return {name: apart for name, apart in (compared | _budgets(journal)).items() if apart}


def _apart(said: Iterable[Any], kept: Iterable[Any]) -> list[Any]:
    """Up to five of each side that the other one lacks, counted."""
    one, other = Counter(said), Counter(kept)
    return [f"lost: {x}" for x in list(one - other)[:5]] + [f"nobody's: {x}" for x in list(other - one)[:5]]


def _budgets(journal: Journal) -> dict[str, list[Any]]:
    """What was allocated, reserved and committed, added up here beside the application's own balance."""
    asked: Counter[tuple[str, str]] = Counter()
    for team, unit, amount in journal.done["allocate"]:
        asked[team, unit] += Decimal(amount)
    faults: dict[str, list[Any]] = {"allocations": [], "balances": [], "overdrawn": [], "reservations": []}
    for account in BudgetAccount.objects.select_related("center__team").filter(center__level="team"):
        sums = _sums(account)
        place, balance = (account.center.slug, account.unit), balance_of(account)
        # An approval opens the accounts of later quarters, to which nobody allocates here.
        has_budget = sums["allocate", False] != ZERO
        expected = (BUDGETS[account.unit] + asked[place]) if has_budget else ZERO
        if sums["allocate", False] != expected:
            faults["allocations"].append(f"{account}: {sums['allocate', False]} instead of {expected}")
        reserved = sums["reserve", False] - sums["release", False]
        committed = sums["commit", False] + sums["plan", False] - sums["release", True]
        if (reserved, committed) != (balance.reserved, balance.committed):
            faults["balances"].append(f"{account}: {reserved}, {committed} instead of {balance}")
        if balance.available != sums["allocate", False] - reserved - committed:
            faults["balances"].append(f"{account}: available {balance.available}")
        if has_budget and balance.available < 0:
            faults["overdrawn"].append(f"{account}: {balance.available}")
    holding = LedgerEntry.objects.filter(kind=EntryKind.RESERVE, account__unit="gpu_h")
    kept, successors = holding.values_list("request_ref", flat=True), _successors()
    said = [ref for ref in journal.done["review"] if ref not in successors]
    faults["reservations"] = _apart(said, [ref for ref in kept if ref not in successors])
    return faults


def _successors() -> frozenset[str]:
    """Requests for an artifact that had an authorization already: they reserve only what it has not committed."""
    issued = Authorization.objects.filter(
        issued_at__lt=OuterRef("frozen_at"),
        decision__request__model_version=OuterRef("request__model_version"),
    )
    return frozenset(Revision.objects.filter(Exists(issued)).values_list("request__ref", flat=True))


def _sums(account: BudgetAccount) -> Counter[tuple[str, bool]]:
    rows = LedgerEntry.objects.filter(account=account).values_list("kind", "is_commitment")
    return Counter({(kind, is_commitment): amount for kind, is_commitment, amount in rows.annotate(sum=Sum("amount"))})
