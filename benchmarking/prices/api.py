"""`prices/`: the price book, for programs."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from benchmarking.prices import queries as prices
from governance.people.api.caller import asker
from governance.site.api.shapes import Answer, Input, read


class PriceAnswer(Answer):
    """A price: exact dollars as text, with the day it was known to hold and its source."""

    sku = serializers.CharField(source="price.sku")
    term = serializers.CharField(source="price.term")
    meter = serializers.CharField(source="price.meter")
    usd = serializers.DecimalField(source="price.usd", max_digits=None, decimal_places=None)
    unit = serializers.CharField(source="price.unit")
    as_of = serializers.DateField(source="price.as_of")
    source = serializers.CharField(source="price.source")  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    origin = serializers.CharField(source="price.origin", help_text="list, negotiated or derived.")
    list_usd = serializers.DecimalField(
        source="price.list_price.usd", max_digits=None, decimal_places=None, default=None, allow_null=True
    )
    is_disputed = serializers.BooleanField(help_text="Whether another source puts it more than 1 % apart.")
    retires_on = serializers.DateField(source="retirement.on", default=None, allow_null=True)
    successor = serializers.CharField(source="retirement.successor", default="")


class PriceFilters(Input):
    """A page of the price book."""

    q = serializers.CharField(required=False, max_length=200)
    on = serializers.DateField(required=False)
    page = serializers.IntegerField(required=False, min_value=1)


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
