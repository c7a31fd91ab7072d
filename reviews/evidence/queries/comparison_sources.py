"""The data for comparing months of authorized requests, read for many requests with a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, prefetch_related_objects

from governance.bills.domain.quantities.token_rows import TokenRow
from governance.bills.queries import spend
from governance.bills.queries.spend import ModelMonth
from governance.rulebook.domain.scopes import EvaluationSubject
from reviews.authorizations.models import Authorization
from reviews.evidence.domain.comparison import month_end
from reviews.evidence.domain.month_variance import Load, load_of
from reviews.evidence.models import Traffic
from reviews.evidence.queries import projections
from reviews.evidence.queries.evidence import metric_values_by_id, metric_values_by_request, subject_of
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics.values import MetricValue

YEARLY = ("inference_cost_1y_usd", "total_cost_1y_usd")
"""The values that a projected month is a twelfth of: the first that is stated."""
_REQUEST = "decision__request"
_ASSET = f"{_REQUEST}__model_version__asset"


@dataclass(frozen=True, kw_only=True)
class BilledHistory:
    """The metric values, authorizations and bills of one request.

    `issued` are the authorizations of its model, earliest first. `widened_by` is the factor by which its range was
    widened when it was stated; None if it was not.
    """

    metric_values: list[MetricValue]
    authorization: Authorization | None
    issued: Sequence[Authorization]
    billed: Sequence[ModelMonth]
    widened_by: Decimal | None

    def owns(self, row: ModelMonth | TokenRow) -> bool:
        """Whether the costs of a month belong to this request.

        They do if the bill names the request, or if its authorization is the latest of the model in that month.
        """
        if row.is_named:
            return True
        before = [issued for issued in self.issued if issued.issued_at.date() < month_end(row.month)]
        return bool(before) and before[-1] == self.authorization


@dataclass(frozen=True, kw_only=True)
class RequestHistory(BilledHistory):
    """The same, with what says why a month cost more or less than projected, and with what the policies judge."""

    subject: EvaluationSubject
    load: Load
    traffic: Mapping[date, int]


def histories_of(requests: Sequence[ReviewRequest]) -> dict[int, RequestHistory]:
    """The history of each request, by request id."""
    prefetch_related_objects(requests, "team", "model_version__asset")
    assets = {row.ref: row.model_version.asset_id for row in requests}
    metric_values, traffic = metric_values_by_request(requests), _traffic(requests)
    stated = {row.request_id: row for row in projections.latest_of(requests)}
    billed, issued = spend.of_requests(assets), _issued(assets.values())
    histories = {}
    for row in requests:
        of_model, latest = issued[assets[row.ref]], stated.get(row.pk)
        histories[row.pk] = RequestHistory(
            subject=subject_of(row),
            metric_values=metric_values[row.pk],
            authorization=_of_request(of_model, row.pk),
            issued=of_model,
            billed=billed[row.ref],
            load=Load() if latest is None else load_of(latest.projection.document, option=latest.option),
            traffic=traffic[row.pk],
            widened_by=None if latest is None else latest.widened_by,
        )
    return histories


def past_histories(*, besides: ReviewRequest) -> dict[int, BilledHistory]:
    """The history of each other authorized request of the team that a bill is about, by request id.

    Without a bill there is nothing to compare, so a team's many requests without one are left to the database.
    """
    found = Authorization.objects.filter(_has_bill(), decision__request__team=besides.team)
    found = found.exclude(decision__request=besides).order_by("pk")
    refs = {pk: (ref, asset) for pk, ref, asset in found.values_list(_REQUEST, f"{_REQUEST}__ref", _ASSET)}
    values, widened = metric_values_by_id(refs, names=YEARLY), projections.widenings_of(refs)
    billed, issued = spend.of_requests(dict(refs.values())), _issued({asset for _, asset in refs.values()})
    return {
        pk: BilledHistory(
            metric_values=values[pk],
            authorization=_of_request(issued[asset], pk),
            issued=issued[asset],
            billed=billed[ref],
            widened_by=widened.get(pk),
        )
        for pk, (ref, asset) in refs.items()
    }


def _has_bill() -> Q:
    """Selects authorizations whose request is named in a bill, or whose model is billed without a request."""
    rules = spend.rules_with_sums()
    named, of_models = rules.exclude(request_ref=""), rules.filter(request_ref="", asset__isnull=False)
    by_name = Q(**{f"{_REQUEST}__ref__in": named.values("request_ref")})
    return by_name | Q(**{f"{_ASSET}__in": of_models.values("asset")})


def _of_request(issued: Iterable[Authorization], request_id: int) -> Authorization | None:
    return next((row for row in issued if row.decision.request_id == request_id), None)


def _traffic(requests: Sequence[ReviewRequest]) -> dict[int, dict[date, int]]:
    """The number of requests by month; the latest row of a month counts."""
    counts: dict[int, dict[date, int]] = defaultdict(dict)
    rows = Traffic.objects.filter(request__in=requests).order_by("pk")
    for request_id, month, count in rows.values_list("request_id", "month", "requests"):
        counts[request_id][month] = count
    return counts


def _issued(assets: Iterable[int]) -> dict[int, list[Authorization]]:
    issued: dict[int, list[Authorization]] = defaultdict(list)
    rows = Authorization.objects.filter(**{f"{_ASSET}__in": set(assets)}).select_related(f"{_REQUEST}__model_version")
    rows = rows.only("number", "issued_at", f"{_REQUEST}_id", f"{_REQUEST}__model_version__asset_id")
    for row in rows.order_by("issued_at", "pk"):
        issued[row.decision.request.model_version.asset_id].append(row)
    return issued
