"""What a decision may not lack, kind by kind; scorecard arithmetic; minutes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.quarterly.domain.decisions import DecisionKind, TakenDecision, check_decision
from reviews.quarterly.domain.minutes import Attendee, MinutedDecision, MinutedItem, Minutes, escaped, markdown
from reviews.scorecard.domain.scorecard import KpiDirection, KpiScore, KpiStatus, KpiTrend, Totals, totals
from weighbridge.core.errors import Invalid

TODAY = date(2027, 1, 12)
METRICS = st.decimals(-(10**6), 10**6, allow_nan=False, allow_infinity=False, places=3)


def wish(kind: DecisionKind = DecisionKind.KEEP, **changes: object) -> TakenDecision[str]:
    fields = {
        "kind": kind,
        "owner": "ada",
        "due_on": date(2027, 2, 1),
        "rationale": "It earns its cost.",
        "amount_usd": Decimal(100) if kind is DecisionKind.BUDGET_CHANGE else None,
    }
    return TakenDecision(**{**fields, **changes})


def check(decision: TakenDecision[str], *, lacks: str = "") -> None:
    """Check the decision of an item that has everything but what it lacks."""
    subjects = {f"has_{name}": name != lacks for name in ("model", "request", "team")}
    check_decision(decision, **subjects, today=TODAY)


@pytest.mark.parametrize("kind", list(DecisionKind))
def test_a_whole_decision_of_every_kind(kind: DecisionKind) -> None:
    check(wish(kind))
    assert kind.words
    assert kind.implies.endswith(".")


@pytest.mark.parametrize(
    ("refused", "field", "reason"),
    [
        (wish(owner=None), "owner", "A decision needs an owner"),
        (wish(due_on=None), "due_on", "A decision needs a due date"),
        (wish(due_on=TODAY - timedelta(days=1)), "due_on", "between 2027-01-12 and 2028-01-13"),
        (wish(due_on=TODAY + timedelta(days=367)), "due_on", "between"),
        (wish(rationale="  short  "), "rationale", "at least 10 characters"),
        (wish(amount_usd=Decimal(1)), "amount_usd", "The decision to keep has no amount"),
        (wish(DecisionKind.BUDGET_CHANGE, amount_usd=None), "amount_usd", "needs the new amount"),
        (wish(DecisionKind.BUDGET_CHANGE, amount_usd=Decimal(-1)), "amount_usd", "zero or more"),
        (wish(DecisionKind.BUDGET_CHANGE, amount_usd=Decimal("NaN")), "amount_usd", "zero or more"),
        (wish(DecisionKind.BUDGET_CHANGE, amount_usd=Decimal("1.001")), "amount_usd", "more than two decimals"),
    ],
)
def test_what_a_decision_may_not_lack(refused: TakenDecision[str], field: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as refusal:
        check(refused)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("kind", "lacks", "reason"),
    [
        (DecisionKind.KEEP, "model", "has no model, so the meeting cannot decide to keep it"),
        (DecisionKind.APPROVE_INVESTMENT, "request", "Only an item with a request"),
        (DecisionKind.BUDGET_CHANGE, "team", "has no team"),
    ],
)
def test_what_the_item_of_a_decision_may_not_lack(kind: DecisionKind, lacks: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as refusal:
        check(wish(kind), lacks=lacks)
    assert refusal.value.field == "kind"


@pytest.mark.parametrize("due_on", [TODAY, TODAY + timedelta(days=366)])
def test_the_first_and_the_last_day_a_decision_may_be_due(due_on: date) -> None:
    check(wish(due_on=due_on))


def test_a_budget_may_be_changed_without_a_model_even_to_nothing() -> None:
    check(wish(DecisionKind.BUDGET_CHANGE, amount_usd=Decimal("0.00")), lacks="model")


def score(
    actual: str | None, before: str | None = None, *, target: str = "100", better: KpiDirection = KpiDirection.HIGHER
) -> KpiScore:
    return KpiScore(
        model="search/ranker",
        kpi="Conversion",
        metric="accuracy",
        unit="%",
        better=better,
        target=Decimal(target),
        actual=None if actual is None else Decimal(actual),
        before=None if before is None else Decimal(before),
    )


@pytest.mark.parametrize(
    ("said", "status", "trend", "gap", "change"),
    [
        (score(None), KpiStatus.UNKNOWN, KpiTrend.FIRST, None, None),
        (score("100"), KpiStatus.MET, KpiTrend.FIRST, "0", None),
        (score("110", "100"), KpiStatus.MET, KpiTrend.BETTER, "0.1", "0.1"),
        (score("90", "100"), KpiStatus.MISSED, KpiTrend.WORSE, "-0.1", "-0.1"),
        (score("102", "100"), KpiStatus.MET, KpiTrend.STEADY, "0.02", "0.02"),
        (score("90", "100", better=KpiDirection.LOWER), KpiStatus.MET, KpiTrend.BETTER, "0.1", "-0.1"),
        (score("110", "100", better=KpiDirection.LOWER), KpiStatus.MISSED, KpiTrend.WORSE, "-0.1", "0.1"),
        (score("-5", "-10", target="-8"), KpiStatus.MET, KpiTrend.BETTER, "0.375", "0.5"),
        (score("5", "0", target="0"), KpiStatus.MET, KpiTrend.BETTER, None, None),
    ],
)
def test_how_an_actual_stands(
    said: KpiScore, status: KpiStatus, trend: KpiTrend, gap: str | None, change: str | None
) -> None:
    assert (said.status, said.trend) == (status, trend)
    assert said.gap == (None if gap is None else Decimal(gap))
    assert said.change == (None if change is None else Decimal(change))


@given(actual=METRICS, target=METRICS, better=st.sampled_from(KpiDirection))
def test_the_sign_of_the_gap_says_whether_the_target_is_met(
    actual: Decimal, target: Decimal, better: KpiDirection
) -> None:
    said = score(str(actual), target=str(target), better=better)
    if said.gap is not None:
        assert (said.gap >= 0) == (said.status is KpiStatus.MET)
    mirrored = score(
        str(-actual),
        target=str(-target),
        better=KpiDirection.LOWER if better is KpiDirection.HIGHER else KpiDirection.HIGHER,
    )
    assert mirrored.status is said.status


def test_totals_count_every_line_once() -> None:
    assert totals((score("100"), score("90"), score("90"), score(None))) == Totals(met=1, missed=2, unknown=1)


MEETING = Minutes(
    quarter="2026Q4",
    chair="Lee Lead",
    held_at=datetime(2027, 1, 12, 9, 30, tzinfo=UTC),
    present=(Attendee(name="Lee Lead", side="engineering"), Attendee(name="Pia *Product*", side="product")),
    items=(
        MinutedItem(
            kind="Over budget",
            title="The ranker",
            reason="Run over by 12 USD.",
            decisions=(
                MinutedDecision(
                    kind="optimize",
                    rationale="Quantize it.",
                    decided_by="Lee Lead",
                    action="ACT-2026Q4-01",
                    owner="Ada",
                    due_on=date(2027, 2, 1),
                    amount="12.00 USD",
                ),
            ),
        ),
        MinutedItem(kind="Rule waived", title="# p95", reason="Waived."),
        MinutedItem(kind="Better variant, not in use", title="int8", reason="Worth it.", removal="In use\nalready."),
    ),
    notes="First.\n\n# Second <b>",
)


def test_the_minutes_word_for_word() -> None:
    assert markdown(MEETING) == (
        "# Model Performance & Cost Review 2026Q4\n\n"
        "Held on 2027-01-12 09:30 UTC; Lee Lead was the chair.\n\n"
        "## Present\n\n- Lee Lead, engineering\n- Pia \\*Product\\*, product\n\n"
        "## Decisions\n\n### The ranker\n\nOver budget. Run over by 12 USD.\n\n"
        "- **optimize** (12.00 USD): Quantize it. Decided by Lee Lead; Ada owns ACT-2026Q4-01, due 2027-02-01.\n\n"
        "## Not decided\n\n- \\# p95 (Rule waived)\n\n"
        "## Removed from the agenda\n\n- int8 (Better variant, not in use): In use already.\n\n"
        "## Notes\n\nFirst.\n\n\\# Second \\<b\\>\n"
    )


def test_minutes_of_a_meeting_that_decided_nothing() -> None:
    said = markdown(Minutes(quarter="2026Q4", chair="Lee", held_at=MEETING.held_at, present=(), items=()))
    assert said.endswith("## Decisions\n\nNothing was decided.\n")


@given(st.text())
def test_no_text_in_the_minutes_begins_a_line_or_acts(text: str) -> None:
    said = escaped(text)
    assert "\n" not in said
    assert not said.startswith(("#", "|", ">", "`", "*"))
