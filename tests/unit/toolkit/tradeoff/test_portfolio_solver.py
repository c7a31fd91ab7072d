"""The choice equals trying all; bounds are bounds; more budget is never worse; wrong input is refused."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.toolkit.tradeoff.portfolios import problem, random_problem, tried
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.portfolio import solver
from weighbridge.tradeoff.portfolio.bounds import RankedDraws, relaxed_program, upper_bound
from weighbridge.tradeoff.portfolio.parts import parts_of
from weighbridge.tradeoff.portfolio.problem import (
    DRAWS_MAX,
    BudgetLimit,
    PortfolioModel,
    PortfolioProblem,
    PortfolioVariant,
    check_problem,
)
from weighbridge.tradeoff.portfolio.program import program_of
from weighbridge.tradeoff.portfolio.search import good_choice
from weighbridge.tradeoff.portfolio.solver import solve

CASES = range(300)
SOME = range(80)


@pytest.mark.parametrize("cells_max", [6_000_000, 0])
def test_the_choice_equals_trying_all(cells_max: int) -> None:
    """By enumeration, and by search with bounds and the program of binaries."""
    wrong = []
    for seed in CASES:
        given = random_problem(seed)
        best, solved = tried(given), solve(given, cells_max=cells_max, seconds=60)
        if best is None:
            is_right = not solved.holds and solved.is_proven
        else:
            is_right = solved.holds and solved.is_proven and solved.value == pytest.approx(best, abs=1e-6)
        wrong += [] if is_right else [(seed, best, solved)]
    assert wrong == []


@pytest.mark.parametrize("size", [1e3, 2e6, 1e9])
def test_an_empty_account_beside_large_uses_leaves_the_proof_right(size: float) -> None:
    """The solver fails on amounts of very different sizes; a failure must not be read as "no choice holds"."""
    for seed in range(30):
        draw = np.random.default_rng(seed)
        values = draw.integers(0, 60, (7, 5)).tolist()
        uses = draw.integers(0, 40, (7, 5, 3, 20)).astype(float)
        uses[:, :, 1:] *= draw.random((7, 5, 2, 1)) < 0.7
        uses[:, :, 0], uses[0, 0, 0] = 0, size
        given = problem(values, uses.tolist(), [0, 100, 100], over_at_most=0.1)
        tried_all, searched = (solve(given, cells_max=cells, seconds=60) for cells in (10**9, 0))
        assert searched.is_proven
        assert searched.holds == tried_all.holds
        assert searched.value == pytest.approx(tried_all.value, abs=1e-6)


def test_one_draw_at_least_must_hold() -> None:
    given = problem([[5, 1]], [[[[9.0, 9.0]], [[1.0, 1.0]]]], [3], over_at_most=0.9999999999999, jointly=True)
    assert given.over_max == 1
    assert solve(given).picks.tolist() == [1]


def test_bounds_are_bounds_and_the_search_holds() -> None:
    checked = 0
    for seed in SOME:
        for part in parts_of(random_problem(seed)):
            if not part.accounts:
                continue
            picks = good_choice(part)
            if picks is None:
                continue
            checked += 1
            program = program_of(part)
            value = part.worth(picks)
            assert part.holds_with(picks)
            assert value <= upper_bound(part, program) + 1e-6
            best = solve(random_problem(seed)).value if len(parts_of(random_problem(seed))) == 1 else value
            assert best <= min(RankedDraws(part).bound(), relaxed_program(program)) + 1e-6
    assert checked > len(SOME) / 4


@pytest.mark.parametrize("cells_max", [6_000_000, 0])
def test_more_budget_is_never_worse(cells_max: int) -> None:
    for seed in range(30):
        given, last = random_problem(seed), -np.inf
        budgets = np.array([account.budget for account in given.accounts])
        for factor in (1.0, 1.1, 1.5, 3.0, 20.0):
            solved = solve(given, budgets=budgets * factor, cells_max=cells_max, seconds=60)
            if solved.holds:
                assert solved.value >= last - 1e-9
                last = solved.value
            else:
                assert last == -np.inf


def test_equal_choices_are_decided_for_what_was_asked() -> None:
    given = problem([[5, 5, 5], [3, 3]], [[[[1.0]]] * 3, [[[1.0]]] * 2], [10])
    assert solve(given).picks.tolist() == [0, 0]
    given = problem([[5, 5, 5], [3, 3]], [[[[9.0]], [[1.0]], [[1.0]]], [[[1.0]]] * 2], [3])
    assert solve(given).picks.tolist() == [1, 0]


def test_one_model_one_draw_and_no_budget() -> None:
    given = problem([[7, 0]], [[[[3.0]], [[0.0]]]], [0])
    solved = solve(given)
    assert (solved.picks.tolist(), solved.value, solved.holds, solved.gap) == ([1], 0.0, True, 0.0)
    free = problem([[7, 9]], [[[[0.0]], [[0.0]]]], [0])
    assert solve(free).picks.tolist() == [1]


def test_what_does_not_hold_is_nearest_to_holding() -> None:
    given = problem([[7, 5], [4, 4]], [[[[9.0]], [[6.0]]], [[[5.0]], [[4.0]]]], [8])
    solved = solve(given)
    assert (solved.holds, solved.is_proven, solved.picks.tolist()) == (False, True, [1, 1])
    searched = solve(given, cells_max=0)
    assert (searched.holds, searched.is_proven, searched.picks.tolist()) == (False, True, [1, 1])


def test_a_tenth_of_the_draws_may_exceed() -> None:
    used = [[[1.0] * 9 + [99.0]], [[0.0] * 10]]
    assert solve(problem([[7, 0]], [used], [1], over_at_most=0.1)).picks.tolist() == [0]
    assert solve(problem([[7, 0]], [used], [1], over_at_most=0.09)).picks.tolist() == [1]


def test_jointly_is_stricter_than_each_alone() -> None:
    one, other = [9.0] + [1.0] * 9, [1.0] * 9 + [9.0]
    uses = [[[one[:], other[:]], [[0.0] * 10, [0.0] * 10]]]
    alone = problem([[7, 0]], uses, [1, 1], over_at_most=0.1)
    assert solve(alone).picks.tolist() == [0]
    assert solve(replace(alone, jointly=True)).picks.tolist() == [1]


def test_a_large_part_has_a_choice_that_holds_and_a_proven_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "PROGRAM_COLUMNS_MAX", 0)
    draw = np.random.default_rng(3)
    base, noise = draw.lognormal(3, 1, 40), np.exp(0.3 * draw.standard_normal((40, 60)))
    worth = draw.uniform(0.8, 2, 40)
    values = [[base[m] * worth[m], base[m] * worth[m] * 0.8, 0] for m in range(40)]
    uses = [[[(base[m] * noise[m] * share).tolist()] for share in (1, 0.6, 0)] for m in range(40)]
    given = problem(values, uses, [float(base.sum() * 0.6)])
    solved = solve(given, seconds=60)
    assert (solved.holds, solved.is_proven) == (True, False)
    assert 0 < solved.gap < 0.1
    first, second = solve(given, seconds=60), solve(given, seconds=60)
    assert (first.picks.tolist(), first.bound) == (second.picks.tolist(), second.bound)
    again = solve(given, seconds=60, start=solved.picks, budgets=np.array([base.sum() * 0.61]))
    assert again.value >= solved.value


def variant(value: object = (1.0,), **uses: object) -> PortfolioVariant:
    draws = {name: np.array(used, float) for name, used in uses.items()}
    return PortfolioVariant(name="asked", value=np.array(value, float), uses=draws)


def given(*variants: PortfolioVariant, budget: float = 1.0, **options: object) -> PortfolioProblem:
    model = PortfolioModel(name="m", variants=variants)
    return PortfolioProblem(models=(model,), accounts=(BudgetLimit(name="a", budget=budget),), **options)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (given(), "models[0].variants"),
        (given(variant(), variant()), "models[0].variants"),
        (given(variant(())), "models[0].variants[0].value"),
        (given(variant((float("nan"),))), "models[0].variants[0].value"),
        (given(variant((float("inf"),))), "models[0].variants[0].value"),
        (given(variant((1e16,))), "models[0].variants[0].value"),
        (given(variant([0.0] * (DRAWS_MAX + 1))), "models[0].variants[0].value"),
        (given(variant(a=(-1,))), "models[0].variants[0].uses.a"),
        (given(variant(b=(1,))), "models[0].variants[0].uses"),
        (given(variant(a=(1, 2))), "models[0].variants[0]"),
        (given(variant(), budget=-1), "accounts[0].budget"),
        (given(variant(), budget=float("nan")), "accounts[0].budget"),
        (given(variant(), over_at_most=1.0), "over_at_most"),
        (given(variant(), over_at_most=-0.1), "over_at_most"),
        (given(variant(), over_at_most=float("nan")), "over_at_most"),
        (PortfolioProblem(models=(), accounts=(BudgetLimit(name="a", budget=1.0),)), "models"),
        (replace(given(variant()), accounts=()), "accounts"),
        (replace(given(variant()), accounts=(BudgetLimit(name="", budget=1.0),)), "accounts"),
    ],
)
def test_wrong_input_is_refused_with_its_place(wrong: PortfolioProblem, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_problem(wrong)
    assert refusal.value.field == field
    assert refusal.value.reason.endswith(".")


def test_a_problem_that_does_not_fit_into_memory_is_refused() -> None:
    model = given(variant(np.zeros(5_000))).models[0]
    models = tuple(replace(model, name=f"model {number}") for number in range(500))
    accounts = tuple(BudgetLimit(name=f"account {number}", budget=1.0) for number in range(21))
    with pytest.raises(Invalid, match="52,500,000 numbers") as refusal:
        check_problem(PortfolioProblem(models=models, accounts=accounts))
    assert refusal.value.field == "models"


def test_right_input_is_taken() -> None:
    check_problem(given(variant(a=(1,))))
