"""The portfolio of a quarter as a problem for the optimizer, built only from what people stated.

A model is what runs and what is pending of one asset in one environment: approving one of them replaces the others. Its
value is that of the gain over the baseline less the extra cost over the baseline, as in the worth of a projection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from reviews.quarterly.domain.portfolio.candidate import PortfolioCandidate
from reviews.quarterly.domain.portfolio.variants import optimized_model, reserved_model
from weighbridge.tradeoff.portfolio.problem import VARIANTS_MAX, BudgetLimit, PortfolioModel, PortfolioProblem

DRAWS = 400
OVER_AT_MOST = 0.1
OTHER_BASELINE = "its value is stated over another baseline than that of {ref}"
RUNS_UNCOMPARED = "{ref} of the same model runs and cannot be compared with it: {reason}"
TOO_MANY_VARIANTS = "its model has more than {count} variants with it"
RESERVED = "; its projected costs are reserved in the budgets"

LeftOut = tuple[PortfolioCandidate, str]


@dataclass(frozen=True, kw_only=True)
class QuarterProblem:
    """The problem (None if nothing can be optimized), and the candidates that are left out, each with the reason.

    `reserved` are the names of the models of the problem that have no choice: only their costs are reserved.
    """

    problem: PortfolioProblem | None
    included: tuple[PortfolioCandidate, ...]
    left_out: tuple[LeftOut, ...] = ()
    reserved: frozenset[str] = frozenset()


@dataclass(kw_only=True)
class _SortedOut:
    """The candidates of one model: optimized together, left out, or with costs that are reserved."""

    running: PortfolioCandidate | None = None
    pending: list[PortfolioCandidate] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def included(self) -> tuple[PortfolioCandidate, ...]:
        return (*self.pending, *([self.running] if self.running is not None else []))

    @property
    def reserved(self) -> tuple[PortfolioCandidate, ...]:
        """If nothing of the model is optimized, those whose costs are known."""
        return () if self.included else tuple(each for each, _ in self.left_out if each.is_reservable)


def seed_of(ref: str) -> int:
    """The seed of the draws of a request: the same whenever it is drawn, and another for each request."""
    return int.from_bytes(sha256(ref.encode()).digest()[:4], "big")


def problem_of_quarter(
    candidates: Sequence[PortfolioCandidate], *, budgets: Mapping[str, tuple[str, float]]
) -> QuarterProblem:
    """Build the problem; `budgets` gives unit and available amount of each account.

    What the candidates of the problem hold in the ledger themselves is added to what is available. What the others hold
    stays reserved, except where their projected costs are reserved instead.
    """
    groups = [_sorted_out(members) for members in _of_one_model(candidates)]
    optimized = [optimized_model(group.running, group.pending) for group in groups if group.included]
    reserved = [reserved_model(group.reserved) for group in groups if group.reserved]
    left_out = tuple(pair for group in groups for pair in group.left_out)
    if not optimized:
        return QuarterProblem(problem=None, included=(), left_out=left_out)
    refs = {each.ref for group in groups for each in group.reserved}
    members = [each for group in groups for each in (*group.included, *group.reserved)]
    return QuarterProblem(
        problem=_problem([*optimized, *reserved], members, budgets),
        included=tuple(each for group in groups for each in group.included),
        left_out=tuple((each, reason + (RESERVED if each.ref in refs else "")) for each, reason in left_out),
        reserved=frozenset(each.name for each in reserved),
    )


def _problem(
    models: Sequence[PortfolioModel],
    members: Sequence[PortfolioCandidate],
    budgets: Mapping[str, tuple[str, float]],
) -> PortfolioProblem:
    held: dict[str, float] = {}
    for each in members:
        for account, amount in ((each.money, each.held_usd), (each.hours, each.held_hours)):
            if account:
                held[account] = held.get(account, 0.0) + amount
    accounts = tuple(
        BudgetLimit(name=name, unit=budgets[name][0], budget=max(budgets[name][1] + amount, 0.0))
        for name, amount in held.items()
    )
    return PortfolioProblem(models=tuple(models), accounts=accounts, over_at_most=OVER_AT_MOST)


def _of_one_model(candidates: Sequence[PortfolioCandidate]) -> list[list[PortfolioCandidate]]:
    """The candidates by asset and environment, in the order of the first of each; the latest request comes first."""
    groups: dict[tuple[str, str], list[PortfolioCandidate]] = {}
    for each in candidates:
        groups.setdefault((each.name, each.environment), []).append(each)
    return [sorted(group, key=lambda each: (len(each.ref), each.ref), reverse=True) for group in groups.values()]


def _sorted_out(members: Sequence[PortfolioCandidate]) -> _SortedOut:
    """What is optimized together. Values over different baselines cannot be compared, so the others are left out."""
    found = _SortedOut(left_out=[(each, each.exclusion) for each in members if each.exclusion])
    running = next((each for each in members if each.is_running), None)
    able = [each for each in members if not each.is_running and not each.exclusion]
    if running is not None and running.exclusion:
        reason = RUNS_UNCOMPARED.format(ref=running.ref, reason=running.exclusion)
        found.left_out += [(each, reason) for each in able]
        return found
    found.running = running
    first = running or next(iter(able), None)
    room = VARIANTS_MAX - 2  # beside keeping what runs, and doing without both
    for each in able:
        assert first is not None  # noqa: S101 -- there is one, if only this one
        if not _is_comparable(each, first):
            found.left_out.append((each, OTHER_BASELINE.format(ref=first.ref)))
        elif len(each.drawn) > room:
            found.left_out.append((each, TOO_MANY_VARIANTS.format(count=VARIANTS_MAX)))
        else:
            room -= len(each.drawn)
            found.pending.append(each)
    return found


def _is_comparable(candidate: PortfolioCandidate, first: PortfolioCandidate) -> bool:
    """Whether its value is over the same baseline, or over what runs."""
    return candidate.baseline == first.baseline or (first.is_running and candidate.baseline == first.asked)
