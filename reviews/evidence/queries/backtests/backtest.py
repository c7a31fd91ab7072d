"""Back-tests: apply a policy version to the requests of the last quarters, with the metric values known then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from governance.budgets.domain.quarters import Quarter
from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable
from governance.rulebook.domain.evaluation.policies import PolicyOutcome
from governance.rulebook.domain.evaluation.replay import (
    ReplayComparison,
    ReplayShare,
    plans,
    rule_counts,
    share_of,
    shares,
)
from governance.rulebook.domain.scopes import EvaluationSubject
from governance.rulebook.models import PolicyVersion
from governance.rulebook.queries import rulebook
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.rulebook.queries.rulebook import policies_in_force, policies_with, policy_in
from reviews.evidence.queries.backtests.cases import BLOCK, CaseRow, last_evaluations, names_asked, replayed
from weighbridge.core.errors import Invalid, NotFound

QUARTERS_MAX = 40
DEFAULT_QUARTERS = 4


@dataclass(frozen=True)
class BacktestQuestion:
    """A version, the one that it is compared with, and the quarters, the latest first."""

    version: PolicyVersion
    against: PolicyVersion
    quarters: tuple[Quarter, ...]

    @property
    def since(self) -> date:
        """The first day."""
        return self.quarters[-1].start_on


@dataclass(frozen=True)
class BacktestLine:
    """One request of a back-test: the recorded outcome, and the outcomes of both versions."""

    ref: str
    title: str
    team: str
    judged_at: datetime
    recorded: PolicyOutcome
    compared: ReplayComparison


@dataclass(frozen=True)
class OutcomeShares:
    """The requests with one outcome, by the version compared with and by the version tested."""

    outcome: PolicyOutcome
    before: ReplayShare
    after: ReplayShare


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """Two policy versions compared on the requests of some quarters. `lines` starts with different outcomes."""

    version: PolicyVersion
    against: PolicyVersion
    quarters: tuple[str, ...]
    lines: tuple[BacktestLine, ...]
    before: dict[PolicyOutcome, ReplayShare]
    after: dict[PolicyOutcome, ReplayShare]
    rules_before: dict[str, int]
    rules_after: dict[str, int]

    @property
    def request_count(self) -> int:
        """The number of requests."""
        return len(self.lines)

    @property
    def outcomes(self) -> tuple[OutcomeShares, ...]:
        """Every outcome with its requests."""
        return tuple(OutcomeShares(outcome, self.before[outcome], self.after[outcome]) for outcome in PolicyOutcome)

    @property
    def changed(self) -> tuple[BacktestLine, ...]:
        """The requests whose outcome differs."""
        return tuple(line for line in self.lines if line.compared.is_stricter or line.compared.is_looser)

    @property
    def stricter(self) -> ReplayShare:
        """The requests with a stricter outcome under the new version."""
        return share_of(line.compared.case for line in self.lines if line.compared.is_stricter)

    @property
    def looser(self) -> ReplayShare:
        """The requests with a milder outcome under the new version."""
        return share_of(line.compared.case for line in self.lines if line.compared.is_looser)


def question(*, name: str, number: int, against: int | None, quarters: int, now: datetime) -> BacktestQuestion:
    """A version beside the one numbered `against` (else the one in force), on the last quarters with the current one.

    Raises NotFound or Invalid.
    """
    version, baseline = _version_of(name, number), _baseline_of(name, against)
    if not 1 <= quarters <= QUARTERS_MAX:
        raise Invalid(f"Choose 1 to {QUARTERS_MAX} quarters.", field="quarters")
    return BacktestQuestion(version, baseline, tuple(_quarters(now, quarters)))


def run(asked: BacktestQuestion, *, on_read: Callable[[int], None] = lambda _: None) -> Backtest:
    """Apply both versions to the requests that were submitted in the quarters.

    Each request counts once, with the metric values of its last policy evaluation. `on_read` is called with the number
    of requests so far, after each block of them.
    """
    version, baseline = asked.version, asked.against
    before = policies_with(policies_in_force(), added=policy_in(baseline))
    after = policies_with(before, added=policy_in(version))
    plan_of, catalog = plans(before, after), catalog_in_force()
    names = names_asked((*before, *after), catalog=catalog)
    compared, lines = [], []
    evaluations = last_evaluations(since=asked.since)

    @cache
    def is_judged(subject: EvaluationSubject) -> bool:
        return any(policy is not None and policy.name == version.name for policy in plan_of(subject).policies)

    cases = replayed(evaluations, names=names, catalog=catalog, is_wanted=is_judged)
    for read, (row, case) in enumerate(cases, start=1):
        if case is not None:
            compared.append(plan_of(case.request.subject).compare(case))
            lines.append(_line(row, compared[-1]))
        if read % BLOCK == 0:
            on_read(read)
    return Backtest(
        version=version,
        against=baseline,
        quarters=tuple(str(quarter) for quarter in asked.quarters),
        lines=tuple(sorted(lines, key=_sort_key)),
        before=shares((each.case, each.before) for each in compared),
        after=shares((each.case, each.after) for each in compared),
        rules_before=rule_counts(each.before for each in compared),
        rules_after=rule_counts(each.after for each in compared),
    )


TABLE: Mapping[str, Callable[[BacktestLine], Cell]] = {
    "Request": lambda line: line.ref,
    "Title": lambda line: line.title,
    "Team": lambda line: line.team,
    "Evaluated": lambda line: line.judged_at,
    "Recorded outcome": lambda line: line.recorded.value,
    "Before": lambda line: line.compared.before.outcome.value,
    "After": lambda line: line.compared.after.outcome.value,
    "USD": lambda line: line.compared.case.usd,
    "GPU hours": lambda line: line.compared.case.gpu_h,
    "Added rules": lambda line: " ".join(line.compared.added_rules),
    "Removed rules": lambda line: " ".join(line.compared.removed_rules),
}


def table(backtest: Backtest) -> ExportTable:
    """The requests of a back-test as a table."""
    rows = ([cell(line) for cell in TABLE.values()] for line in backtest.lines)
    name = f"backtest-{backtest.version.name}-{backtest.version.number}"
    return ExportTable(name, list(TABLE), rows, len(backtest.lines))


def _quarters(now: datetime, count: int) -> list[Quarter]:
    """The current quarter and those before it, latest first."""
    quarters = [Quarter.of(now)]
    while len(quarters) < count:
        quarters.append(quarters[-1].previous)
    return quarters


def _line(row: CaseRow, compared: ReplayComparison) -> BacktestLine:
    return BacktestLine(row.ref, row.title, row.team, row.evaluated_at, PolicyOutcome(row.outcome), compared)


def _sort_key(line: BacktestLine) -> tuple[int, Decimal, str]:
    """Different outcomes first, stricter before milder; within each group, the most expensive first."""
    order = 0 if line.compared.is_stricter else 1 if line.compared.is_looser else 2
    return order, -line.compared.case.usd, line.ref


def _version_of(name: str, number: int) -> PolicyVersion:
    version = rulebook.find(kind="policies", name=name, number=number)
    assert isinstance(version, PolicyVersion)  # noqa: S101 -- the table of policies contains nothing else
    return version


def _baseline_of(name: str, number: int | None) -> PolicyVersion:
    if number is not None:
        return _version_of(name, number)
    current = rulebook.in_force(kind="policies", name=name)
    if not isinstance(current, PolicyVersion):
        raise NotFound(f"No version of {name} is in force; choose a version to compare with.")
    return current
