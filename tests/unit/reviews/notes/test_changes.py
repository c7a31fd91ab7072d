"""Each event that a reader must know is one sentence, with the place where it stands."""

from datetime import UTC, datetime
from typing import Any

import pytest

from reviews.notes.domain.changes import ChangeArea, RequestChange, TrailEvent, changes_in

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TITLES = {"owner-and-rollback": "Owner and rollback", "p95": "Latency p95 ≤ 20 ms"}
VALUE = {"name": "latency_p95_ms", "value": "2.000000000", "unit": "ms", "basis": "declared", "source": "log"}
STATE = {"before": "in_review", "after": "changes_requested", "revision": 1}


def event(
    kind: str, details: dict[str, Any], *, position: int = 7, actor: str = "Ada", actor_id: str = "3"
) -> TrailEvent:
    return TrailEvent(position=position, kind=kind, at=AT, actor=actor, actor_id=actor_id, details=details)


def told(*events: TrailEvent, after: int = 0, reader_id: int = 1) -> list[tuple[str, str, str]]:
    found = changes_in(events, after=after, reader_id=reader_id, titles=TITLES)
    return [(change.what.value, change.sentence, change.anchor) for change in found]


@pytest.mark.parametrize(
    ("kind", "details", "what", "sentence", "anchor"),
    [
        (
            "metric_value.stated",
            VALUE,
            "metric_values",
            "Ada stated Latency p95: 2 ms (declared).",
            "metric-values",
        ),
        (
            "evidence.measured",
            {"metric_values": ["latency_p50_ms", "latency_p95_ms"]},
            "metric_values",
            "Ada took measurements of Latency p50, Latency p95.",
            "metric-values",
        ),
        (
            "evidence.measured",
            {"metric_values": ["accuracy", "f1_macro", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "x"]},
            "metric_values",
            "Ada took measurements of Accuracy, F1 macro, Latency p50, Latency p95 and 2 more.",
            "metric-values",
        ),
        (
            "contradiction.answered",
            {"metric": "latency_p95_ms", "text": "x"},
            "metric_values",
            "Ada explained why the measurement of Latency p95 contradicts the claim.",
            "metric-values",
        ),
        ("evidence.attested", {"tool": "bench"}, "evidence", "Ada added a signed result of bench.", "metric-values"),
        ("evidence.imported", {"tool": "k6"}, "evidence", "Ada attached a result of k6.", "metric-values"),
        ("evidence.refused", {"run": 7}, "evidence", "Ada refused run 7 as evidence.", "runs"),
        ("run.failed", {}, "evidence", "Ada failed to run a benchmark.", "runs"),
        ("run.dead", {}, "evidence", "Ada gave up on a benchmark.", "runs"),
        (
            "projection.not_redrawn",
            {"projection": 2},
            "costs",
            "Ada could not calculate cost projection 2 again.",
            "costs",
        ),
        (
            "checklist.answered",
            {"item": "owner-and-rollback"},
            "checklist",
            "Ada answered “Owner and rollback”.",
            "checklist",
        ),
        ("checklist.answered", {"item": "other"}, "checklist", "Ada answered “other”.", "checklist"),
        (
            "item.waived",
            {"item": "owner-and-rollback", "valid_days": 30},
            "checklist",
            "Ada waived the item “Owner and rollback” for 30 days.",
            "checklist",
        ),
        ("projection.stated", {"number": 2}, "costs", "Ada stated cost projection 2.", "costs"),
        ("projection.redrawn", {"number": 3}, "costs", "Ada calculated cost projection 3 again.", "costs"),
        (
            "rule.waived",
            {"rule": "p95", "valid_days": 9},
            "policy",
            "Ada waived the rule “Latency p95 ≤ 20 ms” for 9 days.",
            "policy",
        ),
        ("rule.waived", {"rule": "old", "valid_days": 9}, "policy", "Ada waived the rule “old” for 9 days.", "policy"),
        ("vote.cast", {"choice": "request_changes"}, "votes", "Ada voted to request changes.", "votes"),
        (
            "vote.cast",
            {"choice": "approve", "in_place_of": "bert"},
            "votes",
            "Ada voted to approve in the place of bert.",
            "votes",
        ),
        ("decision.rejected", {}, "votes", "Ada ended the voting: rejected.", "votes"),
        ("vote.taken_back", {"choice": "approve"}, "votes", "Ada took a vote back.", "votes"),
        ("comment.written", {"comment": 12}, "discussion", "Ada commented.", "comment-12"),
        (
            "comment.written",
            {"comment": 12, "about": "metric:latency_p95_ms"},
            "discussion",
            "Ada commented on Latency p95.",
            "comment-12",
        ),
        (
            "comment.edited",
            {"comment": 12, "about": "item:owner-and-rollback"},
            "discussion",
            "Ada changed a comment on Owner and rollback.",
            "comment-12",
        ),
        ("comment.withdrawn", {"comment": 12}, "discussion", "Ada withdrew a comment.", "comment-12"),
        ("thread.resolved", {"thread": 4}, "discussion", "Ada resolved a thread.", "thread-4"),
        ("thread.reopened", {"thread": 4}, "discussion", "Ada reopened a thread.", "thread-4"),
        (
            "ticket.mirrored",
            {"comments": 2},
            "discussion",
            "Ada read 2 new or changed comments in the ticket.",
            "discussion",
        ),
        (
            "ticket.mirrored",
            {"comments": 1},
            "discussion",
            "Ada read 1 new or changed comment in the ticket.",
            "discussion",
        ),
        ("packet.ready", {"number": 1}, "packet", "Ada printed packet 1.", "packets"),
        (
            "request.amended",
            {"after": {"title": "x", "business_case": "y"}},
            "state",
            "Ada changed title, business case.",
            "request",
        ),
        ("request.amended", {}, "state", "Ada changed the request.", "request"),
        ("request.edited", {}, "state", "Ada changed the draft.", "request"),
        ("request.revised", {}, "state", "Ada opened the next revision.", "next"),
        ("request.extended", {}, "state", "Ada extended the deadline.", "next"),
        ("authorization.revoked", {}, "state", "Ada revoked the authorization.", "authorization"),
        ("authorization.suspended", {}, "state", "Ada suspended the authorization.", "authorization"),
        (
            "authorization.active",
            STATE,
            "state",
            "Ada ended the suspension of the authorization.",
            "authorization",
        ),
        (
            "authorization.expired",
            STATE,
            "state",
            "Ada ended the authorization, because its time is over.",
            "authorization",
        ),
        (
            "authorization.superseded",
            STATE,
            "state",
            "Ada replaced the authorization by a newer one.",
            "authorization",
        ),
        ("authorization.obliged", {}, "state", "Ada added a condition to the authorization.", "authorization"),
        (
            "authorization.condition_met",
            {},
            "state",
            "Ada confirmed a condition of the authorization.",
            "authorization",
        ),
        (
            "authorization.condition_lifted",
            {},
            "state",
            "Ada lifted a condition of the authorization.",
            "authorization",
        ),
        ("request.shortened", {}, "state", "Ada shortened the clearance.", "next"),
        (
            "request.exchanged",
            {"replaces": "MRR-2026-0001"},
            "state",
            "Ada filed this request in the place of MRR-2026-0001.",
            "request",
        ),
        (
            "re_review.opened",
            {"request": "MRR-2026-0002"},
            "state",
            "Ada drafted request MRR-2026-0002 to review this artifact again.",
            "authorization",
        ),
        (
            "request.changes_requested",
            STATE,
            "state",
            "Ada moved the request from “in review” to “changes requested”.",
            "next",
        ),
    ],
)
def test_an_event_is_a_sentence(kind: str, details: dict[str, Any], what: str, sentence: str, anchor: str) -> None:
    assert told(event(kind, details)) == [(what, sentence, anchor)]


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("ticket.mirrored", {"comments": 0}),
        ("ticket.mirrored", {}),
        ("evidence.measured", {"metric_values": []}),
        ("ticket.told", {}),
        ("request.policy_evaluated", {}),
        ("nobody.knows", {}),
    ],
)
def test_other_events_are_not_told(kind: str, details: dict[str, Any]) -> None:
    assert told(event(kind, details)) == []


def test_only_what_others_did_later_is_told() -> None:
    rows = [event("run.failed", {}, position=n, actor_id=actor) for n, actor in ((5, "3"), (6, "1"), (7, ""), (8, "3"))]
    assert told(*rows, after=5) == [
        ("evidence", "Weighbridge failed to run a benchmark.", "runs"),
        ("evidence", "Ada failed to run a benchmark.", "runs"),
    ]
    assert told(*rows, after=8) == []


def test_a_change_says_when_and_who() -> None:
    (change,) = changes_in([event("vote.cast", {"choice": "approve"})], after=0, reader_id=1, titles={})
    assert change == RequestChange(
        what=ChangeArea.VOTES, at=AT, who="Ada", sentence="Ada voted to approve.", anchor="votes"
    )
