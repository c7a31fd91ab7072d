"""The leadership page of a quarter: every sentence with its values, and none without."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.packet import AgendaRow, ApprovedRow, FollowedRow, QuarterlyPacket, Variance
from reviews.quarterly.domain.printed.leadership import MINUS, PRIORITY, leadership_of
from tests.factories.quarterly import make_packet, make_score, make_spend, make_variance

EMPTY = dict.fromkeys(("spend", "points", "variances", "scores", "agenda", "followed", "changes", "rejected"), ())


def told(title: str, **changes: object) -> tuple[str, ...]:
    packet: QuarterlyPacket = make_packet(0, **EMPTY | changes)
    return next((topic.sentences for topic in leadership_of(packet) if topic.title == title), ())


def item(position: int, kind: AgendaKind, title: str = "Ranker", reason: str = "Why") -> AgendaRow:
    return AgendaRow(position=position, kind=kind.words, title=title, reason=reason, model="")


def test_the_story_of_a_quarter() -> None:
    page = {topic.title: topic.sentences for topic in leadership_of(make_packet(2))}
    assert page == {
        "Spend against budget": (
            "105,000.00 USD of 210,000.00 USD is spent (50%).",
            "The forecast for the whole quarter is 193,000.00 USD, 17,000.00 USD below the budget.",
            "The previous packet had 41,000.00 USD spent.",
            "1 account is over budget or will be: Team 2 USD by 2,000.00 USD.",
        ),
        "Biggest movers": (
            "2 models were billed 825.00 USD, 200.00 USD below the projections.",
            f"Model 1: 305.00 USD, 120.00 USD below its projection (volume {MINUS}60.00 USD, price {MINUS}60.00 USD).",
            f"Model 2: 520.00 USD, 80.00 USD below its projection (volume {MINUS}40.00 USD, price {MINUS}40.00 USD).",
        ),
        "Decisions taken": (
            "1 request was rejected: A larger ranker.",
            "Done: optimize “The ranking model”. Half the latency, a third of the cost.",
            "Overdue: scale down “The bidder”; Bo must finish it by 20 December 2026.",
        ),
        "What to decide now": (
            "Investment pending: Model 1 for search (item 1). It is in review: 1700 USD a year.",
            "Investment pending: Model 2 for search (item 2). It is in review: 2400 USD a year.",
        ),
    }


def test_a_quarter_without_values_has_no_sentence() -> None:
    assert leadership_of(make_packet(0, **EMPTY)) == ()


def test_bills_without_an_exchange_rate_are_named() -> None:
    assert told("Biggest movers", not_compared=("a/b: an exchange rate for EUR", "c/d: more")) == (
        "Bills without an exchange rate are not compared. Missing data: a/b: an exchange rate for EUR; c/d: more.",
    )


def test_spend_without_a_budget_and_hours_alone() -> None:
    title = "Spend against budget"
    spent = replace(make_spend(1), allocated=Decimal(0), forecast=Decimal(0))
    assert told(title, spend=(spent,)) == (
        "5,000.00 USD is spent; no budget in US dollars is allocated.",
        "1 account is over budget or will be: Team 1 USD by 5,000.00 USD.",
    )
    hours = replace(make_spend(2), unit="gpu_h", account="Team 2 GPU hours")
    assert told(title, spend=(hours,)) == ("1 account is over budget or will be: Team 2 GPU hours by 2,000 GPU h.",)
    exact = replace(make_spend(1), forecast=Decimal(10_000))
    over = [replace(make_spend(2), account=f"Team {number}") for number in range(5, 10)]
    assert told(title, spend=(exact,))[1] == (
        "The forecast for the whole quarter is 10,000.00 USD, exactly the budget."
    )
    assert told(title, spend=(exact, *over))[2] == (
        "5 accounts are over budget or will be: Team 5 by 2,000.00 USD, Team 6 by 2,000.00 USD, Team 7 by 2,000.00 "
        "USD, Team 8 by 2,000.00 USD and 1 more."
    )


def test_the_biggest_movers_first_and_none_that_did_not_move() -> None:
    rows = (
        Variance(model="a", projected_usd=Decimal(10), billed_usd=Decimal(10)),
        Variance(model="b", projected_usd=Decimal(10), billed_usd=Decimal(40)),
    )
    assert told("Biggest movers", variances=rows) == (
        "2 models were billed 50.00 USD, 30.00 USD above the projections.",
        "b: 40.00 USD, 30.00 USD above its projection (unexplained +30.00 USD).",
    )
    assert told("Biggest movers", variances=(make_variance(4),)) == (
        "1 model was billed 950.00 USD, exactly the projections.",
    )


def test_what_was_approved_and_what_is_not_finished() -> None:
    row = FollowedRow(
        ref="A", decision="optimize", title="X", owner="Ada", due_on=date(2027, 2, 3), state="acknowledged", outcome=""
    )
    dropped = replace(row, state="dropped")
    title = "Decisions taken"
    assert told(title, followed=(row, dropped), agenda=(item(1, AgendaKind.NEW_INVESTMENT),)) == (
        "1 investment was approved: Ranker.",
        "Not finished: optimize “X”; Ada must finish it by 3 February 2027.",
        "Dropped: optimize “X”.",
    )
    assert told(title, followed=(row,) * 5)[-1] == "1 more decision of earlier meetings is listed below."
    assert told(title, followed=(row,) * 6)[-1] == "2 more decisions of earlier meetings are listed below."


def test_every_kind_is_decided_except_what_has_happened() -> None:
    assert len(set(PRIORITY)) == len(PRIORITY)
    assert set(AgendaKind) - set(PRIORITY) == {AgendaKind.NEW_INVESTMENT, AgendaKind.SAVING_REALIZED}


def test_approvals_are_those_of_the_decisions_not_of_the_agenda() -> None:
    on_agenda, title = (item(1, AgendaKind.NEW_INVESTMENT, "Old"),), "Decisions taken"
    approved = (ApprovedRow(ref="MRR-1", title="Ranker", model="a/b"), ApprovedRow(ref="MRR-2", title="X", model="a/c"))
    assert told(title, approved=approved) == ("2 investments were approved: Ranker and X.",)
    assert told(title, approved=(), agenda=on_agenda) == ()
    assert told(title, approved=None, agenda=on_agenda) == ("1 investment was approved: Old.",)


def test_savings_in_use_come_first() -> None:
    agenda = (item(1, AgendaKind.SAVING_FOUND, "A", "int8 is 40 % faster."), item(2, AgendaKind.SAVING_REALIZED, "B"))
    assert told("Measured savings", agenda=agenda) == ("B: Why.", "A: int8 is 40 % faster.")
    assert told("Measured savings", agenda=agenda * 3)[-1] == "2 more better variants were measured."


def test_limits_that_are_exceeded_and_targets_that_are_missed() -> None:
    title, breach = "Over their limits", item(1, AgendaKind.BREACH, "Ranker", "Its p95 is 120 ms.")
    assert told(title, agenda=(breach,)) == ("Ranker: Its p95 is 120 ms.",)
    assert told(title, agenda=(breach,) * 5)[-1] == "1 more limit is exceeded."
    scores = (make_score(1), make_score(3), replace(make_score(2), actual=None))
    assert told(title, scores=scores) == (
        "1 of 3 KPIs missed its target: Conversion of team-4/model-3.",
        "1 KPI has no value for the quarter.",
    )
    assert told(title, scores=(make_score(3), make_score(6)))[0] == (
        "2 of 2 KPIs missed their target: Conversion of team-4/model-3 and Conversion of team-1/model-6."
    )


def test_what_is_most_urgent_is_decided_first() -> None:
    kinds = (AgendaKind.ADDED, AgendaKind.NEW_INVESTMENT, AgendaKind.PENDING_INVESTMENT, AgendaKind.BREACH)
    agenda = tuple(item(position, kind) for position, kind in enumerate(kinds, start=1))
    title = "What to decide now"
    assert told(title, agenda=agenda) == (
        "Limit exceeded: Ranker (item 4). Why.",
        "Investment pending: Ranker (item 3). Why.",
        "Added by the chair: Ranker (item 1). Why.",
    )
    for kind in (AgendaKind.PRICES, AgendaKind.FINDING, AgendaKind.WAIVER):
        assert told(title, agenda=(item(1, kind),)) == (f"{kind.words}: Ranker (item 1). Why.",)
    pending = item(1, AgendaKind.PENDING_INVESTMENT)
    assert told(title, agenda=(pending,) * 7)[-1] == "1 more item of the agenda needs a decision."
    assert told(title, agenda=(pending,) * 8)[-1] == "2 more items of the agenda need a decision."


def test_models_are_named_and_titles_end_once() -> None:
    model = make_packet(1).models[0].model
    about = {"model": model, "reason": "The variant int8 answers in 38 % less time."}
    saving = replace(item(1, AgendaKind.SAVING_FOUND, f"{model}: int8"), **about)
    due = replace(item(2, AgendaKind.CONDITION_DUE, "Show it after two months."), model=model)
    scores = (replace(make_score(3), model=model),)
    packet = make_packet(1, **EMPTY | {"agenda": (saving, due), "scores": scores})
    page = {topic.title: topic.sentences for topic in leadership_of(packet)}
    assert page["Measured savings"] == ("Model 1: The variant int8 answers in 38 % less time.",)
    assert page["Over their limits"] == ("1 of 1 KPI missed its target: Conversion of Model 1.",)
    assert page["What to decide now"] == (
        "Better variant, not in use: Model 1: int8 (item 1). The variant int8 answers in 38 % less time.",
        "Condition due: Show it after two months (item 2). Why.",
    )
