"""Back-tests: apply a policy version to the requests of the last quarters, with the metric values known then."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

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
    ReplayShare,
    compare,
    rule_counts,
    share_of,
    shares,
)
from governance.rulebook.domain.metric_limits import Reference
from governance.rulebook.domain.policy import Policy
from governance.rulebook.domain.scopes import EvaluationSubject, chosen
from governance.rulebook.models import PolicyVersion
from governance.rulebook.queries import rulebook
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.rulebook.queries.rulebook import policies_in_force, policies_with, policy_in
from reviews.evidence.domain.claims import bound_values, counted_values
from reviews.evidence.models import MetricRecord, PolicyEvaluation
from reviews.evidence.queries.evidence import STORED, amounts_of, domain_value, metric_value_of
from weighbridge.core.errors import Invalid, NotFound
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.values import MetricValue

QUARTERS_MAX = 40
DEFAULT_QUARTERS = 4


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
    rows = _last_evaluations(since=included[-1])
    before = policies_with(policies_in_force(), added=policy_in(baseline))
    after = policies_with(before, added=policy_in(version))
    compared, rows = _judged_by(version.name, compare(_cases(rows), before=before, after=after), rows, before, after)
    lines = sorted((_line(row, comparison) for row, comparison in zip(rows, compared, strict=True)), key=_sort_key)
    return Backtest(
        version=version,
        against=baseline,
        quarters=tuple(str(quarter) for quarter in included),
        lines=tuple(lines),
        before=shares([(comparison.case, comparison.before) for comparison in compared]),
        after=shares([(comparison.case, comparison.after) for comparison in compared]),
        rules_before=rule_counts(comparison.before for comparison in compared),
        rules_after=rule_counts(comparison.after for comparison in compared),
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


def _last_evaluations(*, since: Quarter) -> list[PolicyEvaluation]:
    """The latest policy evaluation of each request submitted since the start of the quarter."""
    rows = PolicyEvaluation.objects.filter(request__submitted_at__date__gte=since.start_on)
    latest = rows.order_by("request_id", "-pk").distinct("request_id").values("pk")
    related = ("request__team", "request__model_version__asset", "policy")
    # The documents are most of the data, and a replay does not need them.
    return list(
        PolicyEvaluation.objects.filter(pk__in=latest).select_related(*related).defer("document").order_by("-pk")
    )


def _cases(rows: Sequence[PolicyEvaluation]) -> list[ReplayCase]:
    metric_values, binding, catalog = _metric_values(rows), _binding_values(rows), catalog_in_force()
    return [
        _case(row, metric_values.get(row.pk, []), [binding[pk] for pk in _told(row)["binding_values"]], catalog)
        for row in rows
    ]


def _told(row: PolicyEvaluation) -> dict[str, Any]:
    """The other inputs of the evaluation; every evaluation is stored with them."""
    return cast("dict[str, Any]", row.told)


def _case(
    row: PolicyEvaluation, metric_values: list[MetricValue], binding: list[MetricValue], catalog: MetricCatalog
) -> ReplayCase:
    amounts, told = amounts_of(bound_values(metric_values, binding=binding)), _told(row)
    counted = counted_values(metric_values, binding=binding, catalog=catalog)
    return ReplayCase(
        ref=row.request.ref,
        subject=_subject(told),
        index=index_values(counted, catalog=catalog),
        at=row.evaluated_at,
        waived=frozenset(told["waived"]),
        references=_references(told["references"]),
        usd=amounts[BudgetUnit.USD],
        gpu_h=amounts[BudgetUnit.GPU_H],
    )


def _judged_by(
    name: str,
    compared: Sequence[ReplayComparison],
    rows: Sequence[PolicyEvaluation],
    before: Sequence[Policy],
    after: Sequence[Policy],
) -> tuple[list[ReplayComparison], list[PolicyEvaluation]]:
    """The cases that the policy of this name judges, before or after, with their rows."""
    kept = [
        (comparison, row)
        for comparison, row in zip(compared, rows, strict=True)
        if any(
            policy is not None and policy.name == name
            for policy in (chosen(policies, subject=comparison.case.subject) for policies in (before, after))
        )
    ]
    return [comparison for comparison, _ in kept], [row for _, row in kept]


def _references(told: Mapping[str, str]) -> References:
    """The values of references at the evaluation, by reference and metric."""
    pairs = ((key.partition(":"), number) for key, number in told.items())
    return {(Reference(reference), metric): Decimal(number) for (reference, _, metric), number in pairs}


def _subject(told: Mapping[str, Any]) -> EvaluationSubject:
    return EvaluationSubject(**{field.name: told[field.name] for field in fields(EvaluationSubject)})


def _metric_values(rows: Iterable[PolicyEvaluation]) -> dict[int, list[MetricValue]]:
    """The metric values known at each policy evaluation, in the order in which they were stated."""
    of_request = {row.request_id: row for row in rows}
    found: dict[int, list[MetricValue]] = defaultdict(list)
    records = MetricRecord.objects.filter(request__in=of_request).order_by("pk").values("request_id", "pk", *STORED)
    for given in records.iterator():
        row, pk = of_request[given.pop("request_id")], given.pop("pk")
        if pk <= _told(row)["metric_values_to"]:
            found[row.pk].append(domain_value(record_id=pk, stored=given))
    return found


def _binding_values(rows: Iterable[PolicyEvaluation]) -> dict[int, MetricValue]:
    """The values on record that counted instead of claims at the policy evaluations, by id."""
    ids = {pk for row in rows for pk in _told(row)["binding_values"]}
    return {record.pk: metric_value_of(record) for record in MetricRecord.objects.filter(pk__in=ids)}


def _line(row: PolicyEvaluation, compared: ReplayComparison) -> BacktestLine:
    request = row.request
    outcome = PolicyOutcome(row.outcome)
    return BacktestLine(request.ref, request.title, request.team.name, row.evaluated_at, outcome, compared)


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
