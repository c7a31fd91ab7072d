"""The cases of a back-test: the latest policy evaluation of each request, with the metric values known then."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from governance.budgets.enums import BudgetUnit
from governance.rulebook.domain.evaluation.limits import References
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.evaluation.replay import ReplayCase, ReplayedRequest
from governance.rulebook.domain.metric_limits import Reference
from governance.rulebook.domain.policy import Policy
from governance.rulebook.domain.scopes import EvaluationSubject
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
from weighbridge.core.metrics.catalog import MetricCatalog, MetricDefinition
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue
from weighbridge.costs.totals import with_parts, with_totals

if TYPE_CHECKING:
    from django.db.models import QuerySet

BLOCK = 2_000
"""Requests that are read at once: a back-test of any number of them takes the memory of so many metric values."""


class CaseRow(NamedTuple):
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


def last_evaluations(*, since: date) -> "QuerySet[PolicyEvaluation]":
    """The latest policy evaluation of each request submitted since the start of the quarter, by request."""
    rows = PolicyEvaluation.objects.filter(request__submitted_at__date__gte=since)
    return rows.order_by("request_id", "-pk").distinct("request_id")


def names_asked(policies: Iterable[Policy], *, catalog: MetricCatalog) -> frozenset[str]:
    """The metrics that the policies and the costs of a request can ask for."""
    asked = {limit.metric for policy in policies for rule in policy.rules for limit in rule.limits}
    return with_parts({*asked, COST_METRIC, GPU_METRIC}, catalogs=(catalog, STANDARD))


def replayed(
    evaluations: "QuerySet[PolicyEvaluation]",
    *,
    names: Collection[str],
    catalog: MetricCatalog,
    is_wanted: Callable[[EvaluationSubject], bool] = lambda _: True,
) -> Iterator[tuple[CaseRow, ReplayCase | None]]:
    """The evaluations and the cases of wanted subjects, with the metric values of these names.

    `BLOCK` of them are read at once; of others than wanted subjects, no metric value is read.
    """
    is_standard, last = _definitions(catalog, names) == _definitions(STANDARD, names), 0
    while True:
        block = evaluations.filter(request_id__gt=last).values_list(*_COLUMNS, "evaluated_at")[:BLOCK]
        rows = [CaseRow(*row) for row in block]
        subjects = {row.pk: EvaluationSubject(**{name: row.told[name] for name in _PROPERTIES}) for row in rows}
        wanted = {row.pk: row for row in rows if is_wanted(subjects[row.pk])}
        metric_values, binding = _metric_values(wanted.values(), names, catalog), _binding_values(wanted.values())
        for row in rows:
            if row.pk not in wanted:
                yield row, None
                continue
            values = bound_values(metric_values[row.pk], binding=[binding[pk] for pk in row.told["binding_values"]])
            yield row, _case(row, subjects[row.pk], values, catalog, is_standard=is_standard)
        if len(rows) < BLOCK:
            return
        last = rows[-1].request_id


def _definitions(catalog: MetricCatalog, names: Collection[str]) -> list[MetricDefinition]:
    """The definitions of the names, in the order in which totals are computed."""
    return [catalog[name] for name in catalog.in_order(names)]


def _case(
    row: CaseRow,
    subject: EvaluationSubject,
    values: tuple[MetricValue, ...],
    catalog: MetricCatalog,
    *,
    is_standard: bool,
) -> ReplayCase:
    """The case of an evaluation; with the standard definitions, what counts for the policy counts for the amounts."""
    told, counted = row.told, with_totals(values, catalog=catalog)
    amounts = amounts_counted(values, counted=counted) if is_standard else amounts_of(values)
    usd, gpu_h = amounts[BudgetUnit.USD], amounts[BudgetUnit.GPU_H]
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
    rows: Iterable[CaseRow], names: Collection[str], catalog: MetricCatalog
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


def _binding_values(rows: Iterable[CaseRow]) -> dict[int, MetricValue]:
    """The values on record that counted instead of claims at the policy evaluations, by id."""
    ids = {pk for row in rows for pk in row.told["binding_values"]}
    return {record.pk: metric_value_of(record) for record in MetricRecord.objects.filter(pk__in=ids)}
