"""Other work in an inbox: changes, quarterly reviews, action items, failed benchmarks and deliveries."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Count, Min, Q
from django.urls import reverse

from benchmarking.runs.models import Run
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import check_confirm
from governance.people.approvals.models import Change
from governance.people.approvals.queries import waits_for
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from governance.people.rules import may, may_operate
from reviews.inbox.domain import LISTED_MAX, InboxBatch, InboxEntry, InboxKind, end_of
from reviews.inbox.queries.away import is_away
from reviews.quarterly.domain.action_items import ActionState
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.models import ActionItem, ReviewCycle
from reviews.quarterly.queries.action_items import open_action_items
from reviews.quarterly.queries.meeting import undecided_items
from reviews.quarterly.rules import may_lead_meeting

CYCLE_STEPS = {
    CycleState.COLLECTING: "Collect the metric values before the cut-off, and check the agenda.",
    CycleState.FROZEN: "Read the packet, then open the meeting.",
    CycleState.HELD: "Decide the remaining agenda items, then close the meeting.",
}
STUCK = (JobState.DEAD, JobState.PAUSED)
FAILED = (JobState.DEAD, JobState.FAILED)
RECENT = timedelta(days=14)
"""A failed benchmark stays in the inbox so long, unless it is run again."""


Confirmers = Callable[[Change], Sequence[User]]
"""`confirmers`, which reads those of a change once and remembers them."""


def changes(rows: Iterable[Change], *, person: Person, absent: Set[int], people: Confirmers) -> Iterator[InboxEntry]:
    """The changes by two people that this person can confirm, of the open ones that they see.

    Those that nobody who is there can confirm stand with who proposed them, and with operators.
    """
    may_confirm, operates = may(check_confirm), may_operate(person)
    for row in rows:
        if may_confirm(person, row):
            # Whoever is named as owner accepts for themselves; any other change is read and decided on its page.
            batch = InboxBatch.ACCEPT if row.kind == Changed.OWNER else None
            yield _change(row, f"Confirm or refuse what {name_of(row.proposed_by)} proposed.", batch)
        elif (operates or row.proposed_by_id == person.id) and _are_away(people(row), absent):
            yield _change(row, _why_stuck(row, people(row)))


def proposals(rows: Iterable[Change], *, person: Person, absent: Set[int], people: Confirmers) -> Iterator[InboxEntry]:
    """The open changes that this person proposed, and that somebody who is there can confirm."""
    for row in rows:
        if row.proposed_by_id == person.id and not _are_away(people(row), absent):
            yield _change(row, f"Waiting for {waits_for(row, people=people(row))}.")


def _are_away(people: Sequence[User], absent: Set[int]) -> bool:
    return all(user.pk in absent for user in people)


def _why_stuck(row: Change, people: Sequence[User]) -> str:
    who, are = waits_for(row, people=people), "is" if len(people) == 1 else "are"
    return f"Only {who} can confirm it, who {are} absent." if people else who


def _change(row: Change, step: str, batch: InboxBatch | None = None) -> InboxEntry:
    path = reverse("governance:change", args=[row.pk])
    return InboxEntry(
        kind=InboxKind.CHANGE,
        ref=str(row),
        title=row.description,
        path=path,
        step=step,
        since=row.proposed_at,
        ends_at=row.expires_at,
        batch=batch,
    )


def quarterly_reviews(person: Person) -> Iterator[InboxEntry]:
    """The reviews under way, for those who may lead them."""
    rows = ReviewCycle.objects.filter(state__in=list(CYCLE_STEPS)) if may_lead_meeting(person) else ()
    for row in rows:
        state = CycleState(row.state)
        yield InboxEntry(
            kind=InboxKind.REVIEW,
            ref=row.quarter,
            title=f"Review of {row.quarter}",
            path=reverse("reviews:cycle", args=[row.quarter]),
            step=CYCLE_STEPS[state],
            since=_begun_at(row),
            ends_at=row.cut_off_at if state is CycleState.COLLECTING else None,
            note=_undecided(row) if state is CycleState.HELD else "",
            state=state.value,
        )


def _undecided(row: ReviewCycle) -> str:
    count = undecided_items(row).count()
    return "1 agenda item is undecided" if count == 1 else f"{count} agenda items are undecided"


def _begun_at(row: ReviewCycle) -> datetime:
    """When the review came into its state, which made the step the next one."""
    if row.state == CycleState.COLLECTING:
        return row.collecting_at
    return row.held_at or row.cut_off_at


def action_items(person: Person, *, absent: Set[int]) -> Iterator[InboxEntry]:
    """The open action items of this person in all quarters; for those who lead also those whose owner is away."""
    concerned = Q(owner=person.id)
    if may_lead_meeting(person):
        concerned |= is_away("owner", absent=absent)
    for row in open_action_items(concerned)[:LISTED_MAX]:
        is_new = row.owner_id == person.id and row.state == ActionState.OPEN
        yield _action_item(row, _step_of(row, person), InboxBatch.ACKNOWLEDGE if is_new else None)


def _step_of(row: ActionItem, person: Person) -> str:
    if row.owner_id != person.id:
        return f"{name_of(row.owner)} is absent or has no account. Close it when it is done, or drop it."
    return "Acknowledge it, or close it." if row.state == "open" else "Close it when it is done."


def _action_item(row: ActionItem, step: str, batch: InboxBatch | None) -> InboxEntry:
    words, item = DecisionKind(row.decision.kind).words, row.decision.item
    return InboxEntry(
        kind=InboxKind.ACTION_ITEM,
        ref=row.ref,
        title=f"{words[:1].upper()}{words[1:]}: {item.title}",
        path=reverse("reviews:action", args=[row.ref]),
        step=step,
        since=row.opened_at,
        ends_at=end_of(row.due_on),
        note=f"review of {item.cycle.quarter}",
        state=row.state,
        batch=batch,
    )


def failed_runs(person: Person, *, now: datetime) -> Iterator[InboxEntry]:
    """The benchmarks that this person started outside a request, that failed lately and were not run again."""
    rows = Run.objects.filter(started_by_id=person.id, asked_for="", state__in=FAILED, finished_at__gt=now - RECENT)
    for row in rows.filter(repetitions=None).select_related("model_version__asset").order_by("-pk")[:LISTED_MAX]:
        yield InboxEntry(
            kind=InboxKind.RUN,
            ref=f"Run {row.pk}",
            title=f"{row.model_version}: the benchmark failed",
            path=reverse("benchmarking:run", args=[row.pk]),
            step=row.error or "Read why it failed, and run it again.",
            since=row.finished_at or row.created_at,
        )


def failed_deliveries(person: Person) -> Iterator[InboxEntry]:
    """Messages to other systems that failed, by kind and reason, for operators."""
    rows = OutboxMessage.objects.filter(state__in=STUCK) if may_operate(person) else OutboxMessage.objects.none()
    grouped = rows.values("kind", "state", "error").annotate(count=Count("pk"), since=Min("created_at"))
    for row in grouped.order_by("-count", "kind")[:LISTED_MAX]:
        yield InboxEntry(
            kind=InboxKind.DELIVERY,
            ref="",
            title=f"{_failed(row['count'])}: {row['kind'].replace('.', ' ').replace('_', ' ')}",
            path=reverse("governance:integrations"),
            step=row["error"] or "Read why it failed, and retry it.",
            since=row["since"],
            state=row["state"],
        )


def _failed(count: int) -> str:
    return "1 delivery failed" if count == 1 else f"{count} deliveries failed"
