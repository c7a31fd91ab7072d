"""What changed in a request, from the events of its audit trail: one sentence each, with the anchor of the page."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from reviews.requests.domain.wording import value_words
from weighbridge.core.metrics.standard import metric_words

NAMES_SHOWN = 4
Details = Mapping[str, Any]


class ChangeArea(StrEnum):
    """What a change is about."""

    METRIC_VALUES = "metric_values"
    EVIDENCE = "evidence"
    CHECKLIST = "checklist"
    COSTS = "costs"
    POLICY = "policy"
    VOTES = "votes"
    DISCUSSION = "discussion"
    PACKET = "packet"
    STATE = "state"


@dataclass(frozen=True, kw_only=True)
class TrailEvent:
    """An event of the audit trail; `actor_id` is "" for the system."""

    position: int
    kind: str
    at: datetime
    actor: str
    actor_id: str
    details: Details


@dataclass(frozen=True, kw_only=True)
class RequestChange:
    """A change of a request: what, when, by whom, as a sentence, and the anchor of the page section that shows it."""

    what: ChangeArea
    at: datetime
    who: str
    sentence: str
    anchor: str


def changes_in(
    events: Iterable[TrailEvent], *, after: int, reader_id: int, titles: Mapping[str, str]
) -> tuple[RequestChange, ...]:
    """The changes after a position of the trail that other people made, earliest first.

    `titles` are those of the items of the checklist, and the conditions of the rules of the policy, by id.
    """
    others = (one for one in events if one.position > after and one.actor_id != str(reader_id))
    return tuple(change for one in others if (change := _change(one, titles)) is not None)


def _change(event: TrailEvent, titles: Mapping[str, str]) -> RequestChange | None:
    rule = RULES.get(event.kind)
    words = rule.words({"titles": titles, **event.details}) if rule else ""
    if rule is None or not words:
        return None
    who = "Weighbridge" if event.actor_id == "" else event.actor
    return RequestChange(
        what=rule.what,
        at=event.at,
        who=who,
        sentence=f"{who} {words}.",
        anchor=rule.anchor.format(**event.details),
    )


def _value(details: Details) -> str:
    words = value_words(Decimal(details["value"]), unit=details["unit"])
    return f"stated {metric_words(details['name'])}: {words} ({details['basis']})"


def _metrics(details: Details) -> str:
    names = [metric_words(name) for name in details.get("metric_values", ())]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _measured(details: Details) -> str:
    return f"took measurements of {_metrics(details)}" if details.get("metric_values") else ""


def _answered(details: Details) -> str:
    return f"answered “{details['titles'].get(details['item'], details['item'])}”"


def _waived(part: str) -> Callable[[Details], str]:
    """The words, with the title of the item, or the condition of the rule, that was waived."""

    def said(details: Details) -> str:
        name = details[part]
        return f"waived the {part} “{details['titles'].get(name, name)}” for {details['valid_days']} days"

    return said


def _on_topic(words: str) -> Callable[[Details], str]:
    """The words, with the metric or the item that the thread is about."""

    def said(details: Details) -> str:
        part, _, name = details.get("about", "").partition(":")
        title = metric_words(name) if part == "metric" else details["titles"].get(name, name)
        return f"{words} on {title}" if title else words

    return said


def _mirrored(details: Details) -> str:
    count = details.get("comments", 0)
    return f"read {count} new or changed comment{'s' if count > 1 else ''} in the ticket" if count else ""


def _moved(details: Details) -> str:
    before, after = (str(details[name]).replace("_", " ") for name in ("before", "after"))
    return f"moved the request from “{before}” to “{after}”"


def _amended(details: Details) -> str:
    names = ", ".join(str(name).replace("_", " ") for name in details.get("after", ()))
    return f"changed {names or 'the request'}"


def _voted(details: Details) -> str:
    words = f"voted to {details['choice'].replace('_', ' ')}"
    return f"{words} in the place of {details['in_place_of']}" if details.get("in_place_of") else words


def _always(words: str) -> Callable[[Details], str]:
    return lambda details: words.format(**details)


@dataclass(frozen=True)
class _Rule:
    what: ChangeArea
    anchor: str
    words: Callable[[Details], str]


def _rule(what: ChangeArea, anchor: str, words: str | Callable[[Details], str]) -> _Rule:
    return _Rule(what, anchor, _always(words) if isinstance(words, str) else words)


_STATES = ("screening", "cleared", "evidence", "in_review", "changes_requested", "decided", "withdrawn", "expired")
_AUTHORIZATION = {
    "active": "ended the suspension of the authorization",
    "pending_expiration": "noted that the authorization ends soon",
    "expired": "ended the authorization, because its time is over",
    "revoked": "revoked the authorization",
    "suspended": "suspended the authorization",
    "superseded": "replaced the authorization by a newer one",
    "shortened": "shortened the authorization",
    "restored": "gave the authorization back its time",
    "denied": "denied the authorization for the rest of the month",
    "allowed_again": "allowed the authorization again",
    "doubted": "raised a finding about the authorization",
    "obliged": "added a condition to the authorization",
    "condition_met": "confirmed a condition of the authorization",
    "condition_lifted": "lifted a condition of the authorization",
}
_A = ChangeArea
RULES: Mapping[str, _Rule] = {
    "metric_value.stated": _rule(_A.METRIC_VALUES, "metric-values", _value),
    "metric_value.billed": _rule(
        _A.METRIC_VALUES, "metric-values", "found bills above the cost for which the request was cleared"
    ),
    "evidence.measured": _rule(_A.METRIC_VALUES, "metric-values", _measured),
    "contradiction.answered": _rule(
        _A.METRIC_VALUES,
        "metric-values",
        lambda details: f"explained why the measurement of {metric_words(details['metric'])} contradicts the claim",
    ),
    "evidence.attested": _rule(_A.EVIDENCE, "metric-values", "added a signed result of {tool}"),
    "evidence.imported": _rule(_A.EVIDENCE, "metric-values", "attached a result of {tool}"),
    "evidence.refused": _rule(_A.EVIDENCE, "runs", "refused run {run} as evidence"),
    "benchmark.not_possible": _rule(_A.EVIDENCE, "runs", "could not start the benchmarks"),
    "run.failed": _rule(_A.EVIDENCE, "runs", "failed to run a benchmark"),
    "run.dead": _rule(_A.EVIDENCE, "runs", "gave up on a benchmark"),
    "run.canceled": _rule(_A.EVIDENCE, "runs", "canceled a benchmark"),
    "checklist.answered": _rule(_A.CHECKLIST, "checklist", _answered),
    "item.waived": _rule(_A.CHECKLIST, "checklist", _waived("item")),
    "projection.stated": _rule(_A.COSTS, "costs", "stated cost projection {number}"),
    "projection.redrawn": _rule(_A.COSTS, "costs", "calculated cost projection {number} again"),
    "projection.not_redrawn": _rule(_A.COSTS, "costs", "could not calculate cost projection {projection} again"),
    "rule.waived": _rule(_A.POLICY, "policy", _waived("rule")),
    "vote.cast": _rule(_A.VOTES, "votes", _voted),
    "vote.taken_back": _rule(_A.VOTES, "votes", "took a vote back"),
    "decision.approved": _rule(_A.VOTES, "votes", "ended the voting: approved"),
    "decision.approved_with_conditions": _rule(_A.VOTES, "votes", "ended the voting: approved with conditions"),
    "decision.rejected": _rule(_A.VOTES, "votes", "ended the voting: rejected"),
    "comment.written": _rule(_A.DISCUSSION, "comment-{comment}", _on_topic("commented")),
    "comment.edited": _rule(_A.DISCUSSION, "comment-{comment}", _on_topic("changed a comment")),
    "comment.withdrawn": _rule(_A.DISCUSSION, "comment-{comment}", _on_topic("withdrew a comment")),
    "thread.resolved": _rule(_A.DISCUSSION, "thread-{thread}", _on_topic("resolved a thread")),
    "thread.reopened": _rule(_A.DISCUSSION, "thread-{thread}", _on_topic("reopened a thread")),
    "ticket.mirrored": _rule(_A.DISCUSSION, "discussion", _mirrored),
    "packet.ready": _rule(_A.PACKET, "packets", "printed packet {number}"),
    "request.amended": _rule(_A.STATE, "request", _amended),
    "request.edited": _rule(_A.STATE, "request", "changed the draft"),
    "request.revised": _rule(_A.STATE, "next", "opened the next revision"),
    "request.extended": _rule(_A.STATE, "next", "extended the deadline"),
    "request.shortened": _rule(_A.STATE, "next", "shortened the clearance"),
    "request.exchanged": _rule(_A.STATE, "request", "filed this request in the place of {replaces}"),
    **{f"authorization.{event}": _rule(_A.STATE, "authorization", words) for event, words in _AUTHORIZATION.items()},
    "re_review.opened": _rule(_A.STATE, "authorization", "drafted request {request} to review this artifact again"),
    "re_review.pointed_back": _rule(_A.STATE, "authorization", "found one more reason to review this artifact again"),
    **{f"request.{state}": _rule(_A.STATE, "next", _moved) for state in _STATES},
}
"""How each event is told."""
SILENT = frozenset(
    {
        "request.created",
        "request.draft",
        "request.policy_evaluated",
        "revision.frozen",
        "authorization.issued",
        "traffic.supplied",
        "packet.frozen",
        "packet.failed",
        "packet.dead",
        "packet.retried",
        "packet.canceled",
        "run.queued",
        "run.claimed",
        "run.handed_back",
        "run.retried",
        "run.done",
        "reminder.made",
        "reminder.escalated",
    }
)
"""The events that are not told: another event tells their outcome, or a reader decides nothing on them.

So are those of the budget, which follow from the state, and those of the ticket, but for the comments read there.
"""
SILENT_SUBJECTS = frozenset({"budget", "ticket"})
