"""What a portfolio's outcome says: totals, what binds and what more is worth, and the change that makes it possible."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest  # noqa: TID253 -- the reference

import weighbridge
from tests.unit.toolkit.cli.test_commands import weighbridge as command
from tests.unit.toolkit.tradeoff.portfolios import portfolio_document, portfolio_file, problem
from weighbridge.cli.tables.portfolio_table import portfolio_sentences
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.portfolio.file import portfolio_from
from weighbridge.tradeoff.portfolio.outcome import optimized, share_interval

MONEY, HOURS = "search USD", "search GPU h"


def test_the_choice_beside_what_was_asked() -> None:
    outcome = optimized(portfolio_from(portfolio_document()))
    assert [(each.model, each.asked, each.variant, each.value) for each in outcome.choices] == [
        ("search/ranker", "as asked", "INT8", 3_500),
        ("search/bidder", "as asked", "as asked", 9_000),
    ]
    assert (outcome.holds, outcome.is_proven, outcome.gap, outcome.bound) == (True, True, 0, 12_500)
    assert (outcome.totals.value, outcome.asked.value, outcome.totals.over_any, outcome.asked.over_any) == (
        12_500,
        13_100,
        0,
        1,
    )
    money, hours = outcome.totals.accounts
    assert (money.name, money.budget, money.expected, money.p90, money.over) == (MONEY, 9_000, 8_500, 8_500, 0)
    assert (hours.unit, hours.expected, outcome.asked.accounts[1].over) == ("GPU h", 100, 1)


def test_budgets_that_refuse_the_same_variant_bind_together() -> None:
    outcome = optimized(portfolio_from(portfolio_document()))
    assert [(each.account, each.lost, each.step, each.worth_of_one) for each in outcome.bindings] == [
        (0, 0, None, None),
        (1, 0, None, None),
    ]


def test_what_one_more_unit_is_worth_is_found_by_solving_again() -> None:
    given = portfolio_document()
    given["accounts"][0]["budget"] = 20_000  # type: ignore[index]
    outcome = optimized(portfolio_from(given))
    (binding,) = outcome.bindings
    assert (binding.account, binding.lost, binding.step, binding.gain, binding.worth_of_one) == (1, 600, 100, 600, 6)


def test_a_limit_that_no_tried_step_moves_says_only_what_it_costs() -> None:
    given = portfolio_document()
    given["accounts"][0]["budget"] = 20_000  # type: ignore[index]
    asked = portfolio_from(given)
    outcome = optimized(asked)
    (binding,) = outcome.bindings
    stuck = replace(outcome, bindings=(replace(binding, step=None, gain=None),))
    (sentence,) = [text for text in portfolio_sentences(stuck, asked) if "binds" in text]
    assert sentence == f"{HOURS} binds: without this limit the value would be 600 USD higher."


def test_with_budget_enough_nothing_binds() -> None:
    given = portfolio_document()
    for account in given["accounts"]:  # type: ignore[attr-defined]
        account["budget"] = 1_000_000
    outcome = optimized(portfolio_from(given))
    assert (outcome.bindings, outcome.change, [each.variant for each in outcome.choices]) == ((), (), ["as asked"] * 2)


def test_an_impossible_portfolio_says_what_makes_it_possible() -> None:
    given = problem([[7, 5]], [[[[9.0, 8.0]], [[6.5, 7.25]]]], [6.1])
    outcome = optimized(given)
    assert (outcome.holds, outcome.is_proven, outcome.bindings) == (False, True, ())
    assert [(limit.name, more) for limit, more in outcome.change] == [("account 0", 1.15)]


def test_an_increase_is_said_once_and_is_enough() -> None:
    given = problem([[7]], [[[[2234.487], [9.0]]]], [1000.0, 8.0])
    outcome = optimized(given)
    assert list(portfolio_sentences(outcome, given))[1:] == [
        "It becomes possible with 1,234.49 USD more for account 0 and 1 USD more for account 1."
    ]


def test_when_the_time_is_over_no_account_is_said_to_leave_room() -> None:
    asked = portfolio_from(portfolio_document())
    outcome = optimized(asked, seconds=-1.0)
    assert (outcome.holds, [each.lost for each in outcome.bindings]) == (True, [None, None])
    assert [text for text in portfolio_sentences(outcome, asked) if "The time was over" in text] != []
    assert "No budget binds." not in portfolio_sentences(outcome, asked)
    unproven = replace(outcome, bindings=(), is_proven=False, bound=outcome.totals.value + 1.234)
    sentences = list(portfolio_sentences(unproven, asked))
    assert sentences[1:] == [
        "No other choice is worth more than 1.24 USD more (proven bound: 12,501 USD).",
        "The search found no budget that binds.",
    ]


def test_the_first_tried_step_compares_with_no_smaller_one() -> None:
    given = problem([[0, 500]], [[[[0.0]], [[150.0]]]], [149.5])
    sentences = list(portfolio_sentences(optimized(given), given))
    assert sentences[-1].endswith("500 USD higher. 1 USD more would add 500 USD.")
    given = problem([[0, 500]], [[[[0.0]], [[150.0]]]], [100])
    sentences = list(portfolio_sentences(optimized(given), given))
    assert sentences[-1].endswith("100 USD more would add 500 USD; 10 more would add nothing.")


@pytest.mark.parametrize(("count", "draws"), [(0, 10), (1, 10), (10, 10), (37, 400)])
def test_intervals_of_shares_are_exact(count: int, draws: int) -> None:
    expected = binomtest(count, draws).proportion_ci(0.95, method="exact")
    assert share_interval(count, draws) == pytest.approx((expected.low, expected.high))


def changed(**changes: object) -> dict[str, object]:
    return portfolio_document() | changes


def variant(**changes: object) -> dict[str, object]:
    return changed(models=[{"name": "m", "variants": [{"name": "v", "value": 1} | changes]}])


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], None),
        (changed(schema="weighbridge.portfolio/2"), "schema"),
        (changed(models=[]), "models"),
        (changed(models="all"), "models"),
        (changed(accounts=[{"name": "a"}]), "accounts[0].budget"),
        (changed(accounts=[{"name": "a", "budget": "x"}]), "accounts[0].budget"),
        (changed(accounts=[{"name": "a", "budget": -1}]), "accounts[0].budget"),
        (changed(over_at_most=2), "over_at_most"),
        (changed(jointly="yes"), "jointly"),
        (changed(budget=5), "budget"),
        (variant(value=None), "models[0].variants[0].value"),
        (variant(value="1"), "models[0].variants[0].value"),
        (variant(value=[1, True]), "models[0].variants[0].value"),
        (variant(value=[]), "models[0].variants[0].value"),
        (variant(value=10**400), "models[0].variants[0].value"),
        (variant(value=float("nan")), "models[0].variants[0].value"),
        (variant(uses={"nobody": 1}), "models[0].variants[0].uses"),
        (variant(uses={MONEY: [1, 2], HOURS: [1, 2, 3]}), "models[0].variants[0]"),
        (variant(uses={MONEY: -1}), f"models[0].variants[0].uses.{MONEY}"),
        (variant(cost=1), "models[0].variants[0].cost"),
    ],
)
def test_a_malformed_document_is_refused_with_its_path(document: object, field: str | None) -> None:
    with pytest.raises(Invalid) as refusal:
        portfolio_from(document)
    assert refusal.value.field == field


def test_the_python_function_has_a_row_for_each_model() -> None:
    result = weighbridge.portfolio(portfolio_document())
    assert [row["variant"] for row in result.rows] == ["INT8", "as asked"]
    assert result["binding"][0]["account"] == MONEY
    with pytest.raises(Invalid, match="zero or more"):
        weighbridge.portfolio(portfolio_document(), seconds=float("nan"))


def test_the_command_prints_and_writes_the_choice(tmp_path: Path) -> None:
    portfolio_file(tmp_path / "p.json")
    done = command("portfolio", tmp_path / "p.json", "--json", tmp_path / "choice.json")
    assert done.exit_code == 0
    for words in (
        "No other choice is better (proven).",
        "Expected net value: 12,500 USD",
        "at most 10% of 10 draws may exceed each account",
        "search USD binds together with other accounts",
    ):
        assert words in done.stdout
    assert json.loads((tmp_path / "choice.json").read_text())["schema"] == "weighbridge.portfolio-choice/1"


def test_the_command_says_what_binds_and_what_is_impossible(tmp_path: Path) -> None:
    file = tmp_path / "p.json"

    def printed(change: Callable[[dict], None]) -> tuple[int, str]:
        document = portfolio_document()
        change(document)
        file.write_text(json.dumps(document))
        done = command("portfolio", file)
        return done.exit_code, " ".join(done.stdout.split())

    code, text = printed(lambda document: document["accounts"][0].update(budget=20_000))
    assert code == 0
    assert "search GPU h binds: without this limit the value would be 600 USD higher. 100 GPU h more would add" in text
    code, text = printed(lambda document: document["models"][1]["variants"].pop())
    assert code == 0
    code, text = printed(lambda document: [each["variants"].pop() for each in document["models"]])
    assert code == 0
    code, text = printed(
        lambda document: (document["accounts"][0].update(budget=1), [m["variants"].pop() for m in document["models"]])
    )
    assert (code, "No choice keeps the budgets" in text) == (1, True)
    assert "It becomes possible with 8,499 USD more for search USD." in text
    code, text = printed(lambda document: [each.update(budget=1e6) for each in document["accounts"]])
    assert (code, "No budget binds." in text) == (0, True)


def test_a_large_portfolio_says_how_far_from_the_best_it_may_be(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    models = [
        {
            "name": f"model {row}",
            "variants": [
                {"name": "as asked", "value": value, "uses": {MONEY: (base * draw.lognormal(0, 0.3, 60)).tolist()}},
                {"name": "wait", "value": 0},
            ],
        }
        for row, (value, base) in enumerate(draw.uniform(50, 150, (40, 2)))
    ]
    given = portfolio_document() | {"models": models, "accounts": [{"name": MONEY, "budget": 2_000}]}
    file = tmp_path / "p.json"
    file.write_text(json.dumps(given))
    done = command("portfolio", file, "--seconds", "0")
    assert done.exit_code == 0
    words = " ".join(done.stdout.split())
    value, more, bound = (
        float(text.replace(",", ""))
        for text in re.findall(
            r"net value: ([\d,.]+) USD .*worth more than ([\d,.]+) USD more \(.*: ([\d,.]+) USD", words
        )[0]
    )
    assert more == pytest.approx(bound - value, abs=1.5)
    assert more > 0
