"""When a step with money takes a second person, who may be that person, and the terms and quarters of accounts."""

from datetime import date
from decimal import Decimal

import pytest

from governance.budgets.domain.ledger import BudgetMode
from governance.budgets.domain.quarters import Quarter
from governance.budgets.domain.second_person import (
    MoneyStep,
    check_independent,
    reasons_for_second_person,
    sentence_of,
)
from governance.budgets.domain.terms import AccountTerms, check_tolerance
from weighbridge.core.errors import Invalid, NotAllowed

OWN = "it is money for your own team (search)"
LOOSER = "it loosens the enforcement of a budget"
SLIP = "the amount is 10 times the largest budget so far, or more"
LARGE = "the amount is 10,000,000 or more"
D = Decimal


@pytest.mark.parametrize(
    ("step", "reasons"),
    [
        ({}, ()),
        ({"raised_teams": {"ads"}}, ()),
        ({"raised_teams": {"search", "ads"}}, (OWN,)),
        ({"own_teams": set(), "raised_teams": {"search"}}, ()),
        ({"loosens": True}, (LOOSER,)),
        ({"amount": D("99999.99"), "usual": D(1)}, ()),
        ({"amount": D(100_000), "usual": D(10_000)}, (SLIP,)),
        ({"amount": D(100_000), "usual": D("10000.01")}, ()),
        ({"amount": D(9_999_999)}, ()),
        ({"amount": D(10_000_000)}, (LARGE,)),
        ({"raised_teams": {"search"}, "loosens": True, "amount": D(10**8), "usual": D(1)}, (OWN, LOOSER, SLIP, LARGE)),
    ],
)
def test_what_takes_a_second_person(step, reasons):
    asked = {"own_teams": {"search"}, "raised_teams": set()} | step
    assert reasons_for_second_person(MoneyStep(**asked)) == reasons


def test_the_reasons_are_one_sentence():
    assert sentence_of((OWN, LARGE)) == (
        "A second person must confirm this, because it is money for your own team (search), and because the amount is "
        "10,000,000 or more."
    )


def test_the_second_person_is_of_another_team():
    check_independent(own_teams={"ads"}, teams={"search", ""})
    with pytest.raises(NotAllowed, match=r"You belong to a team whose money this changes \(ads, search\)") as refusal:
        check_independent(own_teams={"search", "ads", "x"}, teams={"search", "ads"})
    assert refusal.value.code == "own_team"


def test_terms_are_looser_with_a_weaker_mode_or_more_tolerance():
    modes = [BudgetMode.OFF, BudgetMode.OBSERVE, BudgetMode.ENFORCE]
    all_terms = [AccountTerms(mode=mode, tolerance_percent=percent) for mode in modes for percent in (5, 10)]
    for before in all_terms:
        for after in all_terms:
            is_weaker = modes.index(after.mode) < modes.index(before.mode)
            assert after.loosens(before) is (is_weaker or after.tolerance_percent > before.tolerance_percent)
    assert all_terms[0].as_details == {"mode": "off", "tolerance_percent": 5}


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_tolerance_is_a_share(percent):
    check_tolerance(0)
    check_tolerance(100)
    with pytest.raises(Invalid) as refusal:
        check_tolerance(percent)
    assert refusal.value.field == "tolerance_percent"


@pytest.mark.parametrize("text", ["2023Q4", "2026Q4", "2029Q4"])
def test_a_budget_is_for_a_near_quarter(text):
    Quarter.parse(text).check_near(date(2026, 11, 27))


@pytest.mark.parametrize("text", ["1999Q1", "2023Q3", "2030Q1", "2999Q4"])
def test_a_budget_for_a_far_quarter_is_a_slip(text):
    with pytest.raises(Invalid, match=f"A budget is for a quarter from 2023Q4 to 2029Q4, not for {text}") as refusal:
        Quarter.parse(text).check_near(date(2026, 11, 27))
    assert refusal.value.field == "quarter"
