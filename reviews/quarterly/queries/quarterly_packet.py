"""Build the packet of a quarter from the database."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from django.db.models import QuerySet

from benchmarking.runs.domain.alternatives import variant_lines_of
from benchmarking.runs.models import Run
from benchmarking.runs.queries import runs
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.queries.budgets import spent_by_request
from governance.inventory.models import ModelAsset
from governance.people.queries.people import name_of
from reviews.authorizations.models import Authorization, Condition
from reviews.packets.queries.packet import generator_words
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.comparison import differences
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.domain.packet import (
    AgendaRow,
    ApprovedRow,
    FollowedRow,
    ModelPage,
    QuarterlyPacket,
    RejectedRow,
    ScoreRow,
    SourceRow,
    Variance,
    VariantRow,
    read_quarterly_packet,
)
from reviews.quarterly.domain.printed.leadership import PRIORITY, SAVINGS
from reviews.quarterly.models import AgendaItem, CyclePacket, ReviewCycle
from reviews.quarterly.queries import quarterly_metrics as metrics
from reviews.quarterly.queries.action_items import earlier_actions
from reviews.quarterly.queries.cycle_sources import model_name
from reviews.quarterly.queries.quarterly_metrics import ModelStanding
from reviews.quarterly.queries.scores import lines_of as score_lines_of
from reviews.requests.domain.copies import copy_of
from reviews.requests.enums import REJECTED
from reviews.requests.models import ReviewRequest
from reviews.scorecard.models import Kpi

NO_RISK = frozenset({AgendaKind.PENDING_INVESTMENT, AgendaKind.NEW_INVESTMENT, *SAVINGS})
"""Items about a model that are no risk of it."""
SOURCES = {
    "Spend": (
        "The ledger of every budget account. The forecast continues, at its pace so far, the spend that belongs to no "
        "request, and adds what is committed."
    ),
    "Portfolio": (
        "The best value of each model's latest authorized request: billed before measured before estimated "
        "before declared. On the frontier stands what no other model beats in cost, latency and value together."
    ),
    "Bills against projections": (
        "What the billed months of the quarter were projected to cost, against what bills allocate to the model; "
        "where no bill does, a fourth of the projected year against what was drawn on its commitments. Volume is "
        "what more or fewer requests cost, efficiency the GPU hours for each of them, price the dollars for each "
        "hour; they are told apart for months whose requests were supplied, and the rest is named as such."
    ),
    "Scorecard": (
        "Metrics supplied before the cut-off by the owners of the KPIs; steady is less than two percent of the "
        "value before."
    ),
    "Agenda": "Gathered by rule from requests, authorizations, conditions, waivers and findings; edited by the leads.",
}


def packet_of(cycle: ReviewCycle, *, now: datetime) -> QuarterlyPacket:
    """The packet of a cycle with the current data."""
    quarter = Quarter.parse(cycle.quarter)
    assets = list(ModelAsset.objects.select_related("team", "owner").order_by("team__slug", "slug"))
    items = list(cycle.items.filter(removed_at=None).select_related("asset__team"))
    models = metrics.model_standings(assets, now=now)
    runs_of = runs.by_request([each.requests[0].ref for each in models if each.requests])
    spent = spent_by_request(quarter=cycle.quarter, unit=BudgetUnit.USD)
    variances = metrics.variances(models, quarter=quarter, spent=spent)
    packet = QuarterlyPacket(
        quarter=cycle.quarter,
        cut_off_at=cycle.cut_off_at,
        generated_at=now,
        generator=generator_words(),
        spend=metrics.spend(quarter, now=now),
        points=tuple(metrics.portfolio_point(each) for each in models),
        variances=tuple(variances.values()),
        scores=_scores(cycle.quarter),
        agenda=tuple(_agenda(number, item) for number, item in enumerate(items, start=1)),
        followed=_followed(cycle),
        changes=(),
        models=tuple(_page(each, items, variances.get(each.asset.pk), runs_of) for each in models),
        rejected=_rejected(quarter),
        approved=_approved(quarter),
        not_compared=metrics.not_compared(models, quarter=quarter),
        sources=tuple(SourceRow(part=part, words=words) for part, words in SOURCES.items()),
    )
    return _with_changes(cycle, packet)


def _with_changes(cycle: ReviewCycle, packet: QuarterlyPacket) -> QuarterlyPacket:
    before = CyclePacket.objects.filter(cycle__quarter__lt=cycle.quarter).order_by("-cycle__quarter", "-number").first()
    changes = differences(read_quarterly_packet(before.document) if before is not None else None, packet)
    return replace(packet, changes=changes)


def _scores(quarter: str) -> tuple[ScoreRow, ...]:
    lines = score_lines_of(Kpi.objects.filter(retired_at=None).select_related("asset__team", "owner"), quarter=quarter)
    return tuple(copy_of(line.score, ScoreRow, data_source=line.data_source) for line in lines)


def _agenda(number: int, item: AgendaItem) -> AgendaRow:
    model = model_name(item.asset) if item.asset else ""
    return copy_of(item, AgendaRow, position=number, kind=AgendaKind(item.kind).words, model=model)


def _followed(cycle: ReviewCycle) -> tuple[FollowedRow, ...]:
    return tuple(
        copy_of(
            row,
            FollowedRow,
            decision=DecisionKind(row.decision.kind).words,
            title=row.decision.item.title,
            owner=name_of(row.owner),
        )
        for row in earlier_actions(cycle)
    )


def _page(
    model: ModelStanding,
    items: list[AgendaItem],
    variance: Variance | None,
    runs_of: Mapping[str, list[Run]],
) -> ModelPage:
    asset, requests, authorization = model.asset, model.requests, model.authorization
    own = [item for item in items if item.asset_id == asset.pk]
    return ModelPage(
        model=model.name,
        name=asset.name,
        owner=name_of(asset.owner),
        tier=asset.tier,
        version=requests[0].model_version.version if requests else "",
        authorization=_authorization(authorization) if authorization else "",
        asked=tuple(dict.fromkeys(_asked(item) for item in own if item.kind in PRIORITY)),
        variance=variance,
        metrics=metrics.metric_rows(model, variance=variance),
        options=_options(runs_of[requests[0].ref]) if requests else (),
        conditions=tuple(map(_condition, authorization.conditions.all() if authorization else ())),
        risks=tuple(item.reason for item in own if item.kind not in NO_RISK),
        requests=tuple(row.ref for row in requests),
    )


def _asked(item: AgendaItem) -> str:
    return f"{AgendaKind(item.kind).words}: {item.title}"


def _condition(row: Condition) -> str:
    end = ", met" if row.met_at else ", lifted" if row.lifted_at else ", carried over" if row.carried_to_id else ""
    return f"{row.text} ({name_of(row.owner)}, by {row.due_on:%Y-%m-%d}{end})"


def _authorization(row: Authorization) -> str:
    return f"{row.number}, {row.state.replace('_', ' ')}, until {row.expires_at:%Y-%m-%d}"


def _options(runs: Iterable[Run]) -> tuple[VariantRow, ...]:
    return tuple(copy_of(line, VariantRow) for run in runs for line in variant_lines_of(run.result or {}))


def _approved(quarter: Quarter) -> tuple[ApprovedRow, ...]:
    """From the decisions, as the leads may take an approved request off the agenda."""
    rows = _decided(quarter).exclude(decision__outcome=REJECTED)
    return tuple(copy_of(row, ApprovedRow, model=model_name(row.model_version.asset)) for row in rows)


def _rejected(quarter: Quarter) -> tuple[RejectedRow, ...]:
    rows = _decided(quarter).filter(decision__outcome=REJECTED)
    return tuple(
        copy_of(row, RejectedRow, model=model_name(row.model_version.asset), reason=row.decision.rationale)
        for row in rows
    )


def _decided(quarter: Quarter) -> QuerySet[ReviewRequest]:
    rows = ReviewRequest.objects.filter(
        decision__decided_at__date__gte=quarter.start_on, decision__decided_at__date__lte=quarter.end_on
    )
    return rows.select_related("decision", "model_version__asset__team").order_by("pk")
