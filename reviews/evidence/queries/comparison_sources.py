"""The data for comparing months of authorized requests, read for many requests with a fixed number of queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import prefetch_related_objects

from governance.bills.domain.quantities.token_rows import TokenRow
from governance.bills.queries import spend
from governance.bills.queries.spend import ModelMonth
from governance.rulebook.domain.scopes import EvaluationSubject
from reviews.authorizations.models import Authorization
from reviews.evidence.domain.comparison import month_end
from reviews.evidence.domain.month_variance import Load, load_of
from reviews.evidence.models import Traffic
from reviews.evidence.queries import projections
from reviews.evidence.queries.evidence import metric_values_by_request, subject_of
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics.values import MetricValue

_ASSET = "decision__request__model_version__asset"


@dataclass(frozen=True)
class RequestHistory:
    """The metric values, authorizations, bills, load and traffic of one request.

    `issued` are the authorizations of its model, earliest first. `widened_by` is the factor by which its range was
    widened when it was stated; None if it was not.
    """

    subject: EvaluationSubject
    metric_values: list[MetricValue]
    authorization: Authorization | None
    issued: Sequence[Authorization]
    billed: Sequence[ModelMonth]
    load: Load
    traffic: Mapping[date, int]
    widened_by: Decimal | None

    def owns(self, row: ModelMonth | TokenRow) -> bool:
        """Whether the costs of a month belong to this request.

        They do if the bill names the request, or if its authorization is the latest of the model in that month.
        """
        if row.is_named:
            return True
        before = [issued for issued in self.issued if issued.issued_at.date() < month_end(row.month)]
        return bool(before) and before[-1] == self.authorization


def histories_of(requests: Sequence[ReviewRequest]) -> dict[int, RequestHistory]:
    """The history of each request, by request id."""
    prefetch_related_objects(requests, "team", "model_version__asset")
    assets = {row.ref: row.model_version.asset_id for row in requests}
    metric_values, traffic = metric_values_by_request(requests), _traffic(requests)
    stated = {row.request_id: row for row in projections.latest_of(requests)}
    billed, issued = spend.of_requests(assets), _issued(set(assets.values()))
    histories = {}
    for row in requests:
        of_model = issued[assets[row.ref]]
        authorization = next((issue for issue in of_model if issue.decision.request_id == row.pk), None)
        latest = stated.get(row.pk)
        load = Load() if latest is None else load_of(latest.projection.document, option=latest.option)
        widened_by = None if latest is None else latest.widened_by
        histories[row.pk] = RequestHistory(
            subject_of(row),
            metric_values[row.pk],
            authorization,
            of_model,
            billed[row.ref],
            load,
            traffic[row.pk],
            widened_by,
        )
    return histories


def _traffic(requests: Sequence[ReviewRequest]) -> dict[int, dict[date, int]]:
    """The number of requests by month; the latest row of a month counts."""
    counts: dict[int, dict[date, int]] = defaultdict(dict)
    rows = Traffic.objects.filter(request__in=requests).order_by("pk")
    for request_id, month, count in rows.values_list("request_id", "month", "requests"):
        counts[request_id][month] = count
    return counts


def _issued(assets: set[int]) -> dict[int, list[Authorization]]:
    issued: dict[int, list[Authorization]] = defaultdict(list)
    rows = Authorization.objects.filter(**{f"{_ASSET}__in": assets}).select_related("decision__request__model_version")
    for row in rows.order_by("issued_at", "pk"):
        issued[row.decision.request.model_version.asset_id].append(row)
    return issued
