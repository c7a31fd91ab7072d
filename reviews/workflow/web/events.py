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
    "request.amended": "changed texts or data of the request",
    "request.exchanged": "filed the request in the place of another",
    "rule.waived": "waived a rule",
    "item.waived": "waived a checklist item",
    "revision.frozen": "froze the revision",
    "metric_value.stated": "stated a metric value",
    "metric_value.billed": "found bills above the cost for which the request was cleared",
    "projection.stated": "stated a cost projection",
    "projection.redrawn": "calculated the cost projection again",
    "projection.not_redrawn": "could not calculate the cost projection again",
    "traffic.supplied": "supplied the requests of months",
    "evidence.measured": "took measurements as evidence",
    "evidence.attested": "added a signed result",
    "evidence.imported": "attached a result of another tool",
    "evidence.refused": "refused a run as evidence",
    "benchmark.not_possible": "could not start the benchmarks",
    "checklist.answered": "answered a checklist item",
    "contradiction.answered": "explained a contradicted claim",
    "vote.cast": "voted",
    "vote.taken_back": "took a vote back",
    "comment.written": "commented",
    "comment.edited": "changed a comment",
    "comment.withdrawn": "withdrew a comment",
    "thread.resolved": "resolved a thread of the discussion",
    "thread.reopened": "reopened a thread of the discussion",
    "reminder.made": "reminded a person",
    "reminder.escalated": "told a platform lead that the request had waited for too long",
    "decision.approved": "approved",
    "decision.approved_with_conditions": "approved with conditions",
    "decision.rejected": "rejected",
    "ticket.wanted": "requested a ticket",
    "ticket.told": "queued an update of the ticket",
    "ticket.not_wanted": "updated no ticket, because there is none",
    "ticket.not_told": "did not update the ticket, because its site was removed",
    "ticket.not_attached": "attached no packet to the ticket, because its site was removed",
    "ticket.linked": "linked the ticket",
    "ticket.updated": "updated the ticket",
    "ticket.mirrored": "read the ticket again",
    "ticket.read_requested": "asked to read the ticket",
    "ticket.attachment_requested": "queued a packet for the ticket",
    "ticket.attached": "attached a packet to the ticket",
    "ticket.routed": "moved the ticket to another site",
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
    "packet.canceled": "canceled the printing of a packet",
    "run.queued": "queued a benchmark",
    "run.claimed": "began a benchmark on another machine",
    "run.handed_back": "handed a benchmark back",
    "run.retried": "asked to run a benchmark again",
    "run.done": "finished a benchmark",
    "run.failed": "failed to run a benchmark",
    "run.canceled": "canceled a benchmark",
    "run.dead": "gave up on a benchmark",
    "budget.reserve": "reserved budget",
    "budget.commit": "committed budget",
    "budget.plan": "planned budget in a later quarter",
    "budget.release": "released budget",
    "budget.expire": "expired the rest of a commitment",
    "budget.actual": "posted a bill",
    "budget.accrual": "posted the expected costs of a month",
    "budget.correction": "corrected a bill",
    "authorization.issued": "signed the authorization",
    "authorization.shortened": "shortened the authorization",
    "authorization.restored": "gave the authorization back its time",
    "authorization.active": "ended the suspension of the authorization",
    "authorization.pending_expiration": "noted that the authorization ends soon",
    "authorization.expired": "ended the authorization, because its time is over",
    "authorization.revoked": "revoked the authorization",
    "authorization.suspended": "suspended the authorization",
    "authorization.superseded": "replaced the authorization by a newer one",
    "authorization.denied": "denied the authorization for the rest of the month",
    "authorization.allowed_again": "allowed the authorization again",
    "authorization.doubted": "raised a finding about the authorization",
    "authorization.obliged": "added a condition",
    "authorization.condition_met": "confirmed a condition",
    "authorization.condition_lifted": "lifted a condition",
    "re_review.opened": "drafted a request to review the artifact again",
    "re_review.pointed_back": "found one more reason to review the artifact again",
    "request.shortened": "shortened the clearance",
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
