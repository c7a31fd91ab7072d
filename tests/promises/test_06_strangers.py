"""Promise 6: a stranger gets 404 for every address of a thing that a member of its team can see, and moves nothing.

The addresses are read from the URL configuration, so that a new one is swept from its first day.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.test import APIClient

from benchmarking.runs.models import Run
from governance.budgets.actions import budget_changes
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import BudgetAccount
from governance.findings import actions as findings
from governance.findings.enums import Severity
from governance.findings.models import Finding
from governance.people.actions import people
from governance.people.approvals.models import Change
from governance.people.models import Team
from reviews.packets import actions as packets
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import imports, review
from reviews.workflow.actions.review import NewCondition
from tests.factories import cycles
from tests.factories import requests as walks
from tests.factories.absences import make_absence
from tests.factories.discussions import make_comment
from tests.factories.models import make_dataset
from tests.factories.people import Cast, make_cast
from tests.factories.saved_views import make_view
from tests.factories.snapshots import snapshot
from tests.integration.conftest import checklist, installation, now, policy, signing_key_pem
from tests.promises import harness_report
from tests.unit.toolkit.readers.studies.files import SAMPLES

__all__ = ["checklist", "installation", "now", "policy", "signing_key_pem"]
pytestmark = pytest.mark.django_db

FOREIGN = ("admin:", "account_", "socialaccount_", "mfa_", "openid_connect_")
OF_THE_HOUSE = {
    "feed_entry",  # the feed tells standings to every gate, without names
    "policy_draft",
    "policy_diff",
    "policy",
    "policy_propose",
    "policy_retire",
    "policy_backtest",
    "policy_form",
    "backtest",
    "backtest_export",
    "start_backtest",
    "audit_export",
    "export",
    "integrations_retry",
    "projection",  # its link is the permission: nobody guesses one
    "projection_today",
    "bill",
    "bill_live",
    "bill_spend",
    "bill_spend_export",
    "bill_allocate",
    "bills_export",
    "rates_export",
    "budgets_export",  # as the lists: whoever asks gets the rows of their own
    "findings_export",
    "models_export",
    "runs_export",
    "bill_cancel",
    "bill_retry",
    "allocation_version",
    "allocation_propose",
    "spend_export",
    "spend_tree_export",
    "unallocated_export",
    "workloads_export",
    "billed_export",
    "billed_gpus_export",
    "projection_picture",
    "worker",  # the machines of the platform measure for every team
    "worker_retire",
    "worker_run",  # for a token of scope worker alone
    "worker_renew",
    "worker_file",
    "worker_result",
    "worker_failure",
    "worker_hand_back",
    "webhook",  # those who manage webhooks do so for every team
    "webhook_rotate",
    "webhook_test",
    "webhook_remove",
    "webhook_again",
    "webhook_messages",
    "notification_open",  # its link is the permission, and it opens nothing for anybody else
    "notification_unsubscribe",
    "jira",  # its signature is the permission
    "ticket_site",  # administrators connect trackers for every team
    "ticket_site_address",
    "ticket_site_credential",
    "ticket_site_oauth",
    "ticket_site_oauth_callback",
    "ticket_site_webhook",
    "ticket_site_drop_secret",
    "ticket_site_options",
    "ticket_site_people",
    "ticket_site_test",
    "ticket_site_activate",
    "ticket_site_remove",
    "ticket_route",
    "ticket_route_new",
    "ticket_route_fields",
    "ticket_route_statuses",
    "ticket_route_preview",
    "ticket_route_remove",
}
OF_THE_LEADS = "cycle"  # the quarterly review shows every team's costs; no requester sees it at all
SEEN_BY_ITS_MEMBERS = 14
OWN_VALUES = {
    "reviews:metric": {"name": "training_gpu_hours"},
    "reviews:discussion": {"kind": "request"},
    "reviews:thread_start": {"kind": "request"},
    "reviews:discussion_people": {"kind": "request"},
    "api:discussion": {"kind": "request"},
}
"""Values of addresses that call something else by the name of a parameter."""
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Address:
    """A named address with the parameters it takes."""

    name: str
    parameters: tuple[str, ...]

    @property
    def short(self) -> str:
        return self.name.rpartition(":")[2]


def addresses(patterns: list[Any] | None = None, space: str = "", before: tuple[str, ...] = ()) -> Iterator[Address]:
    """Every named address that takes parameters."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        parameters = (*before, *getattr(pattern.pattern, "converters", {}))
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from addresses(pattern.url_patterns, inner, parameters)
        elif isinstance(pattern, URLPattern) and pattern.name and parameters:
            yield Address(f"{space}{pattern.name}", parameters)


SWEPT = sorted(
    {
        one
        for one in addresses()
        if not one.name.startswith(FOREIGN)
        and one.short.replace("-", "_") not in OF_THE_HOUSE
        and not one.short.startswith(OF_THE_LEADS)
    },
    key=lambda one: one.name,
)


@pytest.fixture
def cast(db: None, now: datetime) -> Cast:
    return make_cast(now=now)


@pytest.fixture
def things(cast: Cast, policy: object, now: datetime) -> Mapping[str, Any]:
    """One of each thing a team has, and what its addresses call it."""
    chart = {"name": "frontier", "title": "Frontier", "alt": "One point.", "svg": "<svg/>"}
    request = walks.make_ready(by=cast.author, now=now, result=walks.result_of() | {"charts": [chart]})
    study = ContentFile((SAMPLES / "experiment.json").read_bytes(), name="experiment.json")
    imported = imports.import_result(request=request, upload=study, by=cast.author, now=now)
    walks.allocate_budget(team=request.team, by=cast.finance, now=now)
    review.request_review(request=request, by=cast.author, now=now)
    promise = NewCondition(text="Watch it.", owner=cast.author, due_on=now.date() + timedelta(days=30))
    votes = ((cast.reviewer_one, "technical", ()), (cast.reviewer_two, "technical", ()))
    for person, stage, promises in (*votes, (cast.approver, "gpu-budget", (promise,))):
        review.vote(
            request=request,
            stage_id=stage,
            choice=VoteChoice.APPROVE,
            rationale="Fast and cheap.",
            conditions=promises,
            by=person,
            now=now,
        )
    request.refresh_from_db()
    packets.freeze(request=request, by=cast.author, now=now)
    asset = request.model_version.asset
    action = cycles.make_action(cast=cast, now=now, asset=asset)
    comment = make_comment(request, "Please measure returns.", by=cast.author, now=now)
    cycles.make_kpi(asset=asset, by=cast.author, now=now)
    return {
        "action": action.ref,
        "kpi": "conversion",
        "ref": request.ref,
        "run_id": Run.objects.earliest("pk").pk,
        "import_id": imported.pk,
        "view_id": make_view(cast.author, now=now).pk,
        "absence_id": make_absence(cast.product, now=now).pk,
        "item": "cheaper-alternatives",
        "metric": "latency_p95_ms",
        "number": 1,
        "position": 1,
        "version_id": request.model_version_id,
        "comment_id": comment.pk,
        "thread_id": comment.thread_id,
        "change_id": _proposed(cast, now).pk,
        "dataset_id": make_dataset(by=cast.author, now=now, seed=7, name="own", is_governed=False).pk,
        "finding_id": _noticed(cast, now).pk,
        "condition_id": request.decision.authorization.conditions.get().pk,
        "team": Team.objects.get(slug="search").slug,
        "slug": asset.slug,
        "quarter": str(Quarter.of(now.date())),
        "unit": "USD",
        "kind": "csv",
        "name": "frontier",
    }


def _proposed(cast: Cast, now: datetime) -> Change:
    account = BudgetAccount.objects.filter(unit="USD").earliest("quarter")
    wish = Rebooking(aspect=Aspect.AMOUNT, account=account, amount=account.entries.earliest("pk").amount + 1)
    return budget_changes.propose(wish=wish, reason="One more is needed.", by=cast.author, now=now)


def _noticed(cast: Cast, now: datetime) -> Finding:
    said = findings.Sighting(
        kind="test", subject="S", text="Seen.", severity=Severity.LOW, key="k", owner=cast.author, due_on=now.date()
    )
    return findings.raise_once(sighting=said, by=None, now=now)


def client_of(user: User, name: str, now: datetime) -> Client:
    if not name.startswith("api:"):
        client = Client()
        client.force_login(user)
        return client
    program = APIClient()
    token = people.create_token(user=user, valid_days=1, by=None, now=now)
    program.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return program


def url_of(address: Address, things: Mapping[str, Any]) -> str:
    values = dict(things) | OWN_VALUES.get(address.name, {})
    return reverse(address.name, kwargs={name: values[name] for name in address.parameters})


def test_a_stranger_finds_nothing_and_moves_nothing(cast: Cast, things: Mapping[str, Any], now: datetime) -> None:
    before, found = snapshot(), {}
    web, api = client_of(cast.outsider, "", now), client_of(cast.outsider, "api:", now)
    for address in SWEPT:
        client, url = api if address.name.startswith("api:") else web, url_of(address, things)
        said = [getattr(client, method)(url).status_code for method in METHODS]
        if not set(said) <= {404, 405} or 404 not in said:
            found[address.name] = said
    after = snapshot()
    assert found == {}
    assert after == before
    moved = sum(after[name] != before[name] for name in before)
    counts = {"addresses": len(SWEPT), "calls": len(SWEPT) * len(METHODS), "told": len(found), "moved": moved}
    harness_report.tell("strangers", __file__, **counts)


def test_whoever_is_nobody_is_asked_to_log_in(things: Mapping[str, Any]) -> None:
    said = {
        address.name: {getattr(Client(), method)(url_of(address, things)).status_code for method in METHODS}
        for address in SWEPT
    }
    assert said == {address.name: {401 if address.name.startswith("api:") else 302} for address in SWEPT}


def test_members_see_what_strangers_do_not(cast: Cast, things: Mapping[str, Any], now: datetime) -> None:
    """So that the sweep cannot pass by asking for things that are not there."""
    web, api = client_of(cast.author, "", now), client_of(cast.author, "api:", now)
    said = {}
    for address in SWEPT:
        answer = (api if address.name.startswith("api:") else web).get(url_of(address, things))
        said[address.name] = answer.status_code
        answer.getvalue()  # read to its end, a file is closed
    assert set(said.values()) <= {200, 302, 404, 405, 409}
    seen = [name for name, status in said.items() if status == 200]
    assert len(seen) >= SEEN_BY_ITS_MEMBERS, said
    assert [name for name, status in said.items() if status == 404] == ["reviews:answer_file"], said


def test_the_sweep_finds_the_addresses_there_are() -> None:
    names = {address.name for address in SWEPT}
    assert {"reviews:detail", "reviews:packet", "api:request", "benchmarking:run", "governance:account"} <= names
    assert len(names) >= 40
