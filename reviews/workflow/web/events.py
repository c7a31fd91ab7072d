"""The audit trail of a request as sentences, for readers who do not know the names of events."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reviews.packets.domain.packet_trail import AuditRow

EVENT_TEXTS = {
    "request.created": "filed the request as a draft",
    "request.edited": "changed the draft",
    "request.screening": "submitted the request; policy and checklist are fixed",
    "request.cleared": "cleared the request",
    "request.evidence": "opened the evidence",
    "request.in_review": "requested the review",
    "request.changes_requested": "sent the request back for changes",
    "request.decided": "closed the review",
    "request.withdrawn": "withdrew the request",
    "request.expired": "expired the request",
    "request.extended": "extended the deadline",
    "request.policy_evaluated": "evaluated the policy",
    "request.revised": "opened the next revision; earlier votes are void",
    "rule.waived": "waived a rule",
    "revision.frozen": "froze the revision",
    "metric_value.stated": "stated a metric value",
    "evidence.measured": "took measurements as evidence",
    "evidence.refused": "refused a run as evidence",
    "benchmark.not_possible": "could not start the benchmarks",
    "checklist.answered": "answered a checklist item",
    "contradiction.answered": "explained a contradicted claim",
    "vote.cast": "voted",
    "reminder.made": "reminded a person",
    "reminder.escalated": "told a platform lead that the request had waited for too long",
    "decision.approved": "approved",
    "decision.approved_with_conditions": "approved with conditions",
    "decision.rejected": "rejected",
    "ticket.wanted": "requested a ticket",
    "ticket.told": "queued an update of the ticket",
    "ticket.not_wanted": "updated no ticket, because there is none",
    "ticket.linked": "linked the ticket",
    "ticket.updated": "updated the ticket",
    "ticket.mirrored": "read the ticket again",
    "ticket.read_requested": "asked to read the ticket",
    "ticket.gone": "could not find the ticket any more",
    "ticket.acknowledged": "acknowledged the request in Jira",
    "ticket.move_noted": "recorded a move of the ticket",
    "ticket.move_done": "acted on a move of the ticket",
    "ticket.move_refused": "refused a move of the ticket",
    "ticket.uncertain": "got no answer from the ticket tracker and searches for the ticket",
    "packet.frozen": "froze a packet",
    "packet.ready": "printed the packet",
    "packet.failed": "could not print the packet",
    "packet.dead": "gave up on a packet",
    "packet.retried": "asked to print the packet again",
    "run.queued": "queued a benchmark",
    "run.done": "finished a benchmark",
    "run.failed": "failed to run a benchmark",
    "run.canceled": "canceled a benchmark",
    "run.dead": "gave up on a benchmark",
    "budget.reserve": "reserved budget",
    "budget.commit": "committed budget",
    "budget.plan": "planned budget in a later quarter",
    "budget.release": "released budget",
    "budget.expire": "expired the rest of a commitment",
    "authorization.issued": "signed the authorization",
    "authorization.shortened": "shortened the authorization",
    "authorization.restored": "gave the authorization back its time",
    "request.shortened": "shortened the clearance",
    "authorization.condition_met": "confirmed a condition",
}


@dataclass(frozen=True)
class TrailLine:
    """One line of the trail."""

    at: datetime
    who: str
    words: str
    note: str


def trail_lines(rows: Iterable[AuditRow]) -> list[TrailLine]:
    """The rows as sentences; an event without a text of its own is shown by its name."""
    return [
        TrailLine(
            row.happened_at,
            "Weighbridge" if row.actor == "system" else row.actor,
            f"{EVENT_TEXTS.get(row.action, row.action.replace('.', ' ').replace('_', ' '))}.",
            row.note,
        )
        for row in rows
    ]
