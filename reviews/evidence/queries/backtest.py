"""Back-tests: apply a policy version to the requests of the last quarters, with the metric values known then."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable
from governance.rulebook.domain.evaluation.limits import References
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.evaluation.policies import PolicyOutcome
from governance.rulebook.domain.evaluation.replay import (
    ReplayCase,
    ReplayComparison,
    ReplayedRequest,
    ReplayShare,
    plans,
    rule_counts,
    share_of,
    shares,
)
from governance.rulebook.domain.metric_limits import Reference
from governance.rulebook.domain.policy import Policy
from governance.rulebook.domain.scopes import EvaluationSubject
from governance.rulebook.models import PolicyVersion
from governance.rulebook.queries import rulebook
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.rulebook.queries.rulebook import policies_in_force, policies_with, policy_in
from reviews.evidence.domain.claims import bound_values
from reviews.evidence.models import MetricRecord, PolicyEvaluation
from reviews.evidence.queries.evidence import (
    COST_METRIC,
    GPU_METRIC,
    READ,
    amounts_counted,
    amounts_of,
    metric_value_of,
    other_data_since,
    read_value,
)
from weighbridge.core.errors import Invalid, NotFound
from weighbridge.core.metrics.catalog import MetricCatalog, MetricDefinition
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue
from weighbridge.costs.totals import with_parts, with_totals

if TYPE_CHECKING:
    from django.db.models import QuerySet

QUARTERS_MAX = 40
DEFAULT_QUARTERS = 4
BLOCK = 2_000
"""Requests that are read at once: a back-test of any number of them takes the memory of so many metric values."""


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


def run(*, name: str, number: int, against: int | None, quarters: int, now: datetime) -> Backtest:
    """Apply a version, and the one numbered `against` (else the one in force), to the requests submitted in the last
    quarters, including the current one.

    Each request counts once, with the metric values of its last policy evaluation. Raises NotFound.
    """
    version, baseline = _version_of(name, number), _baseline_of(name, against)
    if not 1 <= quarters <= QUARTERS_MAX:
        raise Invalid(f"Choose 1 to {QUARTERS_MAX} quarters.", field="quarters")
    included = _quarters(now, quarters)
    before = policies_with(policies_in_force(), added=policy_in(baseline))
    after = policies_with(before, added=policy_in(version))
    plan_of, catalog = plans(before, after), catalog_in_force()
    names = _names_asked((*before, *after), catalog)
    compared, lines = [], []
    for row, case in _replayed(_last_evaluations(since=included[-1]), names, catalog):
        plan = plan_of(case.request.subject)
        if any(policy is not None and policy.name == version.name for policy in plan.policies):
            compared.append(plan.compare(case))
            lines.append(_line(row, compared[-1]))
    return Backtest(
        version=version,
        against=baseline,
        quarters=tuple(str(quarter) for quarter in included),
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


class _Row(NamedTuple):
    """What a back-test reads of an evaluation; its document, most of the data, is not needed."""

    pk: int
    request_id: int
    ref: str
    title: str
    team: str
    told: Mapping[str, Any]
    outcome: str
    evaluated_at: datetime


_PROPERTIES = tuple(field.name for field in fields(EvaluationSubject))
_COLUMNS = ("pk", "request_id", "request__ref", "request__title", "request__team__name", "told", "outcome")


def _last_evaluations(*, since: Quarter) -> "QuerySet[PolicyEvaluation]":
    """The latest policy evaluation of each request submitted since the start of the quarter, by request."""
    rows = PolicyEvaluation.objects.filter(request__submitted_at__date__gte=since.start_on)
    return rows.order_by("request_id", "-pk").distinct("request_id")


def _names_asked(policies: Iterable[Policy], catalog: MetricCatalog) -> frozenset[str]:
    """The metrics that the policies and the costs of a request can ask for."""
    asked = {limit.metric for policy in policies for rule in policy.rules for limit in rule.limits}
    return with_parts({*asked, COST_METRIC, GPU_METRIC}, catalogs=(catalog, STANDARD))


def _replayed(
    evaluations: "QuerySet[PolicyEvaluation]", names: Collection[str], catalog: MetricCatalog
) -> Iterator[tuple[_Row, ReplayCase]]:
    """The evaluations and their cases, with the metric values of these names; `BLOCK` of them are read at once."""
    is_standard, last = _definitions(catalog, names) == _definitions(STANDARD, names), 0
    while True:
        block = evaluations.filter(request_id__gt=last).values_list(*_COLUMNS, "evaluated_at")[:BLOCK]
        rows = [_Row(*row) for row in block]
        metric_values, binding = _metric_values(rows, names, catalog), _binding_values(rows)
        for row in rows:
            values = bound_values(metric_values[row.pk], binding=[binding[pk] for pk in row.told["binding_values"]])
            yield row, _case(row, values, catalog, is_standard=is_standard)
        if len(rows) < BLOCK:
            return
        last = rows[-1].request_id


def _definitions(catalog: MetricCatalog, names: Collection[str]) -> list[MetricDefinition]:
    """The definitions of the names, in the order in which totals are computed."""
    return [catalog[name] for name in catalog.in_order(names)]


def _case(row: _Row, values: tuple[MetricValue, ...], catalog: MetricCatalog, *, is_standard: bool) -> ReplayCase:
    """The case of an evaluation; with the standard definitions, what counts for the policy counts for the amounts."""
    told, counted = row.told, with_totals(values, catalog=catalog)
    amounts = amounts_counted(values, counted=counted) if is_standard else amounts_of(values)
    usd, gpu_h = amounts[BudgetUnit.USD], amounts[BudgetUnit.GPU_H]
    subject = EvaluationSubject(**{name: told[name] for name in _PROPERTIES})
    return ReplayCase(
        request=ReplayedRequest(ref=row.ref, subject=subject, usd=usd, gpu_h=gpu_h),
        index=index_values(counted, catalog=catalog),
        at=row.evaluated_at,
        waived=frozenset(told["waived"]),
        references=_references(told["references"]),
    )


def _references(told: Mapping[str, str]) -> References:
    """The values of references at the evaluation, by reference and metric."""
    pairs = ((key.partition(":"), number) for key, number in told.items())
    return {(Reference(reference), metric): Decimal(number) for (reference, _, metric), number in pairs}


def _metric_values(
    rows: Iterable[_Row], names: Collection[str], catalog: MetricCatalog
) -> dict[int, list[MetricValue]]:
    """The metric values that counted at each policy evaluation, in the order in which they were stated."""
    of_request = {row.request_id: row for row in rows}
    left_out = other_data_since(list(of_request), catalog=catalog)
    found: dict[int, list[MetricValue]] = defaultdict(list)
    records = MetricRecord.objects.filter(request__in=list(of_request), name__in=names).order_by("pk")
    for request_id, pk, *stored in records.values_list("request_id", "pk", *READ):
        row = of_request[request_id]
        if pk <= row.told["metric_values_to"] and not (pk in left_out and left_out[pk] <= row.evaluated_at):
            found[row.pk].append(read_value(record_id=pk, columns=stored))
    return found


def _binding_values(rows: Iterable[_Row]) -> dict[int, MetricValue]:
    """The values on record that counted instead of claims at the policy evaluations, by id."""
    ids = {pk for row in rows for pk in row.told["binding_values"]}
    return {record.pk: metric_value_of(record) for record in MetricRecord.objects.filter(pk__in=ids)}


def _line(row: _Row, compared: ReplayComparison) -> BacktestLine:
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
