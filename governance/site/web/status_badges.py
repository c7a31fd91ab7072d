"""The badge of each state: a tone, a shape and a word. The word and the shape are sufficient without color."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StatusBadge:
    """`tone` picks the colors (ok, warn, bad, info, plain), `shape` a symbol of sprite.svg."""

    tone: str
    shape: str
    word: str


BADGES: dict[str, StatusBadge] = {
    # a request
    "draft": StatusBadge("plain", "ring-dashed", "Draft"),
    "screening": StatusBadge("info", "half", "Screening"),
    "cleared": StatusBadge("ok", "check-open", "Cleared"),
    "evidence": StatusBadge("info", "half", "Gathering evidence"),
    "in_review": StatusBadge("info", "diamond-open", "In review"),
    "changes_requested": StatusBadge("warn", "undo", "Changes requested"),
    "decided": StatusBadge("plain", "disc", "Decided"),
    "withdrawn": StatusBadge("plain", "dash", "Withdrawn"),
    # a decision, a vote
    "approved": StatusBadge("ok", "check", "Approved"),
    "approved_with_conditions": StatusBadge("ok", "check-open", "Approved with conditions"),
    "rejected": StatusBadge("bad", "stop", "Rejected"),
    "approve": StatusBadge("ok", "check", "Approve"),
    "reject": StatusBadge("bad", "stop", "Reject"),
    "request_changes": StatusBadge("warn", "undo", "Request changes"),
    # an authorization
    "not_in_force": StatusBadge("warn", "pause", "Not in force"),
    "active": StatusBadge("ok", "check", "Active"),
    "pending_expiration": StatusBadge("warn", "clock", "Expires soon"),
    "expired": StatusBadge("bad", "clock", "Expired"),
    "suspended": StatusBadge("warn", "pause", "Suspended"),
    "revoked": StatusBadge("bad", "stop", "Revoked"),
    "superseded": StatusBadge("plain", "archive", "Superseded"),
    # what runs
    "authorized": StatusBadge("ok", "check", "Authorized"),
    "conditional": StatusBadge("ok", "check-open", "Authorized with conditions"),
    "by_claim": StatusBadge("info", "info", "Authorized by a claim"),
    "not_approved": StatusBadge("bad", "stop", "Not approved"),
    "unfiled": StatusBadge("warn", "question", "Unknown"),
    # a policy evaluation and its rules
    "advised": StatusBadge("info", "info", "Advice given"),
    "review_required": StatusBadge("warn", "diamond", "Review required"),
    "denied": StatusBadge("bad", "stop", "Denied"),
    "passed": StatusBadge("ok", "check-open", "Holds"),
    "fired": StatusBadge("warn", "diamond", "Fires"),
    "indeterminate": StatusBadge("warn", "question", "Indeterminate"),
    "not_applicable": StatusBadge("plain", "dash", "Not applicable"),
    "waived": StatusBadge("plain", "undo", "Waived"),
    "advise": StatusBadge("info", "info", "Advises"),
    "require_review": StatusBadge("warn", "diamond", "Requires review"),
    "deny": StatusBadge("bad", "stop", "Denies"),
    "contradicted": StatusBadge("bad", "alert", "Contradicted"),
    # a run and its verdict
    "queued": StatusBadge("plain", "queue", "Queued"),
    "claimed": StatusBadge("info", "half", "Starting"),
    "running": StatusBadge("info", "turning", "Running"),
    "done": StatusBadge("ok", "check", "Done"),
    "failed": StatusBadge("bad", "stop", "Failed"),
    "canceled": StatusBadge("plain", "dash", "Canceled"),
    "valid": StatusBadge("ok", "check", "Valid"),
    "indicative": StatusBadge("warn", "question", "Indicative"),
    "equivalent": StatusBadge("ok", "check", "Equivalent"),
    "different": StatusBadge("bad", "stop", "Different"),
    "cannot_tell": StatusBadge("warn", "question", "Cannot tell"),
    "invalid": StatusBadge("bad", "stop", "Invalid"),
    # a month of an authorization, beside its projection
    "not_over": StatusBadge("plain", "clock", "Not over"),
    "unbilled": StatusBadge("plain", "ring-dashed", "No bill yet"),
    "no_rate": StatusBadge("warn", "question", "No exchange rate"),
    "unplanned": StatusBadge("warn", "question", "Not projected"),
    "within": StatusBadge("ok", "check", "Within"),
    "above": StatusBadge("info", "diamond-open", "Above the median"),
    "breach": StatusBadge("bad", "alert", "Over the limit"),
    # effects on the outside
    "pending": StatusBadge("plain", "clock", "Waiting"),
    "leased": StatusBadge("info", "half", "Being sent"),
    "delivered": StatusBadge("ok", "check", "Sent"),
    "waiting": StatusBadge("plain", "clock", "Waiting"),
    "dead": StatusBadge("bad", "alert", "Dead"),
    # a quarterly review, its action items and its scorecard
    "planned": StatusBadge("plain", "clock", "Planned"),
    "collecting": StatusBadge("info", "half", "Collecting"),
    "frozen": StatusBadge("info", "pause", "Frozen"),
    "held": StatusBadge("warn", "diamond-open", "Meeting open"),
    "closed": StatusBadge("plain", "disc", "Closed"),
    "open": StatusBadge("info", "ring", "Open"),
    "acknowledged": StatusBadge("info", "half", "Acknowledged"),
    "dropped": StatusBadge("plain", "dash", "Dropped"),
    "met": StatusBadge("ok", "check", "Met"),
    "missed": StatusBadge("bad", "stop", "Missed"),
    "unknown": StatusBadge("plain", "question", "No value"),
    "better": StatusBadge("ok", "check-open", "Better"),
    "steady": StatusBadge("plain", "dash", "Steady"),
    "worse": StatusBadge("warn", "alert", "Worse"),
    "first": StatusBadge("plain", "ring", "First value"),
    # a proposed change
    "confirmed": StatusBadge("ok", "check", "Confirmed"),
    "refused": StatusBadge("bad", "stop", "Refused"),
    # an evaluation set
    "proposed": StatusBadge("plain", "ring-dashed", "Proposed"),
    "governed": StatusBadge("ok", "check", "Governed"),
    # a policy version, a checklist item
    "published": StatusBadge("ok", "check", "Published"),
    "retired": StatusBadge("plain", "archive", "Retired"),
    "complete": StatusBadge("ok", "check", "Complete"),
    "incomplete": StatusBadge("warn", "ring-dashed", "Missing"),
}


def badge_of(state: str) -> StatusBadge:
    """The badge of a state; an unknown state is shown with its own name."""
    known = BADGES.get(state)
    return known or StatusBadge("plain", "ring", state.replace("_", " ").capitalize() or "Unknown")
