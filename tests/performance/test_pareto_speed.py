"""A thousand candidates in a thousand draws are weighed in under a second of one processor, and the frontier of a
hundred thousand is found as fast as by paretoset, with its compiled loop, in the same process.
"""

import importlib
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest

from tests.performance.peer_environments import PARETOSET, Absent, library_of
from tests.performance.recorder import Recorder
from weighbridge.tradeoff.pareto import non_dominated, weigh_draws

CANDIDATES, DRAWS, LIMIT_S = 1_000, 1_000, 1.0


@pytest.mark.parametrize("axes", [2, 3])
def test_a_thousand_by_a_thousand(axes: int, keep: Recorder) -> None:
    """Figures spread over 0 to 1 with a deviation of 0.02, as measurements have; processor time, the best of three."""
    rng = np.random.default_rng(1)
    values = rng.random((CANDIDATES, axes))
    drawn = values + 0.02 * rng.standard_normal((DRAWS, CANDIDATES, axes))
    names = [str(index) for index in range(CANDIDATES)]
    times = []
    for _ in range(3):
        begun = time.process_time()
        weigh_draws(names, values, drawn)
        times.append(time.process_time() - begun)
    assert keep(
        f"pareto.axes_{axes}",
        min(times),
        "s of processor time",
        at_most=LIMIT_S,
        title=f"Frontier of {CANDIDATES:,} candidates in {DRAWS:,} draws on {axes} axes",
    ).is_held


MANY, AXES, TURNS = 100_000, 4, 20


def spread_of(kind: str, candidates: int) -> np.ndarray:
    """Candidates whose axes are drawn independently, or go together, or against each other, or have many ties."""
    rng = np.random.default_rng(1)
    if kind == "correlated":
        return rng.random((candidates, 1)) + 0.1 * rng.random((candidates, AXES))
    if kind == "opposed":
        parts = rng.exponential(size=(candidates, AXES))
        return parts / parts.sum(axis=1, keepdims=True) + 0.5 * rng.random((candidates, AXES))
    if kind == "ties":
        return rng.integers(0, 100, (candidates, AXES)).astype(float)
    if kind == "incomparable":
        parts = rng.exponential(size=(candidates, AXES))
        return parts / parts.sum(axis=1, keepdims=True)
    return rng.random((candidates, AXES))


@pytest.fixture(scope="module")
def paretoset():
    """The peer, with its loop compiled."""
    try:
        sys.path.append(str(library_of(PARETOSET)))
    except Absent as absent:
        pytest.skip(str(absent))
    found = importlib.import_module("paretoset")
    assert found.user_interface.user_has_package("numba")
    found.paretoset(np.eye(AXES), distinct=False)
    yield found.paretoset
    sys.path.remove(str(PARETOSET.library))


def fastest_s(work: Callable[[], object], *, turns: int) -> float:
    """The least processor time of some turns."""
    times = []
    for _ in range(turns):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


@pytest.mark.parametrize(
    ("kind", "candidates"),
    [
        ("independent", MANY),
        ("correlated", MANY),
        ("opposed", MANY),
        ("ties", MANY),
        ("incomparable", 10_000),  # a tenth, because the peer takes minutes for all
    ],
)
def test_as_fast_as_paretoset(kind: str, candidates: int, paretoset, keep: Recorder) -> None:
    values = spread_of(kind, candidates)
    assert non_dominated(values).tolist() == paretoset(values, distinct=False).tolist()
    turns = TURNS if candidates == MANY else 1
    ours_s, peer_s = (
        fastest_s(lambda: non_dominated(values), turns=turns),
        fastest_s(lambda: paretoset(values, distinct=False), turns=turns),
    )
    assert keep(
        f"pareto.peer.{kind}",
        ours_s / peer_s,
        "of the time of paretoset",
        at_most=1.0,
        beside=f"{ours_s * 1000:.1f} ms; paretoset {PARETOSET.version} with numba {peer_s * 1000:.1f} ms",
        title=f"Frontier of {candidates:,} candidates on {AXES} axes, {kind}",
    ).is_held


def test_a_hundred_thousand_that_are_all_on_the_frontier(keep: Recorder) -> None:
    values = spread_of("incomparable", MANY)
    assert non_dominated(values).all()
    keep(
        "pareto.incomparable",
        fastest_s(lambda: non_dominated(values), turns=1),
        "s of processor time",
        title=f"Frontier of {MANY:,} candidates on {AXES} axes, none of which dominates another",
    )
