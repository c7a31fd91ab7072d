"""What happens at the limits of the search: its rounds, its time, its memory, and joint constraints."""

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest

from tests.performance.test_portfolio_speed import large_problem
from tests.unit.toolkit.tradeoff.portfolios import portfolio_document, problem, random_problem, tried
from weighbridge.cli.tables.portfolio_table import account_sentences
from weighbridge.tradeoff.portfolio import program, search, sensitivity, solver
from weighbridge.tradeoff.portfolio.file import portfolio_from
from weighbridge.tradeoff.portfolio.outcome import optimized
from weighbridge.tradeoff.portfolio.parts import parts_of
from weighbridge.tradeoff.portfolio.sensitivity import bindings, cheapest_change
from weighbridge.tradeoff.portfolio.solver import Solved, solve


def one_unit_short() -> object:
    given = portfolio_document()
    given["accounts"][0]["budget"] = 20_000  # type: ignore[index]
    return portfolio_from(given)


def test_steps_end_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given = one_unit_short()
    solved = solve(given)
    answers = iter([False, True])
    monkeypatch.setattr(sensitivity, "is_over", lambda _: next(answers))
    same, (binding,) = bindings(given, solved, seconds=1.0)
    assert (same is solved, binding.lost, binding.step, binding.worth_of_one) == (True, 600, None, None)


def test_what_the_time_cut_short_is_not_said_to_add_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given = portfolio_from(portfolio_document())
    monkeypatch.setattr(solver, "QUICK_CELLS", 0)
    answers = itertools.chain([False], itertools.repeat(True))
    monkeypatch.setattr(sensitivity, "is_over", lambda _: next(answers))
    _, found = bindings(given, solve(given), seconds=-1.0)
    assert [(each.lost, each.is_exact) for each in found] == [(None, False), (None, False)]


def test_a_better_choice_that_keeps_the_budgets_is_no_worth_of_a_budget() -> None:
    """The start is not the best. What is gained without more budget becomes the choice; the rest is the budget's."""
    given = problem([[0, 50], [0, 30], [0, 9]], [[[[0.0]], [[5.0]]], [[[0.0]], [[5.0]]], [[[0.0]], [[6.0]]]], [10])
    poor = Solved(picks=np.array([0, 1, 0]), holds=True, value=30.0, bound=89.0, is_proven=False)
    better, (binding,) = bindings(given, poor, seconds=5.0)
    assert (better.picks.tolist(), better.value, better.bound, better.is_proven) == ([1, 1, 0], 80, 89, False)
    assert (binding.lost, binding.step, binding.gain, binding.is_exact) == (9, 10, 9, False)
    sentence = "account 0 binds: without this limit the search found a choice that is worth 9 USD more."
    outcome = replace(optimized(given), bindings=(binding,))
    assert list(account_sentences(outcome, given)) == [
        f"{sentence} With 10 USD more it found 9 USD more; with 1 more nothing."
    ]
    outcome = replace(outcome, bindings=(replace(binding, step=1.0),))
    assert list(account_sentences(outcome, given)) == [f"{sentence} With 1 USD more it found 9 USD more."]
    outcome = replace(outcome, bindings=(replace(binding, step=None),))
    assert list(account_sentences(outcome, given)) == [sentence]
    outcome = replace(outcome, bindings=(replace(binding, lost=0.0),))
    (only,) = account_sentences(outcome, given)
    assert only.endswith("more of it alone adds nothing that the search found.")


def test_a_budget_that_binds_through_an_exchange_is_found() -> None:
    """GPU hours refuse no better variant of a model, but a dearer one of the first pays once the second takes them."""
    uses = [[[[10.0], [0.0]], [[5.0], [0.0]]], [[[6.0], [0.0]], [[1.0], [10.0]]]]
    given = problem([[100, 50], [31, 30]], uses, [11, 0])
    outcome = optimized(given)
    assert outcome.totals.value == 81
    assert [(each.account, each.lost, each.step, each.gain, each.refuses) for each in outcome.bindings] == [
        (0, 50, 10, 50, True),
        (1, 49, 10, 49, False),
    ]
    late = replace(outcome, bindings=(replace(outcome.bindings[1], lost=None),))
    assert list(account_sentences(late, given)) == [
        "account 1 may bind. The time was over before more of it was tried."
    ]


def test_a_budget_that_could_be_exceeded_but_limits_nothing_is_not_said_to_bind() -> None:
    """The variant that exceeds the second budget is worth less than the one that was chosen."""
    given = problem([[9, 5], [0, 7]], [[[[1.0], [0.0]], [[1.0], [8.0]]], [[[0.0], [0.0]], [[3.0], [0.0]]]], [2, 4])
    assert [(each.account, each.lost) for each in optimized(given).bindings] == [(0, 7)]


def test_exchanges_end_with_the_time() -> None:
    (part,) = parts_of(problem([[0, 5], [4, 0]], [[[[0.0]], [[2.0]]], [[[2.0]], [[0.0]]]], [2]))
    start = np.array([0, 0])
    assert search._double(part, start, search.NEVER) == [(0, 1), (1, 1)]
    assert search._double(part, start, 0.0) is None
    assert search.improved(part, start, ends_at=0.0).tolist() == [0, 0]


def test_the_time_limits_the_search_and_the_bounds() -> None:
    given = large_problem(12)
    for seconds in (0.0, 0.5):
        begun = time.thread_time()
        outcome = optimized(given, seconds=seconds)
        assert time.thread_time() - begun < seconds + 1.5
        assert outcome.holds
        assert outcome.bound >= outcome.totals.value
    assert len(outcome.bindings) == 12


@pytest.mark.parametrize("ends_after", [1, 2, 3, 4, 5, 7, 10, 20, 40])
def test_wherever_the_time_ends_the_choice_holds_and_the_bound_is_one(
    ends_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(12):
        clock = itertools.count()
        monkeypatch.setattr(search, "now", lambda clock=clock: next(clock))
        monkeypatch.setattr(solver, "now", lambda: 0.0)
        given = random_problem(seed)
        solved, best = solve(given, cells_max=0, seconds=float(ends_after)), tried(given)
        assert not solved.holds or best is not None
        assert best is None or solved.bound >= best - 1e-6
        assert best is None or not solved.is_proven or solved.value == pytest.approx(best)


def test_steps_that_are_all_too_small_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensitivity, "STEPS", (1.0,))
    (binding,) = optimized(one_unit_short()).bindings
    assert (binding.lost, binding.step) == (600, None)


def test_accounts_that_bind_jointly() -> None:
    one, other = [9.0] + [1.0] * 9, [1.0] * 9 + [9.0]
    given = problem([[7, 0]], [[[one, other], [[0.0] * 10, [0.0] * 10]]], [1, 1], over_at_most=0.1, jointly=True)
    outcome = optimized(given)
    assert [choice.variant for choice in outcome.choices] == ["variant 1"]
    assert [(each.account, each.lost) for each in outcome.bindings] == [(0, 7), (1, 7)]


def test_models_that_no_budget_limits_need_no_change() -> None:
    given = problem([[7], [5]], [[[[9.0]]], [[[0.0]]]], [6])
    solved = solve(given)
    assert [(limit.name, more) for limit, more in cheapest_change(given, solved)] == [("account 0", 3.0)]


@pytest.mark.parametrize("name", ["ROUNDS_MAX", "CHANGES_MAX"])
def test_a_search_that_is_cut_short_still_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, name, 0)
    for seed in range(20):
        solved = solve(random_problem(seed), cells_max=0, seconds=5.0)
        best = tried(random_problem(seed))
        assert not solved.holds or best is not None
        assert best is None or solved.bound >= best - 1e-6


def test_budgets_that_no_mix_keeps_in_the_kept_draws_end_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    (part,) = parts_of(problem([[3, 0]], [[[[2.0, 4.0]], [[0.0, 0.0]]]], [3], over_at_most=0.5))
    picks = np.array([0])
    assert search.good_choice(part) is not None
    monkeypatch.setattr(search, "relaxed", lambda *_: (None, -np.inf))
    assert search._under_kept_draws(part, picks) is None


def test_constants_of_large_programs_are_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    (part,) = parts_of(problem([[3, 0]], [[[[2.0, 5.0]], [[0.0, 0.0]]]], [3], over_at_most=0.5))
    close = program.excess_max(part, 0)
    monkeypatch.setattr(program, "COMPARED_MAX", 0)
    plain = program.excess_max(part, 0)
    assert plain == pytest.approx([0, 2])
    assert (close <= plain).all()
