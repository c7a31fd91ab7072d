"""`prices/`: the price book, for programs."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from benchmarking.prices import queries as prices
from benchmarking.prices.serializers import PriceAnswer, PriceFilters
from governance.people.api.caller import asker
from governance.site.api.shapes import read


class Prices(GenericAPIView[Any]):
    """What things cost, since when, and who says so."""

    serializer_class = PriceAnswer

    @extend_schema(operation_id="prices_list", parameters=[PriceFilters], responses=PriceAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The prices whose SKU holds `q`, * in it standing for anything; on the day `on`, today unless one is given."""
        _, _, now = asker(request)
        given = read(PriceFilters, request.query_params)
        book = prices.price_book(given.get("on") or now.date())
        page = self.paginate_queryset(prices.search_prices(book=book, wanted=given.get("q", "")))
        apart = {each.key for each in book.disagreements()}
        rows = [
            {"price": price, "is_disputed": price.key in apart, "retirement": book.retirements.get(price.sku)}
            for price in page or ()
        ]
        return self.get_paginated_response(PriceAnswer(rows, many=True).data)
