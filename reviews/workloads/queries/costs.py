"""What was billed for workloads: bill lines of the current quarter that name a workload as resource or by its tag.

A line of a cloud names the resource. A line of the accounting of a cluster has the cluster as billing account, the
namespace as sub-account, and the tag `workload`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, Func, Q, QuerySet, Sum, TextField, Value

from governance.bills.domain.currencies import Amount, convert
from governance.bills.models import SpendLine
from governance.bills.queries.allocation import used_in
from governance.bills.queries.spend import all_rates
from governance.bills.rules import may_see_bills
from governance.budgets.domain.quarters import Quarter
from governance.people.domain.roles import Person
from reviews.workloads.models import ObservedWorkload

TAG = Func(F("tags"), Value("workload"), function="jsonb_extract_path_text", output_field=TextField())
FIELDS = ("resource", "subaccount", "slice__billing_account", "workload_tag", "currency")


@dataclass(frozen=True)
class WorkloadCost:
    """US dollars and GPU hours that were billed in the quarter; amounts without an exchange rate are left out."""

    usd: Decimal
    gpu_hours: Decimal


def costs_of(workloads: Sequence[ObservedWorkload], *, person: Person, now: datetime) -> dict[int, WorkloadCost]:
    """The costs by the id of the workload; those without a line are missing. Takes two queries.

    Names in a report are claims. People who may not see complete bills see only lines that are allocated to their
    teams, so that nobody learns the costs of others by reporting a workload under the name of their resource.
    """
    names = {_name(one) for one in workloads}
    if not names:
        return {}
    today = now.date()
    lines = used_in(start=Quarter.of(today).start_on, end=today)
    sums = _sums(lines if may_see_bills(person) else lines.filter(rule__team__slug__in=person.teams), names)
    by_place: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in sums:
        by_place[("resource", row["resource"])].append(row)
        by_place[("tag", row["slice__billing_account"], row["subaccount"], row["workload_tag"] or "")].append(row)
    rates, found = all_rates(), {}
    for one in workloads:
        in_cluster = ("tag", one.report.cluster, one.namespace, _name(one))
        rows = by_place.get(in_cluster) or by_place.get(("resource", _name(one))) or []
        if rows:
            amounts = [Amount(row["currency"], today, row["cost"]) for row in rows]
            hours = sum((row["hours"] for row in rows), Decimal(0))
            found[one.pk] = WorkloadCost(convert(amounts, rates).usd, hours)
    return found


def _name(workload: ObservedWorkload) -> str:
    """The name without the container."""
    return workload.name.partition("/")[0]


def _sums(lines: QuerySet[SpendLine], names: set[str]) -> QuerySet[SpendLine, dict[str, Any]]:
    lines = lines.annotate(workload_tag=TAG).order_by().filter(Q(resource__in=names) | Q(workload_tag__in=names))
    sums: QuerySet[SpendLine, dict[str, Any]] = lines.values(*FIELDS).annotate(
        cost=Sum("effective"), hours=Sum("gpu_hours")
    )
    return sums
