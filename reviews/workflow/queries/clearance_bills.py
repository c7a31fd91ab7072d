"""The bills of cleared requests: what was billed since the clearance, beyond the cost that was stated for it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db.models import Q, Sum

from governance.bills.domain.currencies import Amount, Converted, CurrencyRate, convert
from governance.bills.queries.allocation import used_in
from governance.bills.queries.spend import all_rates, unconverted_text
from governance.rulebook.queries.catalogs import catalog_in_force
from reviews.authorizations.models import Authorization
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.evidence import COST_METRIC, metric_value_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.values import MetricValue, best
from weighbridge.core.money import usd
from weighbridge.costs.totals import with_totals

Line = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ExceededClearance:
    """A cleared request with bills above its stated cost of a year (`cleared_usd`), up to the day `until`.

    `others_usd` is what the other clearances of the model were stated to cost; it is not part of `billed_usd`. `apart`
    are amounts without an exchange rate, which are not part of it either.
    """

    request: ReviewRequest
    cleared_usd: Decimal
    others_usd: Decimal
    billed_usd: Decimal
    until: date
    apart: str


@dataclass(frozen=True)
class _Clearance:
    request: ReviewRequest
    cleared_usd: Decimal
    since: date


def exceeded_clearances(*, now: datetime) -> list[ExceededClearance]:
    """The clearances in force whose bills are above the stated cost, in the order of their requests.

    A clearance without a stated cost is left out: its policy asked for none.
    """
    by_asset: dict[int, list[_Clearance]] = defaultdict(list)
    for clearance in _in_force(now):
        by_asset[clearance.request.model_version.asset_id].append(clearance)
    lines, rates = _lines(by_asset), all_rates()
    found = (_exceeded(one, of_model, lines[asset], rates) for asset, of_model in by_asset.items() for one in of_model)
    return sorted(filter(None, found), key=lambda exceeded: exceeded.request.pk)


def _in_force(now: datetime) -> Iterable[_Clearance]:
    rows = ReviewRequest.objects.filter(state=RequestState.CLEARED, deadline_at__gt=now, submitted_at__isnull=False)
    requests = {row.pk: row for row in rows.select_related("model_version").order_by("pk")}
    values: dict[int, list[MetricValue]] = defaultdict(list)
    stated = MetricRecord.objects.filter(request__in=requests).exclude(basis=Basis.BILLED)
    for record in stated.order_by("pk"):
        values[record.request_id].append(metric_value_of(record))
    catalog = catalog_in_force()
    for pk, row in requests.items():
        cost = best(with_totals(values[pk], catalog=catalog), name=COST_METRIC, catalog=catalog)
        if cost is not None and row.submitted_at is not None:
            yield _Clearance(row, cost.value, row.submitted_at.date())


def _lines(by_asset: Mapping[int, Sequence[_Clearance]]) -> Mapping[int, Sequence[Line]]:
    """The sums by day of what rules allocate to the clearances, and to their models without a request, by model.

    An authorization answers for bills of its model that name no request, on the days for which it was issued.
    """
    asset_of = {one.request.ref: asset for asset, several in by_asset.items() for one in several}
    shared = Q(rule__asset__in=by_asset, rule__request_ref="")
    start = min((one.since for several in by_asset.values() for one in several), default=date.max)
    rows = used_in(start=start).filter(shared | Q(rule__request_ref__in=asset_of)).order_by()
    authorized: dict[int, list[tuple[date, date]]] = defaultdict(list)
    path = "decision__request__model_version__asset"
    issued = Authorization.objects.filter(**{f"{path}__in": by_asset}).values_list(path, "issued_at", "expires_at")
    for asset, start, end in issued:
        authorized[asset].append((start.date(), end.date()))
    lines: dict[int, list[Line]] = defaultdict(list)
    columns = ("rule__request_ref", "rule__asset", "day", "currency")
    for line in rows.values(*columns).annotate(cost=Sum("effective")):
        ref, day = line["rule__request_ref"], line["day"]
        if ref:
            lines[asset_of[ref]].append(line)
        elif not any(start <= day <= end for start, end in authorized[line["rule__asset"]]):
            lines[line["rule__asset"]].append(line)
    return lines


def _exceeded(
    clearance: _Clearance, of_model: Sequence[_Clearance], lines: Sequence[Line], rates: Sequence[CurrencyRate]
) -> ExceededClearance | None:
    # The bill of the day of the clearance may contain what ran before it.
    since = [line for line in lines if line["day"] > clearance.since]
    others = sum((one.cleared_usd for one in of_model if one is not clearance), Decimal(0))
    own = [line for line in since if line["rule__request_ref"] == clearance.request.ref]
    found = [_compared(clearance, own, Decimal(0), rates), _compared(clearance, since, others, rates)]
    return max(filter(None, found), key=attrgetter("billed_usd"), default=None)


def _compared(
    clearance: _Clearance, lines: Sequence[Line], others: Decimal, rates: Sequence[CurrencyRate]
) -> ExceededClearance | None:
    converted = _converted(lines, rates)
    billed = usd(converted.usd - others)
    if billed <= clearance.cleared_usd:
        return None
    return ExceededClearance(
        request=clearance.request,
        cleared_usd=clearance.cleared_usd,
        others_usd=others,
        billed_usd=billed,
        until=max(line["day"] for line in lines),
        apart=unconverted_text(converted.apart),
    )


def _converted(lines: Iterable[Line], rates: Sequence[CurrencyRate]) -> Converted:
    return convert([Amount.of_month(line["currency"], line["day"], line["cost"]) for line in lines], rates)
