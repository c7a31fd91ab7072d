"""Read the input of the agenda rules from the database: one function for each source."""

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
from reviews.authorizations.domain.authorization_states import IN_FORCE, AuthorizationState
from reviews.authorizations.models import OPEN_CONDITION, Authorization, Condition
from reviews.evidence.models import Waiver
from reviews.evidence.queries import comparison
from reviews.evidence.queries.comparison_sources import histories_of
from reviews.evidence.queries.evidence import amounts_of, metric_values_by_request
from reviews.quarterly.domain.action_items import ACTION_CLOSED
from reviews.quarterly.domain.agenda import AgendaEntry, build_agenda
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.domain.sources import (
    ConditionDue,
    ExpiringAuthorization,
    ForecastError,
    Investment,
    OpenAction,
    OpenFinding,
    Saving,
    Sources,
    UnownedModel,
    WaiverInForce,
)
from reviews.quarterly.domain.variance import variance_of
from reviews.quarterly.models import ActionItem, ReviewCycle
from reviews.quarterly.queries import quarterly_metrics
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics.values import MetricValue

PENDING = (RequestState.EVIDENCE, RequestState.IN_REVIEW, RequestState.CHANGES_REQUESTED)
WORTH_IT = "worth_it"
_OF_AUTHORIZATION = "authorization__decision__request__model_version__asset__team"


def agenda_entries(cycle: ReviewCycle, *, now: datetime) -> tuple[AgendaEntry, ...]:
    """The agenda of a cycle that the rules find now."""
    return build_agenda(agenda_sources(cycle, now=now), quarter=Quarter.parse(cycle.quarter))


def agenda_sources(cycle: ReviewCycle, *, now: datetime) -> Sources:
    """All sources at `now`."""
    return Sources(
        investments=_investments(Quarter.parse(cycle.quarter)),
        conditions=_conditions(),
        expirations=_expirations(),
        findings=_findings(),
        forecast_errors=_forecast_errors(Quarter.parse(cycle.quarter), now),
        waivers=_waivers(now),
        unowned_models=_unowned_models(),
        savings=_savings(),
        open_actions=_open_actions(cycle),
    )


def model_name(asset: ModelAsset) -> str:
    """The name of a model on the agenda: "team/slug"."""
    return f"{asset.team.slug}/{asset.slug}"


def _about(request: ReviewRequest) -> dict[str, Any]:
    """The names of a request and of its model."""
    return {"ref": request.ref, "model": model_name(request.model_version.asset)}


def _investments(quarter: Quarter) -> tuple[Investment, ...]:
    rows = ReviewRequest.objects.select_related("model_version__asset__team", "policy")
    pending = rows.filter(state__in=[state.value for state in PENDING])
    approved = rows.filter(
        decision__outcome__startswith="approved",
        decision__decided_at__date__gte=quarter.start_on,
        decision__decided_at__date__lte=quarter.end_on,
    )
    requests = [*pending.order_by("pk"), *approved.select_related("decision").order_by("pk")]
    metric_values = metric_values_by_request(requests)
    return tuple(_investment(row, metric_values[row.pk]) for row in requests)


def _investment(row: ReviewRequest, metric_values: list[MetricValue]) -> Investment:
    decided_at = row.decision.decided_at if row.state == RequestState.DECIDED else None
    amount = amounts_of(metric_values)[BudgetUnit.USD]
    model = model_name(row.model_version.asset)
    return copy_of(row, Investment, model=model, usd=amount or None, approved_at=decided_at)


def _valid_authorizations() -> QuerySet[Authorization]:
    return Authorization.objects.filter(state__in=[*IN_FORCE, AuthorizationState.SUSPENDED]).order_by("pk")


def _conditions() -> tuple[ConditionDue, ...]:
    rows = Condition.objects.filter(OPEN_CONDITION, authorization__in=_valid_authorizations()).order_by("due_on", "pk")
    return tuple(
        ConditionDue(
            number=row.pk,
            text=row.text,
            owner=name_of(row.owner),
            due_on=row.due_on,
            authorization=row.authorization.number,
            **_about(row.authorization.decision.request),
        )
        for row in rows.select_related("owner", _OF_AUTHORIZATION)
    )


def _expirations() -> tuple[ExpiringAuthorization, ...]:
    rows = _valid_authorizations().select_related("decision__request__model_version__asset__team")
    return tuple(
        copy_of(row, ExpiringAuthorization, authorization=row.number, **_about(row.decision.request)) for row in rows
    )


def _forecast_errors(quarter: Quarter, now: datetime) -> tuple[ForecastError, ...]:
    """The projected and billed cost in the quarter of each authorization with a bill."""
    rows = _valid_authorizations().select_related("decision__request__model_version__asset__team")
    requests = [row.decision.request for row in rows]
    months = comparison.months_by_request(histories_of(requests), now=now)
    errors = []
    for request in requests:
        model = model_name(request.model_version.asset)
        variance = variance_of(model, quarterly_metrics.in_quarter(months[request.pk], quarter=quarter))
        if variance is not None:
            errors.append(copy_of(variance, ForecastError, ref=request.ref))
    return tuple(errors)


def _findings() -> tuple[OpenFinding, ...]:
    rows = list(Finding.objects.filter(state=FindingState.OPEN).order_by("pk"))
    refs = {row.pk: row.subject[:20].split(" ")[0] for row in rows}
    requests = ReviewRequest.objects.select_related("model_version__asset__team").filter(ref__in=refs.values())
    by_ref = {request.ref: request for request in requests}
    accounts = findings.accounts_of(rows)
    return tuple(_finding(row, accounts.get(row.pk), by_ref.get(refs[row.pk])) for row in rows)


def _finding(row: Finding, account: BudgetAccount | None, request: ReviewRequest | None) -> OpenFinding:
    """A budget finding has an account; a request finding names the request in its subject."""
    team = account.center.team if account is not None else None
    budget = f"/budgets/{account.center.slug}/{account.quarter}/{account.unit}/" if account is not None else "/budgets/"
    page = f"/requests/{request.ref}/" if request is not None else budget
    about = _about(request) if request else {"ref": "", "model": ""}
    return copy_of(row, OpenFinding, number=row.pk, page=page, team=team.slug if team else "", **about)


def _waivers(now: datetime) -> tuple[WaiverInForce, ...]:
    rows = Waiver.objects.filter(expires_at__gt=now).select_related("granted_by", "request__model_version__asset__team")
    return tuple(
        WaiverInForce(
            number=row.pk,
            rule=row.rule_id or row.item_id,
            reason=row.reason,
            granted_by=name_of(row.granted_by),
            expires_at=row.expires_at,
            **_about(row.request),
        )
        for row in rows.order_by("pk")
    )


def _unowned_models() -> tuple[UnownedModel, ...]:
    """Models whose owner has a closed account or is no longer a requester of the team."""
    filing = set(RoleGrant.objects.filter(role=Role.REQUESTER).values_list("user_id", "team_id"))
    rows = ModelAsset.objects.select_related("team", "owner").order_by("pk")
    return tuple(
        UnownedModel(model=model_name(row), name=row.name, owner=name_of(row.owner))
        for row in rows
        if not row.owner.is_active or (row.owner_id, row.team_id) not in filing
    )


def _savings() -> tuple[Saving, ...]:
    """Variants of approved models that a run found worth using. A variant is in use if its digest is authorized."""
    rows = ReviewRequest.objects.filter(decision__authorization__in=_valid_authorizations())
    in_use = frozenset(_valid_authorizations().values_list("subject_digest", flat=True))
    savings = []
    requests = list(rows.select_related("model_version__asset__team").order_by("pk"))
    runs_by_ref = runs.by_request([row.ref for row in requests])
    for row in requests:
        for run in runs_by_ref[row.ref]:
            candidates = (run.result or {}).get("candidates", ())
            savings += [
                _saving(row, variant, in_use) for variant in candidates if variant["verdict"]["answer"] == WORTH_IT
            ]
    return tuple(savings)


def _saving(row: ReviewRequest, candidate: Mapping[str, Any], in_use: frozenset[str]) -> Saving:
    speed = candidate.get("speed_up")
    return Saving(
        variant=str(candidate["name"]),
        is_realized=candidate.get("digest", "") in in_use,
        share=1 - 1 / Decimal(str(speed["value"])) if speed else None,
        **_about(row),
    )


def _open_actions(cycle: ReviewCycle) -> tuple[OpenAction, ...]:
    rows = ActionItem.objects.exclude(state__in=sorted(ACTION_CLOSED)).filter(
        decision__item__cycle__quarter__lt=cycle.quarter
    )
    related = ("owner", "decision__item__cycle", "decision__item__asset__team")
    return tuple(
        copy_of(
            row,
            OpenAction,
            quarter=row.decision.item.cycle.quarter,
            owner=name_of(row.owner),
            model=model_name(row.decision.item.asset) if row.decision.item.asset is not None else "",
            text=f"{DecisionKind(row.decision.kind).words.capitalize()}: {row.decision.item.title}",
        )
        for row in rows.select_related(*related).order_by("pk")
    )
