"""Every kind of event in the trail of a request has words on its page, and is told to readers or silent on purpose."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from config.env import ROOT
from governance.budgets.domain.ledger import COMMITS, GIVES_BACK, SPENT, EntryKind
from reviews.authorizations.domain.authorization_states import AuthorizationState
from reviews.notes.domain.changes import RULES, SILENT, SILENT_SUBJECTS
from reviews.requests.domain.lifecycle import RequestState
from reviews.tickets.domain.moves import MoveOutcome
from reviews.workflow.web.events import EVENT_TEXTS

FOLDERS = ("reviews", "benchmarking/runs", "governance/jobs", "governance/budgets")
JOB_EVENTS = ("failed", "retried", "dead", "canceled")
"""What happens to any job, told by its kind; the others are literals of the same module."""
BUILT: Mapping[str, Iterable[str]] = {
    "request.": RequestState,
    "authorization.": ("issued", "obliged", "condition_met", "condition_lifted", *AuthorizationState),
    "budget.": (*SPENT, *GIVES_BACK, *COMMITS, EntryKind.RESERVE),
    "decision.": ("approved", "approved_with_conditions", "rejected"),
    "packet.": JOB_EVENTS,
    "re_review.": ("opened", "pointed_back"),
    "reminder.": ("made", "escalated"),
    "run.": ("queued", "claimed", "handed_back", "done", *JOB_EVENTS),
    "ticket.move_": MoveOutcome,
}
"""The names that begin with a text and end with a variable."""
OF_OTHERS = frozenset({"action_item.", "clock.", "cycle.", "dataset.", "sandbox.", "scorecard.", "ticket_route."})
OF_OTHERS |= {"ticket_site.", "worker."}
NO_EVENTS = frozenset(
    {
        "budget.closed",
        "budget.observed",
        "budget.overrun",
        "budget.terms",
        "packet.css",
        "run.finished",
        "ticket.attach",
        "ticket.hinted",
        "ticket.open",
        "ticket.read",
        "ticket.tell",
    }
)
"""Events of other subjects, findings, messages of the outbox, and a file."""
FIRST_WORDS = frozenset(kind.partition(".")[0] for kind in EVENT_TEXTS)


def nodes() -> Iterator[ast.AST]:
    tables = {"changes.py", "events.py"}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            if path.name not in tables and "migrations" not in path.parts:
                yield from ast.walk(ast.parse(path.read_text()))


def literals() -> Iterator[str]:
    for node in nodes():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            first, dot, rest = node.value.partition(".")
            if dot and first in FIRST_WORDS and re.fullmatch(r"[a-z_]+[a-z]", rest):
                yield node.value


def beginnings() -> set[str]:
    texts = (node.values[0] for node in nodes() if isinstance(node, ast.JoinedStr) and len(node.values) > 1)
    found = {str(one.value) for one in texts if isinstance(one, ast.Constant)}
    return {text for text in found if re.fullmatch(r"[a-z_]+\.[a-z_]*", text)}


def kinds() -> set[str]:
    built = chain.from_iterable((f"{text}{end}" for end in ends) for text, ends in BUILT.items())
    return {*literals(), *built} - NO_EVENTS


def test_the_names_that_are_built_are_known() -> None:
    assert beginnings() - OF_OTHERS == set(BUILT)


def test_every_event_of_a_request_has_words_on_its_page() -> None:
    assert len(kinds()) > 80
    assert sorted(kinds() - EVENT_TEXTS.keys() - {"request.draft"}) == []


def test_every_event_of_a_request_is_told_or_silent_on_purpose() -> None:
    silent = {kind for kind in kinds() if kind.partition(".")[0] in SILENT_SUBJECTS or kind in SILENT}
    assert sorted(kinds() - RULES.keys() - silent) == []
    assert sorted(SILENT & RULES.keys()) == []
    assert sorted(SILENT - kinds()) == [], "silent about what does not exist"
