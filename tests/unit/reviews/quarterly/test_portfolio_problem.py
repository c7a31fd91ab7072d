"""The portfolio of a quarter as a problem: only what was stated, and what it would cost to do without a model."""

from dataclasses import replace

import numpy as np
import pytest

from reviews.quarterly.domain.portfolio.candidate import (
    BASELINE_UNSERVED,
    NO_PROJECTION,
    NO_VALUE,
    UNSERVED,
    PortfolioCandidate,
)
from reviews.quarterly.domain.portfolio.keyed import KeyedProblem
from reviews.quarterly.domain.portfolio.problem import (
    OTHER_BASELINE,
    RESERVED,
    RUNS_UNCOMPARED,
    TOO_MANY_VARIANTS,
    problem_of_quarter,
    seed_of,
)
from weighbridge.costs.value.quarter_draws import QuarterDraws
from weighbridge.tradeoff.portfolio.outcome import optimized

BUDGETS = {"Search USD": ("USD", 500.0), "Search GPU hours": ("GPU hours", -5.0)}


def option(name: str, *, gain: float | None = 100.0, running: float = 40.0) -> QuarterDraws:
    return QuarterDraws(
        option=name,
        title=name.capitalize(),
        gain_usd=None if gain is None else np.full(3, gain),
        running_usd=np.full(3, running),
        training_usd=np.full(3, 7.0),
        training_gpu_hours=np.full(3, 2.0),
    )


def candidate(**changes: object) -> PortfolioCandidate:
    fields = {
        "ref": "MRR-2026-0001",
        "name": "search/ranker",
        "is_running": True,
        "asked": "own",
        "baseline": "old",
        "drawn": (option("old", gain=0, running=20), option("api", gain=80, running=10), option("own")),
        "money": "Search USD",
        "hours": "Search GPU hours",
    }
    return PortfolioCandidate(**{**fields, **changes})


def variants(*given: PortfolioCandidate) -> list[tuple[str, float, dict[str, float]]]:
    found = problem_of_quarter(given, budgets=BUDGETS)
    assert found.problem is not None
    (model,) = found.problem.models
    assert model.name == f"search/ranker ({', '.join(each.ref for each in reversed(given))})"
    return [
        (each.name, float(each.value[0]), {name: float(used[0]) for name, used in each.uses.items()})
        for each in model.variants
    ]


def test_a_running_model_is_not_trained_again_and_can_be_retired() -> None:
    assert variants(candidate()) == [
        ("as asked: Own", 87, {"Search USD": 40, "Search GPU hours": 0}),
        ("Api", 90, {"Search USD": 17, "Search GPU hours": 2}),
        ("retire: Old", 0, {"Search USD": 27, "Search GPU hours": 2}),
    ]


def test_what_saves_money_over_the_baseline_is_kept() -> None:
    """The gain is over the baseline, so the cost is too: 50 more and 700 cheaper are worth 750."""
    drawn = (
        replace(option("api", gain=0, running=1_000), training_usd=np.zeros(3)),
        option("own", gain=50, running=300),
    )
    given = problem_of_quarter(
        [candidate(baseline="api", drawn=drawn)], budgets={**BUDGETS, "Search USD": ("USD", 5e3)}
    )
    assert given.problem is not None
    (choice,) = optimized(given.problem).choices
    assert (choice.variant, choice.value) == ("as asked: Own", 750)


def test_without_a_baseline_nothing_is_done() -> None:
    drawn = (option("own"),)
    assert variants(candidate(baseline="", drawn=drawn, billed_usd=5.0)) == [
        ("as asked: Own", 60, {"Search USD": 40, "Search GPU hours": 0}),
        ("retire", -5, {"Search USD": 5, "Search GPU hours": 0}),
    ]


def test_a_baseline_that_runs_is_worth_nothing_over_itself_and_has_alternatives() -> None:
    assert variants(candidate(asked="old")) == [
        ("as asked: Old", 0, {"Search USD": 20, "Search GPU hours": 0}),
        ("Api", 83, {"Search USD": 17, "Search GPU hours": 2}),
        ("Own", 73, {"Search USD": 47, "Search GPU hours": 2}),
    ]


def test_what_is_billed_is_not_saved() -> None:
    assert variants(candidate(billed_usd=45.0)) == [
        ("as asked: Own", 82, {"Search USD": 45, "Search GPU hours": 0}),
        ("Api", 62, {"Search USD": 45, "Search GPU hours": 2}),
        ("retire: Old", -18, {"Search USD": 45, "Search GPU hours": 2}),
    ]


def test_a_pending_model_is_trained_or_waits() -> None:
    assert variants(candidate(is_running=False, drawn=(option("old", gain=0, running=20), option("own")))) == [
        ("as asked: Own", 80, {"Search USD": 47, "Search GPU hours": 2}),
        ("wait: Old", 0, {"Search USD": 27, "Search GPU hours": 2}),
    ]


def newer(**changes: object) -> PortfolioCandidate:
    return candidate(**{"ref": "MRR-2026-0002", "is_running": False, **changes})


def test_a_new_version_takes_the_place_of_the_one_that_runs() -> None:
    drawn = (option("old", gain=0, running=20), option("api", gain=80, running=10), option("own", gain=150))
    assert variants(candidate(billed_usd=18.0, held_hours=3.0), newer(drawn=drawn)) == [
        ("as asked: Own (own, MRR-2026-0002)", 130, {"Search USD": 47, "Search GPU hours": 2}),
        ("Api", 89, {"Search USD": 18, "Search GPU hours": 2}),
        ("keep running: Own (own, MRR-2026-0001)", 87, {"Search USD": 40, "Search GPU hours": 3}),
        ("retire: Old", 0, {"Search USD": 27, "Search GPU hours": 2}),
    ]


def test_a_new_version_that_is_compared_with_the_one_that_runs_adds_to_its_value() -> None:
    drawn = (option("own", gain=0, running=40), option("int8", gain=-5, running=15))
    assert variants(candidate(), newer(asked="int8", baseline="own", drawn=drawn)) == [
        ("as asked: Int8", 87 + 13, {"Search USD": 22, "Search GPU hours": 2}),
        ("keep running: Own", 87, {"Search USD": 40, "Search GPU hours": 0}),
        ("retire: Old", 0, {"Search USD": 27, "Search GPU hours": 2}),
    ]


def test_the_same_artifact_asked_for_again_is_not_trained_again() -> None:
    again = newer(artifact="sha256:1", held_hours=4.0)
    assert [(name, value) for name, value, _ in variants(candidate(artifact="sha256:1"), again)] == [
        ("as asked: Own (own, MRR-2026-0002)", 87),
        ("Api", 90),
        ("keep running: Own (own, MRR-2026-0001)", 87),
        ("retire: Old", 0),
    ]


def test_two_pending_requests_of_a_model_exclude_each_other() -> None:
    drawn = (option("old", gain=0, running=20), replace(option("own", gain=60, running=5), title="Small"))
    assert [(name, value) for name, value, _ in variants(candidate(is_running=False), newer(drawn=drawn))] == [
        ("as asked: Small", 75),
        ("Own", 80),
        ("Api", 90),
        ("wait: Old", 0),
    ]


def test_another_environment_is_another_model() -> None:
    found = problem_of_quarter([candidate(), newer(environment="edge")], budgets=BUDGETS)
    assert found.problem is not None
    assert [len(each.variants) for each in found.problem.models] == [3, 3]


def test_what_cannot_be_compared_with_what_runs_is_left_out_with_the_reason() -> None:
    def left(*given: PortfolioCandidate) -> list[tuple[str, str]]:
        found = problem_of_quarter(given, budgets=BUDGETS)
        return [(each.ref, reason) for each, reason in found.left_out]

    assert left(candidate(), newer(baseline="api")) == [("MRR-2026-0002", OTHER_BASELINE.format(ref="MRR-2026-0001"))]
    assert left(candidate(drawn=()), newer()) == [
        ("MRR-2026-0001", NO_PROJECTION),
        ("MRR-2026-0002", RUNS_UNCOMPARED.format(ref="MRR-2026-0001", reason=NO_PROJECTION)),
    ]
    many = (option("old", gain=0), option("own"), *(option(f"o{number}") for number in range(17)))
    assert left(candidate(), newer(drawn=many)) == [("MRR-2026-0002", TOO_MANY_VARIANTS.format(count=20))]
    assert left(candidate(), newer(drawn=many[:-1])) == []


def test_what_has_no_value_reserves_its_projected_costs() -> None:
    unvalued = candidate(
        ref="MRR-2026-0003", name="search/speller", held_usd=30.0, drawn=(option("own", gain=None, running=70),)
    )
    found = problem_of_quarter([candidate(held_usd=11.0), unvalued], budgets=BUDGETS)
    assert found.problem is not None
    assert [(each.name, each.budget) for each in found.problem.accounts] == [
        ("Search USD", 541),
        ("Search GPU hours", 0),
    ]
    _, reserved = found.problem.models
    assert found.reserved == {reserved.name} == {"search/speller (MRR-2026-0003)"}
    (only,) = reserved.variants
    assert (only.value.tolist(), only.uses["Search USD"].tolist()) == ([0, 0, 0], [70, 70, 70])
    assert found.left_out == ((unvalued, NO_VALUE + RESERVED),)


def test_of_a_new_version_and_what_runs_the_dearer_is_reserved() -> None:
    running = candidate(ref="MRR-2026-0003", name="search/speller", drawn=(option("own", gain=None, running=70),))
    pending = replace(running, ref="MRR-2026-0004", is_running=False, drawn=(option("own", running=64),), baseline="")
    found = problem_of_quarter([candidate(), running, pending], budgets=BUDGETS)
    assert found.problem is not None
    assert found.reserved == {"search/speller (MRR-2026-0003, MRR-2026-0004)"}
    (only,) = found.problem.models[1].variants
    assert {name: used.tolist() for name, used in only.uses.items()} == {
        "Search USD": [71, 71, 71],
        "Search GPU hours": [2, 2, 2],
    }


def test_equal_problems_have_equal_keys() -> None:
    def key(*given: PortfolioCandidate) -> KeyedProblem:
        found = problem_of_quarter(given, budgets=BUDGETS).problem
        assert found is not None
        return KeyedProblem.of(found)

    assert key(candidate()) == key(candidate())
    assert key(candidate()) != key(candidate(billed_usd=45.0))
    assert key(candidate()) != key(candidate(held_usd=1.0))
    assert key(candidate()) != key(candidate(ref="MRR-2026-0009"))


def test_a_team_without_accounts_is_limited_by_none() -> None:
    found = problem_of_quarter(
        [candidate(), candidate(ref="MRR-2026-0002", name="search/bidder", money="", hours="")], budgets=BUDGETS
    )
    assert found.problem is not None
    assert [(each.name, each.unit, each.budget) for each in found.problem.accounts] == [
        ("Search USD", "USD", 500),
        ("Search GPU hours", "GPU hours", 0),
    ]
    assert all(each.uses == {} for each in found.problem.models[1].variants)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"drawn": ()}, NO_PROJECTION),
        ({"drawn": (), "why_not": "its prices are gone"}, "its prices are gone"),
        ({"asked": "gone"}, NO_PROJECTION),
        ({"drawn": (option("own", gain=None),)}, NO_VALUE),
        ({"drawn": (option("old", gain=0, running=float("inf")), option("own"))}, BASELINE_UNSERVED),
        ({"drawn": (option("own", running=float("inf")),)}, UNSERVED),
    ],
)
def test_what_nobody_stated_is_left_out_with_the_reason(changes: dict[str, object], reason: str) -> None:
    found = problem_of_quarter([candidate(**changes)], budgets=BUDGETS)
    assert (found.problem, found.included) == (None, ())
    assert [text for _, text in found.left_out] == [reason]


def test_a_request_has_a_seed_of_its_own() -> None:
    assert seed_of("MRR-2026-0001") == seed_of("MRR-2026-0001") != seed_of("MRR-2026-0002")


def test_hours_that_are_billed_or_held_are_not_free_again() -> None:
    running = candidate(billed_hours=3.0, held_hours=9.0)
    assert [(name, used["Search GPU hours"]) for name, _, used in variants(running)] == [
        ("as asked: Own", 9),
        ("Api", 3),
        ("retire: Old", 3),
    ]
    pending = candidate(is_running=False, billed_hours=1.0, held_hours=9.0)
    assert [used["Search GPU hours"] for _, _, used in variants(pending)] == [2, 2, 2]


def test_options_with_equal_titles_or_a_reserved_one_are_told_apart() -> None:
    titles = (("own", "INT8"), ("a", "INT8"), ("b", "Old"), ("old", "Old"))
    drawn = tuple(replace(option(name), title=title) for name, title in titles)
    assert [name for name, *_ in variants(candidate(drawn=drawn))] == [
        "as asked: INT8 (own)",
        "INT8 (a)",
        "Old (b)",
        "retire: Old (old)",
    ]
