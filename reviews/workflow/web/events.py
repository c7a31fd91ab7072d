"""The trail of a request in words: who did what, for people who do not know the names of events."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reviews.packets.domain.packet_trail import AuditRow

WORDS = {
    "request.created": "filed the request as a draft",
    "request.edited": "changed the draft",
    "request.screening": "submitted the request; policy and checklist are fixed",
    "request.cleared": "cleared the request",
    "request.evidence": "opened the evidence",
    "request.in_review": "asked for the review",
    "request.changes_requested": "sent the request back for changes",
    "request.decided": "closed the review",
    "request.withdrawn": "withdrew the request",
    "request.expired": "let the request expire",
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
    "decision.approved": "approved",
    "decision.approved_with_conditions": "approved with conditions",
    "decision.rejected": "rejected",
    "ticket.wanted": "asked for a ticket",
    "ticket.told": "had the ticket told",
    "ticket.not_wanted": "had no ticket to tell",
    "ticket.linked": "linked the ticket",
    "ticket.updated": "updated the ticket",
    "ticket.mirrored": "read the ticket again",
    "ticket.read_requested": "asked for the ticket to be read",
    "ticket.gone": "found the ticket gone",
    "ticket.acknowledged": "acknowledged the request in Jira",
    "ticket.move_noted": "saw the ticket moved",
    "ticket.move_done": "acted on a move of the ticket",
    "ticket.move_refused": "refused a move of the ticket",
    "ticket.uncertain": "lost the tracker's answer; the ticket is searched for",
    "packet.frozen": "froze a packet",
    "packet.ready": "drew the packet",
    "packet.failed": "could not draw the packet",
    "packet.dead": "gave a packet up",
    "packet.retried": "had the packet drawn again",
    "run.queued": "queued a benchmark",
    "run.done": "finished a benchmark",
    "run.failed": "saw a benchmark fail",
    "run.canceled": "canceled a benchmark",
    "run.dead": "gave a benchmark up",
    "budget.reserve": "reserved budget",
    "budget.commit": "committed budget",
    "budget.plan": "planned budget of a later quarter",
    "budget.release": "released budget",
    "budget.expire": "let the rest of a commitment expire",
    "authorization.issued": "signed the authorization",
    "authorization.condition_met": "confirmed a condition",
}


@dataclass(frozen=True)
class TrailLine:
    """A line of the trail."""

    at: datetime
    who: str
    words: str
    note: str


def told(rows: Iterable[AuditRow]) -> list[TrailLine]:
    """The rows in words; an event without words of its own is told by its name."""
    return [
        TrailLine(
            row.happened_at,
            "Weighbridge" if row.actor == "system" else row.actor,
            f"{WORDS.get(row.action, row.action.replace('.', ' ').replace('_', ' '))}.",
            row.note,
        )
        for row in rows
    ]
