"""A quarterly packet of made-up models, whose metric values follow from their numbers: nothing of it is measured."""

from datetime import UTC, date, datetime
from decimal import Decimal

from reviews.quarterly.domain.packet import (
    AgendaRow,
    BasisRow,
    BudgetRowOfQuarter,
    ChangeRow,
    FollowedRow,
    ModelPage,
    PortfolioPoint,
    QuarterlyPacket,
    RejectedRow,
    ScoreRow,
    SourceRow,
    Variance,
    VariantRow,
)
from reviews.scorecard.domain.scorecard import KpiDirection

AT = datetime(2027, 1, 11, tzinfo=UTC)


def make_packet(models: int, **changes: object) -> QuarterlyPacket:
    """A packet of so many models, each with a page, a KPI, a point and a variance."""
    numbers = range(1, models + 1)
    fields = {
        "quarter": "2026Q4",
        "cut_off_at": AT,
        "generated_at": AT,
        "generator": "Weighbridge of the tests",
        "spend": tuple(make_spend(number) for number in range(1, 7)),
        "points": tuple(make_point(number) for number in numbers),
        "variances": tuple(make_variance(number) for number in numbers),
        "scores": tuple(make_score(number) for number in numbers),
        "agenda": tuple(make_agenda(number) for number in range(1, min(models, 40) + 1)),
        "followed": (
            FollowedRow(
                ref="ACT-2026Q3-01",
                decision="optimize",
                title="The ranking model",
                owner="Ada",
                state="done",
                due_on=date(2026, 12, 1),
                outcome="Half the latency, a third of the cost.",
            ),
            FollowedRow(
                ref="ACT-2026Q3-02",
                decision="scale down",
                title="The bidder",
                owner="Bo",
                state="open",
                due_on=date(2026, 12, 20),
                outcome="",
            ),
        ),
        "changes": (ChangeRow(what="Spent", before="41,000.00 USD", after="44,300.00 USD"),),
        "models": tuple(make_page(number) for number in numbers),
        "rejected": (
            RejectedRow(
                ref="MRR-2026-0007", title="A larger ranker", model="team-1/model-1", reason="It gains too little."
            ),
        ),
        "sources": (SourceRow(part="Spend", words="The ledger of every budget account."),),
    }
    return QuarterlyPacket(**{**fields, **changes})


def make_spend(number: int) -> BudgetRowOfQuarter:
    given = Decimal(10_000 * number)
    return BudgetRowOfQuarter(
        account=f"Team {number} USD",
        unit="USD",
        allocated=given,
        committed=given / 4,
        reserved=Decimal(0),
        spent=given / 2,
        forecast=given * Decimal("1.1") if number == 2 else given * Decimal("0.9"),
    )


def make_point(number: int) -> PortfolioPoint:
    return PortfolioPoint(
        model=name_of(number),
        cost_usd=Decimal(1_000 + 700 * number),
        latency_ms=Decimal(200) / number + number % 7,
        value=Decimal(number % 5 - 1) / 100,
    )


def make_variance(number: int) -> Variance:
    """Every third model lacks its requests; of the others half the difference is volume, the rest price."""
    projected, off = Decimal(250 + 175 * number), Decimal((number % 9 - 4) * 40)
    if number % 3 == 0:
        missing_inputs = ("the month's number of requests (October 2026)",)
        return Variance(
            model=name_of(number), projected_usd=projected, billed_usd=projected + off, missing_inputs=missing_inputs
        )
    return Variance(
        model=name_of(number),
        projected_usd=projected,
        billed_usd=projected + off,
        volume_usd=off / 2,
        efficiency_usd=Decimal(0),
        price_usd=off / 2,
    )


def make_score(number: int) -> ScoreRow:
    return ScoreRow(
        model=name_of(number),
        kpi="Conversion",
        metric="accuracy",
        unit="%",
        better=KpiDirection.HIGHER,
        target=Decimal(3),
        actual=Decimal(2 + number % 3),
        before=Decimal(3),
        supplied_by="Ada",
        channel="typed in",
        data_source="Analytics",
    )


def make_agenda(number: int) -> AgendaRow:
    return AgendaRow(
        position=number,
        kind="Investment pending",
        title=f"Model {number} for search",
        model=name_of(number),
        reason=f"It is in review: {1_000 + 700 * number} USD a year.",
    )


def make_page(number: int, *, name: str = "") -> ModelPage:
    return ModelPage(
        model=name_of(number),
        name=name or f"Model {number}",
        version=f"1.{number}.0",
        owner="Ada",
        tier="T1",
        authorization=f"AUT-2026-{number:04d}, active, until 2027-06-30",
        asked=(f"Investment pending: Model {number} for search", "Condition due: Watch its memory"),
        metrics=tuple(
            BasisRow(name=each, projected=f"{number * 7:,} USD", measured=f"{number * 6:,} USD", billed="")
            for each in ("total_cost_1y_usd", "inference_cost_1y_usd", "latency_p95_ms", "accuracy", "model_size_mb")
        ),
        options=tuple(
            VariantRow(
                name=each,
                answer="worth it",
                accuracy="0.8604 (0.8535 to 0.8671)",
                p95_ms="0.064 (0.058 to 0.070)",
                status="frontier (P 1.00)",
            )
            for each in ("fp32", "int8", "pruned", "distilled")
        ),
        conditions=("Watch its memory (Ada, by 2027-02-01)",),
        risks=("Its bill runs ahead of its forecast.",),
        requests=(f"MRR-2026-{number:04d}",),
        variance=make_variance(number),
    )


def name_of(number: int) -> str:
    return f"team-{number % 6 + 1}/model-{number}"
