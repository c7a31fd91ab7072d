"""An approval puts the filed KPI map on the scorecard of the model, once, and touches nothing that people set."""

from decimal import Decimal

from governance.audit.models import AuditEvent
from governance.budgets.actions import budgets
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.people.queries.people import person_of
from reviews.quarterly.actions import scorecard
from reviews.quarterly.actions.scorecard import KpiSheet
from reviews.quarterly.queries import scores
from reviews.requests.models import ReviewRequest
from reviews.scorecard.domain.scorecard import KpiDirection
from reviews.scorecard.models import Kpi
from reviews.workflow.actions import filed_kpis, review
from tests.factories import requests as walks
from tests.integration.reviews.evidence.test_projections import stated
from tests.integration.reviews.workflow.worlds import World

EFFECT = {
    "method": "experiment",
    "low": "1",
    "high": "2",
    "unit": "USD a year",
    "evidence": "split test",
    "estimated_on": "2026-10-05",
}
LINE = {
    "kpi": "Fraud losses",
    "metric": "recall",
    "target": "0.8",
    "unit": "ratio",
    "better": "higher",
    "owner": "payments",
    "data_source": "chargebacks",
    "effect": EFFECT,
}
SPEED = LINE | {"kpi": "Answers in time", "metric": "p95", "unit": "ms", "target": "200", "better": "lower"}


def filed(world: World, *lines: dict[str, object]) -> ReviewRequest:
    request = world.submitted()
    stated(world, request, kpis=list(lines))
    return request


def register(world: World, request: ReviewRequest) -> list[str]:
    return [row.slug for row in filed_kpis.register(request=request, by=world.cast.approver, now=world.now)]


def test_each_line_is_registered_once(world: World) -> None:
    request = filed(world, LINE, SPEED)
    assert register(world, request) == ["fraud-losses-recall", "answers-in-time-p95"]
    event = AuditEvent.objects.latest("position")
    assert (event.kind, event.subject) == ("scorecard.kpi_filed", "search/visual-search")
    assert event.details == {"request": request.ref, "kpis": ["fraud-losses-recall", "answers-in-time-p95"]}
    row = Kpi.objects.get(slug="fraud-losses-recall")
    asset = request.model_version.asset
    assert (row.asset, row.owner, row.set_by, row.target) == (asset, asset.owner, world.cast.approver, Decimal("0.8"))
    kpis = scores.on_scorecard("2026Q4", person=person_of(world.cast.approver))
    (fast, losses) = scores.lines_of(kpis, quarter="2026Q4")
    assert [(line.score.kpi, line.score.metric, line.score.actual) for line in (fast, losses)] == [
        ("Answers in time", "p95", None),
        ("Fraud losses", "recall", None),
    ]
    before = AuditEvent.objects.count()
    assert register(world, request) == []
    assert (AuditEvent.objects.count(), Kpi.objects.count()) == (before, 2)


def test_what_people_set_or_retired_stays(world: World) -> None:
    request = filed(world, LINE)
    sheet = KpiSheet(
        slug="fraud-losses-recall",
        name="Losses",
        metric="recall",
        unit="ratio",
        better=KpiDirection.HIGHER,
        target=Decimal("0.9"),
        owner=world.cast.author,
        data_source="ours",
        how_estimated="Known.",
    )
    kpi = scorecard.set_kpi(asset=request.model_version.asset, sheet=sheet, by=world.cast.author, now=world.now)
    scorecard.retire_kpi(kpi=kpi, by=world.cast.author, now=world.now)
    assert register(world, request) == []
    row = Kpi.objects.get()
    assert (row.name, row.target, row.retired_at) == ("Losses", Decimal("0.9"), world.now)


def test_a_request_without_a_map_registers_nothing(world: World) -> None:
    before = AuditEvent.objects.count()
    assert register(world, world.decided()) == []
    assert not Kpi.objects.exists()
    assert not AuditEvent.objects.filter(position__gt=before, kind="scorecard.kpi_filed").exists()


def test_an_approval_registers_the_map(world: World) -> None:
    request = world.evidence()
    stated(world, request, kpis=[LINE])
    budgets.allocate(
        holder=request.team,
        quarter=str(Quarter.of(world.now)),
        unit=BudgetUnit.USD,
        amount=Decimal(900_000),
        key="more",
        by=world.cast.finance,
        now=world.now,
    )
    walks.explain_everything(request=request, by=world.cast.author, now=world.now)
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    for voter in (world.cast.reviewer_one, world.cast.reviewer_two):
        request = world.vote(request, voter)
    assert not Kpi.objects.exists()
    request = world.vote(request, world.cast.approver, stage_id="gpu-budget")
    assert request.decision.outcome == "approved"
    assert [row.slug for row in Kpi.objects.all()] == ["fraud-losses-recall"]
