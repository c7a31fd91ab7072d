"""What the agenda of a quarter is gathered from, read from the database: one function for each source."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from benchmarking.runs.queries import runs
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount
from governance.budgets.queries import overruns as findings
from governance.findings.enums import FindingState
from governance.findings.models import Finding
from governance.inventory.models import ModelAsset
from governance.people.domain.roles import Role
from governance.people.models import RoleGrant
from governance.people.queries.people import name_of
from reviews.authorizations.domain import IN_FORCE, AuthorizationState
from reviews.authorizations.models import Authorization, Condition
from reviews.evidence.models import Waiver
from reviews.evidence.queries import comparison
from reviews.evidence.queries.comparison_sources import known_of
from reviews.evidence.queries.evidence import amounts_of, metric_values_by_request
from reviews.quarterly.domain.action_items import ACTION_CLOSED
from reviews.quarterly.domain.agenda import AgendaEntry, gather
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.domain.sources import (
    ConditionDue,
    Exemption,
    ExpiringAuthorization,
    Found,
    Investment,
    Miss,
    Orphan,
    Saving,
    Sources,
    Unfinished,
)
from reviews.quarterly.domain.variance import variance_of
from reviews.quarterly.models import ActionItem, ReviewCycle
from reviews.quarterly.queries import quarterly_metrics
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics import MetricValue

PENDING = (RequestState.EVIDENCE, RequestState.IN_REVIEW, RequestState.CHANGES_REQUESTED)
LIVING = (*IN_FORCE, AuthorizationState.SUSPENDED)
WORTH_IT = "worth_it"
_OF_AUTHORIZATION = "authorization__decision__request__model_version__asset__team"


def entries_of(cycle: ReviewCycle, *, now: datetime) -> tuple[AgendaEntry, ...]:
    """The agenda of a cycle as the rules find it now."""
    return gather(sources_of(cycle, now=now), quarter=Quarter.parse(cycle.quarter))


def sources_of(cycle: ReviewCycle, *, now: datetime) -> Sources:
    """Everything known at `now`."""
    return Sources(
        investments=_investments(Quarter.parse(cycle.quarter), now),
        obligations=_obligations(),
        endings=_endings(),
        findings=_findings(),
        misses=_misses(Quarter.parse(cycle.quarter), now),
        exemptions=_exemptions(now),
        orphans=_orphans(),
        savings=_savings(),
        unfinished=_unfinished(cycle),
    )


def model_name(asset: ModelAsset) -> str:
    """A model as the agenda names it: "team/slug"."""
    return f"{asset.team.slug}/{asset.slug}"


def _investments(quarter: Quarter, now: datetime) -> tuple[Investment, ...]:
    rows = ReviewRequest.objects.select_related("model_version__asset__team", "policy")
    pending = rows.filter(state__in=[state.value for state in PENDING])
    approved = rows.filter(
        decision__outcome__startswith="approved",
        decision__decided_at__date__gte=quarter.start_on,
        decision__decided_at__date__lte=quarter.end_on,
    )
    found = [*pending.order_by("pk"), *approved.select_related("decision").order_by("pk")]
    metric_values = metric_values_by_request(found)
    return tuple(_investment(row, metric_values[row.pk], now) for row in found)


def _investment(row: ReviewRequest, metric_values: list[MetricValue], now: datetime) -> Investment:
    decided_at = row.decision.decided_at if row.state == RequestState.DECIDED else None
    amount = amounts_of(metric_values, now=now)[BudgetUnit.USD]
    return Investment(
        ref=row.ref,
        title=row.title,
        model=model_name(row.model_version.asset),
        state=row.state,
        usd=amount or None,
        approved_at=decided_at,
    )


def _living() -> QuerySet[Authorization]:
    return Authorization.objects.filter(state__in=[state.value for state in LIVING]).order_by("pk")


def _obligations() -> tuple[ConditionDue, ...]:
    rows = Condition.objects.filter(met_at=None, authorization__in=_living()).order_by("due_on", "pk")
    return tuple(
        ConditionDue(
            number=row.pk,
            ref=row.authorization.decision.request.ref,
            text=row.text,
            owner=name_of(row.owner),
            model=model_name(row.authorization.decision.request.model_version.asset),
            due_on=row.due_on,
            authorization=row.authorization.number,
        )
        for row in rows.select_related("owner", _OF_AUTHORIZATION)
    )


def _endings() -> tuple[ExpiringAuthorization, ...]:
    rows = _living().select_related("decision__request__model_version__asset__team")
    return tuple(
        ExpiringAuthorization(
            ref=row.decision.request.ref,
            model=model_name(row.decision.request.model_version.asset),
            authorization=row.number,
            environment=row.environment,
            expires_at=row.expires_at,
        )
        for row in rows
    )


def _misses(quarter: Quarter, now: datetime) -> tuple[Miss, ...]:
    """What authorizations were projected to cost in the quarter, and what was billed; of those with a bill."""
    rows = _living().select_related("decision__request__model_version__asset__team")
    requests = [row.decision.request for row in rows]
    months = comparison.months_by_request(known_of(requests), now=now)
    found = []
    for request in requests:
        model = model_name(request.model_version.asset)
        known = variance_of(model, quarterly_metrics.in_quarter(months[request.pk], quarter=quarter))
        if known is not None:
            found.append(
                Miss(ref=request.ref, model=model, projected_usd=known.projected_usd, billed_usd=known.billed_usd)
            )
    return tuple(found)


def _findings() -> tuple[Found, ...]:
    rows = list(Finding.objects.filter(state=FindingState.OPEN).order_by("pk"))
    named = {row.pk: row.subject[:20].split(" ")[0] for row in rows}
    requests = ReviewRequest.objects.select_related("model_version__asset__team").filter(ref__in=named.values())
    by_ref = {request.ref: request for request in requests}
    accounts = findings.accounts_of(rows)
    return tuple(_found(row, accounts.get(row.pk), by_ref.get(named[row.pk])) for row in rows)


def _found(row: Finding, account: BudgetAccount | None, request: ReviewRequest | None) -> Found:
    """A finding of a budget is of an account, one of a request names that in its subject."""
    team = account.center.team if account is not None else None
    budget = f"/budgets/{account.center.slug}/{account.quarter}/{account.unit}/" if account is not None else "/budgets/"
    page = f"/requests/{request.ref}/" if request is not None else budget
    return Found(
        number=row.pk,
        kind=row.kind,
        subject=row.subject,
        text=row.text,
        page=page,
        team=team.slug if team else "",
        model=model_name(request.model_version.asset) if request else "",
        ref=request.ref if request else "",
    )


def _exemptions(now: datetime) -> tuple[Exemption, ...]:
    rows = Waiver.objects.filter(expires_at__gt=now).select_related("granted_by", "request__model_version__asset__team")
    return tuple(
        Exemption(
            number=row.pk,
            ref=row.request.ref,
            model=model_name(row.request.model_version.asset),
            rule=row.rule_id,
            reason=row.reason,
            granted_by=name_of(row.granted_by),
            granted_at=row.granted_at,
            expires_at=row.expires_at,
        )
        for row in rows.order_by("pk")
    )


def _orphans() -> tuple[Orphan, ...]:
    """Models whose owner's account is closed, or who files for the model's team no more."""
    grants = RoleGrant.objects.filter(role=Role.REQUESTER).values_list("user_id", "team_id")
    filing = set(grants)
    rows = ModelAsset.objects.select_related("team", "owner").order_by("pk")
    return tuple(
        Orphan(model=model_name(row), name=row.name, owner=name_of(row.owner))
        for row in rows
        if not row.owner.is_active or (row.owner_id, row.team_id) not in filing
    )


def _savings() -> tuple[Saving, ...]:
    """Variants of approved models that their runs found worth it; in use once one of their digest is authorized."""
    rows = ReviewRequest.objects.filter(decision__authorization__in=_living())
    in_use = frozenset(_living().values_list("subject_digest", flat=True))
    found = []
    requests = list(rows.select_related("model_version__asset__team").order_by("pk"))
    asked = runs.by_request([row.ref for row in requests])
    for row in requests:
        for run in asked[row.ref]:
            candidates = (run.result or {}).get("candidates", ())
            found += [_saving(row, each, in_use) for each in candidates if each["verdict"]["answer"] == WORTH_IT]
    return tuple(found)


def _saving(row: ReviewRequest, candidate: Mapping[str, Any], in_use: frozenset[str]) -> Saving:
    speed = candidate.get("speed_up")
    return Saving(
        ref=row.ref,
        model=model_name(row.model_version.asset),
        variant=str(candidate["name"]),
        is_realized=candidate.get("digest", "") in in_use,
        share=1 - 1 / Decimal(str(speed["value"])) if speed else None,
    )


def _unfinished(cycle: ReviewCycle) -> tuple[Unfinished, ...]:
    rows = ActionItem.objects.exclude(state__in=sorted(ACTION_CLOSED)).filter(
        decision__item__cycle__quarter__lt=cycle.quarter
    )
    related = ("owner", "decision__item__cycle", "decision__item__asset__team")
    return tuple(
        Unfinished(
            ref=row.ref,
            quarter=row.decision.item.cycle.quarter,
            owner=name_of(row.owner),
            due_on=row.due_on,
            model=model_name(row.decision.item.asset) if row.decision.item.asset is not None else "",
            text=f"{DecisionKind(row.decision.kind).words.capitalize()}: {row.decision.item.title}",
        )
        for row in rows.select_related(*related).order_by("pk")
    )
