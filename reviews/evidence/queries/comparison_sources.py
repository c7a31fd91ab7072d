"""What the months of authorized requests are compared from, read for many requests at once: a fixed number
of queries.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from governance.bills.queries import spend
from governance.bills.queries.spend import ModelMonth
from reviews.authorizations.models import Authorization
from reviews.evidence.domain.comparison import month_end
from reviews.evidence.domain.month_parts import Load, load_of
from reviews.evidence.models import Traffic
from reviews.evidence.queries import projections
from reviews.evidence.queries.evidence import metric_values_by_request
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics import MetricValue

_ASSET = "decision__request__model_version__asset"


@dataclass(frozen=True)
class RequestHistory:
    """What is known of one request; `issued` are the authorizations of its model, the earliest first.

    `widened_by` is how much wider its range was made when it was filed; None where it was not.
    """

    metric_values: list[MetricValue]
    held: Authorization | None
    issued: Sequence[Authorization]
    billed: Sequence[ModelMonth]
    load: Load
    traffic: Mapping[date, int]
    widened_by: Decimal | None

    def owns(self, row: ModelMonth) -> bool:
        """Whether a month's costs are this request's: they name it, or its authorization is the model's latest of the
        month.
        """
        if row.is_named:
            return True
        before = [each for each in self.issued if each.issued_at.date() < month_end(row.month)]
        return bool(before) and before[-1] == self.held


def known_of(requests: Sequence[ReviewRequest]) -> dict[int, RequestHistory]:
    """By the id of each request; their `model_version` is best read with them."""
    assets = {row.ref: row.model_version.asset_id for row in requests}
    metric_values, traffic = metric_values_by_request(requests), _traffic(requests)
    stated = {row.request_id: row for row in projections.latest_of(requests)}
    billed, issued = spend.of_requests(assets), _issued(set(assets.values()))
    found = {}
    for row in requests:
        of_model = issued[assets[row.ref]]
        held = next((each for each in of_model if each.decision.request_id == row.pk), None)
        latest = stated.get(row.pk)
        load = Load() if latest is None else load_of(latest.projection.document, option=latest.option)
        widened_by = None if latest is None else latest.widened_by
        found[row.pk] = RequestHistory(
            metric_values[row.pk], held, of_model, billed[row.ref], load, traffic[row.pk], widened_by
        )
    return found


def _traffic(requests: Sequence[ReviewRequest]) -> dict[int, dict[date, int]]:
    """The requests by month; of several rows of a month the last one supplied counts."""
    found: dict[int, dict[date, int]] = defaultdict(dict)
    rows = Traffic.objects.filter(request__in=requests).order_by("pk")
    for request_id, month, count in rows.values_list("request_id", "month", "requests"):
        found[request_id][month] = count
    return found


def _issued(assets: set[int]) -> dict[int, list[Authorization]]:
    found: dict[int, list[Authorization]] = defaultdict(list)
    rows = Authorization.objects.filter(**{f"{_ASSET}__in": assets}).select_related("decision__request__model_version")
    for row in rows.order_by("issued_at", "pk"):
        found[row.decision.request.model_version.asset_id].append(row)
    return found
