"""A decision of the meeting that votes or revokes asks for the second factor, as the vote and the revocation do."""

import ast
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from governance.inventory.actions.ownership import name_owner
from governance.rulebook.models import PolicyVersion
from reviews.authorizations.models import Authorization
from reviews.quarterly.actions import agenda, meeting
from reviews.quarterly.domain.decisions import NEEDS_FACTOR, DecisionKind
from reviews.quarterly.models import AgendaItem, MeetingDecision
from reviews.voting.models import Vote
from tests.architecture.tree import name_of, parsed, sources
from tests.factories import requests as walks
from tests.factories.cycles import decided as a_decision
from tests.factories.cycles import make_held, met_at
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.governance.accounts.test_second_factor import code, enrol, forget_used_codes, log_in, required

__all__ = ["required"]
Api = Callable[[User | None], APIClient]
REASON = "It was discussed at length."
BINDING = {
    "reviews.workflow.actions.review.vote",
    "reviews.workflow.actions.review.cast",
    "reviews.workflow.actions.waivers.grant",
    "reviews.workflow.actions.authorizations.revoke",
    "governance.people.approvals.actions.confirm",
    "governance.people.approvals.actions.refuse",
}
"""The actions that vote, waive, revoke, or settle what takes two people."""
EFFECTS = "reviews/quarterly/actions/decision_effects.py"
ROUTES: Mapping[str, set[str]] = {
    "reviews/workflow/web/steps.py": {"reviews:vote", "reviews:waive", "reviews:revoke"},
    "reviews/workflow/api/steps.py": {"api:votes", "api:waivers"},
    "reviews/workflow/api/authorizations.py": {"api:revoke"},
    "governance/operations/web/changes.py": {
        "governance:changes",
        "governance:change_confirm",
        "governance:change_refuse",
    },
    "governance/people/approvals/api.py": {"api:changes", "api:change-confirm", "api:change-refuse"},
    EFFECTS: set(),
    "reviews/inbox/web.py": set(),
}
"""The modules that call these actions, with the routes that lead there. The effects tell by their kind whether the
factor is asked for, and the steps of the inbox ask themselves.
"""


@pytest.fixture
def item(policy: PolicyVersion, cast: Cast, now: datetime) -> AgendaItem:
    """About a model with an authorization, and with a request of which the platform lead has the last vote."""
    granted = walks.make_decided(cast=cast, now=now)
    waiting = walks.make_in_review(
        cast=cast, now=now, version=granted.model_version, purpose="Again", environment="dev"
    )
    walks.approve_technically(request=waiting, cast=cast, now=now)
    held = make_held(cast=cast, now=now)
    return agenda.add(
        cycle=held, title="The ranker", reason="It waits.", request=waiting, by=cast.approver, now=met_at(now)
    )


def form(kind: DecisionKind, now: datetime) -> dict[str, str]:
    due_on = (now.date() + timedelta(days=20)).isoformat()
    return {"kind": kind.value, "rationale": REASON, "owner": "author", "due_on": due_on}


def page_of(item: AgendaItem) -> str:
    return f"/cycles/{item.cycle.quarter}/meeting/{item.pk}/decisions/"


def is_bound(item: AgendaItem) -> bool:
    """Whether the decision voted or revoked."""
    votes = Vote.objects.filter(request=item.request, person__username="approver")
    return votes.exists() or Authorization.objects.filter(state="revoked").exists()


@pytest.fixture
def stale(required: None, cast: Cast, item: AgendaItem, settings: Settings) -> Client:
    """A browser of the platform lead, whose confirmation is no longer recent."""
    enrol(cast.approver)
    client = log_in(cast.approver)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    return client


@pytest.mark.parametrize("kind", sorted(NEEDS_FACTOR))
def test_a_stale_session_decides_so_only_after_the_factor(
    stale: Client, item: AgendaItem, now: datetime, settings: Settings, kind: DecisionKind
) -> None:
    url, before = page_of(item), snapshot()
    asked = stale.post(url, form(kind, now))
    assert (asked.status_code, urlsplit(asked["Location"]).path) == (302, "/accounts/2fa/reauthenticate/")
    assert snapshot() == before
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
    stale.post("/accounts/2fa/reauthenticate/", {"code": "000000", "next": url})
    assert not MeetingDecision.objects.exists()
    forget_used_codes()
    assert stale.post("/accounts/2fa/reauthenticate/", {"code": code(), "next": url}).status_code == 302
    decision = MeetingDecision.objects.get()
    assert (decision.kind, decision.rationale, is_bound(item)) == (kind.value, REASON, True)


def test_a_form_that_lacks_something_is_shown_before_the_factor_is_asked_for(
    stale: Client, item: AgendaItem, now: datetime
) -> None:
    assert stale.post(page_of(item), form(DecisionKind.RETIRE, now) | {"due_on": "soon"}).status_code == 400
    assert not MeetingDecision.objects.exists()


def test_the_other_decisions_ask_for_no_factor(stale: Client, item: AgendaItem, now: datetime) -> None:
    for kind in (DecisionKind.KEEP, DecisionKind.OPTIMIZE, DecisionKind.RE_REVIEW):
        assert "2fa" not in stale.post(page_of(item), form(kind, now))["Location"]
    assert MeetingDecision.objects.count() == 3


def test_no_program_decides_so_where_a_factor_is_required(
    required: None, api: Api, cast: Cast, item: AgendaItem, now: datetime
) -> None:
    enrol(cast.approver)
    client, url = api(cast.approver), f"/api/v1/cycles/{item.cycle.quarter}/agenda/{item.pk}/decisions/"
    before = snapshot()
    for kind in NEEDS_FACTOR:
        problem = client.post(url, form(kind, now), format="json", HTTP_IDEMPOTENCY_KEY=kind.value)
        assert (problem.status_code, problem.json()["code"]) == (403, "second_factor")
    assert snapshot() == before


@pytest.mark.parametrize("kind", list(DecisionKind))
def test_every_decision_that_votes_or_revokes_is_among_them(
    item: AgendaItem, cast: Cast, now: datetime, kind: DecisionKind
) -> None:
    """Whatever the decision comes to: the action itself tells whether it bound anybody."""
    amount = {"amount_usd": Decimal(9_000)} if kind is DecisionKind.BUDGET_CHANGE else {}
    walks.allocate_budget(team=item.team, by=cast.finance, now=met_at(now))
    said = a_decision(cast, now, kind=kind, **amount)
    meeting.decide(item=item, decided=said, by=cast.approver, now=met_at(now))
    assert is_bound(item) is (kind in NEEDS_FACTOR)


def test_ownerships_are_accepted_together_only_after_the_factor(
    stale: Client, item: AgendaItem, cast: Cast, now: datetime
) -> None:
    change = name_owner(asset=item.request.model_version.asset, owner=cast.approver, by=cast.author, now=now)
    before = snapshot()
    asked = stale.post("/inbox/steps/", {"step": "accept", "entry": [str(change)]})
    assert (asked.status_code, urlsplit(asked["Location"]).path) == (302, "/accounts/2fa/reauthenticate/")
    assert snapshot() == before


def callers() -> dict[str, set[str]]:
    """Every module that names a binding action, with the full names of those; not the module of the action."""
    found: dict[str, set[str]] = {}
    for path in sources():
        own = name_of(path).removesuffix(".py").replace("/", ".")
        named = {name for name in full_names(parsed(path)) if name in BINDING and name.rpartition(".")[0] != own}
        if named:
            found[name_of(path)] = named
    return found


def full_names(tree: ast.Module) -> Iterator[str]:
    """What is imported by name, and each attribute of what is imported."""
    known = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    yield from known.values()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            yield f"{known[node.value.id]}.{node.attr}"


def test_a_binding_action_is_reached_by_routes_that_ask_for_the_factor(settings: Settings) -> None:
    """A new caller of one of them is named here, with the routes to it."""
    found = callers()
    assert set(found) == set(ROUTES)
    assert set().union(*found.values()) == BINDING
    assert set().union(*ROUTES.values()) <= settings.STEP_UP_ROUTES
