"""How every state looks: a tone, a shape and a word. The word and the shape carry it; the tone only helps."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """`tone` picks the colors (ok, warn, bad, info, plain), `shape` a symbol of sprite.svg."""

    tone: str
    shape: str
    word: str


LOOKS: dict[str, Look] = {
    # a request
    "draft": Look("plain", "ring-dashed", "Draft"),
    "screening": Look("info", "half", "Screening"),
    "cleared": Look("ok", "check-open", "Cleared"),
    "evidence": Look("info", "half", "Gathering evidence"),
    "in_review": Look("info", "diamond-open", "In review"),
    "changes_requested": Look("warn", "undo", "Changes requested"),
    "decided": Look("plain", "disc", "Decided"),
    "withdrawn": Look("plain", "dash", "Withdrawn"),
    # a decision, a vote
    "approved": Look("ok", "check", "Approved"),
    "approved_with_conditions": Look("ok", "check-open", "Approved with conditions"),
    "rejected": Look("bad", "stop", "Rejected"),
    "approve": Look("ok", "check", "Approve"),
    "reject": Look("bad", "stop", "Reject"),
    "request_changes": Look("warn", "undo", "Request changes"),
    # an authorization
    "active": Look("ok", "check", "Active"),
    "pending_expiration": Look("warn", "clock", "Expires soon"),
    "expired": Look("bad", "clock", "Expired"),
    "suspended": Look("warn", "pause", "Suspended"),
    "revoked": Look("bad", "stop", "Revoked"),
    "superseded": Look("plain", "archive", "Superseded"),
    # a policy evaluation and its rules
    "advised": Look("info", "info", "Advice given"),
    "review_required": Look("warn", "diamond", "Review required"),
    "denied": Look("bad", "stop", "Denied"),
    "passed": Look("ok", "check-open", "Holds"),
    "fired": Look("warn", "diamond", "Fires"),
    "indeterminate": Look("warn", "question", "Indeterminate"),
    "not_applicable": Look("plain", "dash", "Not applicable"),
    "waived": Look("plain", "undo", "Waived"),
    "advise": Look("info", "info", "Advises"),
    "require_review": Look("warn", "diamond", "Requires review"),
    "deny": Look("bad", "stop", "Denies"),
    "contradicted": Look("bad", "alert", "Contradicted"),
    # a run and its verdict
    "queued": Look("plain", "queue", "Queued"),
    "claimed": Look("info", "half", "Starting"),
    "running": Look("info", "turning", "Running"),
    "done": Look("ok", "check", "Done"),
    "failed": Look("bad", "stop", "Failed"),
    "canceled": Look("plain", "dash", "Canceled"),
    "valid": Look("ok", "check", "Valid"),
    "indicative": Look("warn", "question", "Indicative"),
    "equivalent": Look("ok", "check", "Equivalent"),
    "different": Look("bad", "stop", "Different"),
    "cannot_tell": Look("warn", "question", "Cannot tell"),
    "invalid": Look("bad", "stop", "Invalid"),
    # a month of an authorization, beside its projection
    "not_over": Look("plain", "clock", "Not over"),
    "unbilled": Look("plain", "ring-dashed", "No bill yet"),
    "unplanned": Look("warn", "question", "Not projected"),
    "within": Look("ok", "check", "Within"),
    "above": Look("info", "diamond-open", "Above the middle"),
    "breach": Look("bad", "alert", "Over the limit"),
    # effects on the outside
    "pending": Look("plain", "clock", "Waiting"),
    "leased": Look("info", "half", "Being sent"),
    "delivered": Look("ok", "check", "Sent"),
    "waiting": Look("plain", "clock", "Waiting"),
    "dead": Look("bad", "alert", "Given up"),
    # a quarterly review, its action items and its scorecard
    "planned": Look("plain", "clock", "Planned"),
    "collecting": Look("info", "half", "Collecting"),
    "frozen": Look("info", "pause", "Frozen"),
    "held": Look("warn", "diamond-open", "Meeting open"),
    "closed": Look("plain", "disc", "Closed"),
    "open": Look("info", "ring", "Open"),
    "acknowledged": Look("info", "half", "Acknowledged"),
    "dropped": Look("plain", "dash", "Dropped"),
    "met": Look("ok", "check", "Met"),
    "missed": Look("bad", "stop", "Missed"),
    "unknown": Look("plain", "question", "No figure"),
    "better": Look("ok", "check-open", "Better"),
    "steady": Look("plain", "dash", "Steady"),
    "worse": Look("warn", "alert", "Worse"),
    "first": Look("plain", "ring", "First figure"),
    # a proposed change
    "confirmed": Look("ok", "check", "Confirmed"),
    "refused": Look("bad", "stop", "Refused"),
    # a policy version, a checklist item
    "published": Look("ok", "check", "Published"),
    "retired": Look("plain", "archive", "Retired"),
    "complete": Look("ok", "check", "Complete"),
    "incomplete": Look("warn", "ring-dashed", "Missing"),
}


def look_of(state: str) -> Look:
    """The look of a state; an unknown one is shown by its own name, never hidden."""
    known = LOOKS.get(state)
    return known or Look("plain", "ring", state.replace("_", " ").capitalize() or "Unknown")
