"""Back-tests: apply a policy version to the requests of the last quarters, with the metric values known then."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.exports.domain.tables import ExportTable
from governance.rulebook.domain.evaluation import EvaluationSubject, PolicyOutcome
from governance.rulebook.domain.metric_index import index_values
from governance.rulebook.domain.policy_diff import PolicyDifference, diff
from governance.rulebook.domain.replay import (
    ReplayCase,
    ReplayComparison,
    ReplayShare,
    compare,
    rule_counts,
    share_of,
    shares,
)
from governance.rulebook.models import PolicyVersion
from governance.rulebook.queries import rulebook
from reviews.evidence.models import MetricRecord, PolicyEvaluation, Waiver
from reviews.evidence.queries.evidence import amounts_of, subject_of
from reviews.requests.queries.rulebook import policy_of
from weighbridge.core.errors import Invalid, NotFound
from weighbridge.core.metrics import Basis, MetricValue

QUARTERS_MAX = 40
COLUMNS = (
    "Request",
    "Title",
    "Team",
    "Evaluated",
    "Recorded outcome",
    "Before",
    "After",
    "USD",
    "GPU hours",
    "New rules",
    "Removed rules",
)
VALUE_COLUMNS = (
    "request_id",
    "pk",
    "name",
    "value",
    "unit",
    "basis",
    "lower",
    "upper",
    "confidence",
    "n",
    "source",
    "observed_at",
    "valid_until",
    "p80",
)


@dataclass(frozen=True, kw_only=True)
class BacktestLine:
    """One request of a back-test: the recorded outcome, and the outcomes of both versions."""

    ref: str
    title: str
    team: str
    judged_at: datetime
    recorded: PolicyOutcome
    compared: ReplayComparison


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
    changes: tuple[PolicyDifference, ...]

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


def run(*, version: PolicyVersion, against: PolicyVersion, quarters: int, now: datetime) -> Backtest:
    """Apply both versions to the requests submitted in the last quarters, including the current one.

    Each request counts once, with the metric values of its last policy evaluation.
    """
    if not 1 <= quarters <= QUARTERS_MAX:
        raise Invalid(f"Choose 1 to {QUARTERS_MAX} quarters.", field="quarters")
    included = _quarters(now, quarters)
    rows = _last_evaluations(since=included[-1])
    cases = _cases(rows)
    before, after = policy_of(against), policy_of(version)
    compared = compare(cases, before=before, after=after)
    lines = sorted((_line(row, comparison) for row, comparison in zip(rows, compared, strict=True)), key=_sort_key)
    return Backtest(
        version=version,
        against=against,
        quarters=tuple(str(quarter) for quarter in included),
        lines=tuple(lines),
        before=shares([(comparison.case, comparison.before) for comparison in compared]),
        after=shares([(comparison.case, comparison.after) for comparison in compared]),
        rules_before=rule_counts(comparison.before for comparison in compared),
        rules_after=rule_counts(comparison.after for comparison in compared),
        changes=diff(before, after),
    )


def table(backtest: Backtest) -> ExportTable:
    """The requests of a back-test as a table."""
    rows = (
        (
            line.ref,
            line.title,
            line.team,
            line.judged_at,
            line.recorded.value,
            line.compared.before.outcome.value,
            line.compared.after.outcome.value,
            line.compared.case.usd,
            line.compared.case.gpu_h,
            " ".join(line.compared.new_rules),
            " ".join(line.compared.gone_rules),
        )
        for line in backtest.lines
    )
    name = f"backtest-{backtest.version.name}-{backtest.version.number}"
    return ExportTable(name, COLUMNS, rows, len(backtest.lines))


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
    metric_values, waivers = _metric_values(rows), _waivers(rows)
    return [_case(row, metric_values.get(row.pk, []), waivers) for row in rows]


def _case(row: PolicyEvaluation, metric_values: list[MetricValue], waivers: dict[int, list[Waiver]]) -> ReplayCase:
    amounts = amounts_of(metric_values, now=row.evaluated_at)
    return ReplayCase(
        ref=row.request.ref,
        subject=_subject(row),
        index=index_values(metric_values),
        at=row.evaluated_at,
        waived=_waived(row, waivers),
        usd=amounts[BudgetUnit.USD],
        gpu_h=amounts[BudgetUnit.GPU_H],
    )


def _metric_values(rows: Iterable[PolicyEvaluation]) -> dict[int, list[MetricValue]]:
    """The metric values known at each policy evaluation, in the order in which they were stated."""
    of_request = {row.request_id: row for row in rows}
    found: dict[int, list[MetricValue]] = defaultdict(list)
    records = MetricRecord.objects.filter(request__in=of_request).order_by("pk").values(*VALUE_COLUMNS)
    for given in records.iterator():
        row, pk = of_request[given.pop("request_id")], given.pop("pk")
        if _was_known(row, pk, given["observed_at"]):
            given |= {"id": str(pk), "value": given["value"].normalize(), "basis": Basis(given["basis"])}
            found[row.pk].append(MetricValue(**given))
    return found


def _was_known(row: PolicyEvaluation, record_id: int, seen: datetime) -> bool:
    """Whether a metric value existed at the evaluation. For old rows without `told`, compare the times."""
    return record_id <= row.told["metric_values_to"] if row.told else seen <= row.evaluated_at


def _subject(row: PolicyEvaluation) -> EvaluationSubject:
    if not row.told:
        return subject_of(row.request)
    return EvaluationSubject(team=row.told["team"], tier=row.told["tier"], environment=row.told["environment"])


def _waivers(rows: Iterable[PolicyEvaluation]) -> dict[int, list[Waiver]]:
    """Waivers by request, for old rows without `told`."""
    found: dict[int, list[Waiver]] = defaultdict(list)
    old = [row.request_id for row in rows if not row.told]
    for waiver in Waiver.objects.filter(request__in=old):
        found[waiver.request_id].append(waiver)
    return found


def _waived(row: PolicyEvaluation, waivers: dict[int, list[Waiver]]) -> frozenset[str]:
    if row.told:
        return frozenset(row.told["waived"])
    at = row.evaluated_at
    granted = (waiver for waiver in waivers.get(row.request_id, []) if waiver.granted_at <= at < waiver.expires_at)
    return frozenset(waiver.rule_id for waiver in granted)


def _line(row: PolicyEvaluation, compared: ReplayComparison) -> BacktestLine:
    request = row.request
    return BacktestLine(
        ref=request.ref,
        title=request.title,
        team=request.team.name,
        judged_at=row.evaluated_at,
        recorded=PolicyOutcome(row.outcome),
        compared=compared,
    )


def _sort_key(line: BacktestLine) -> tuple[int, Decimal, str]:
    """Different outcomes first, stricter before milder; within each group, the most expensive first."""
    order = 0 if line.compared.is_stricter else 1 if line.compared.is_looser else 2
    return order, -line.compared.case.usd, line.ref


def version_of(*, name: str, number: int) -> PolicyVersion:
    """One version of a policy. Raises NotFound."""
    version = rulebook.find(kind="policies", name=name, number=number)
    assert isinstance(version, PolicyVersion)  # noqa: S101 -- the table of policies contains nothing else
    return version


def baseline_of(*, name: str, number: int | None) -> PolicyVersion:
    """The version to compare with: the given one, or the one in force. Raises NotFound."""
    if number is not None:
        return version_of(name=name, number=number)
    current = rulebook.in_force(kind="policies", name=name)
    if not isinstance(current, PolicyVersion):
        raise NotFound(f"No version of {name} is in force; choose a version to compare with.")
    return current
